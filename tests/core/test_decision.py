"""Deciding one attempt, and one after another."""

from typing import Any

import pytest

from app.core.changes import CountEntry, Redeem, SpendBudget
from app.core.decision import REASONS, Decision, Outcome, apply, decide, is_exit_side, views
from app.core.model import (
    ANYWHERE,
    DAY,
    MINUTE,
    SECOND,
    Budget,
    BudgetKey,
    Claims,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Limits,
    OfflinePolicy,
    PassStatus,
    Refused,
    Scope,
    Use,
    ZoneLimit,
)
from app.core.rules import RULES
from app.core.rules.throttled import PER_GATE, PER_NUMBER, TRICKLE
from tests.core.facts import (
    CREDENTIAL,
    EARLIER,
    GATE_BUDGET,
    IDX,
    NOW,
    NUMBER_BUDGET,
    OTHER_PASS_ID,
    PASS_ID,
    TENANT,
    TODAY,
    TOKEN_ID,
    VERIFICATION,
    a_card,
    a_code,
    a_gate,
    a_hard_zone,
    a_holder,
    a_pass,
    a_presence,
    a_token,
    a_use,
    an_id,
    code_claims,
    facts,
    offline,
    signed_claims,
    wrong_code_facts,
)

# What can be wrong with an attempt, in the order in which it is said, and the facts that it is wrong with.
WRONG: dict[str, dict[str, dict[str, Any]]] = {
    "clock_behind": {"offline": {"last_good": NOW + 31 * SECOND}},
    "stale_bundle": {"offline": {"max_stale": 60 * SECOND}},
    "needs_network": {"offline": {}, "facts": {"presented": code_claims(), "token": None}},
    "offline_not_allowed": {"offline": {"policy": OfflinePolicy.REFUSE}},
    "throttled": {
        "token": {"kind": "code"},
        "facts": {"presented": code_claims(), "budgets": {NUMBER_BUDGET: Budget(TODAY, 10, NOW)}},
    },
    "unknown": {"pass": {"idx": IDX + 1}, "facts": {"presented": signed_claims()}},
    "holder_blocked": {"pass": {"holder": a_holder(blocked=True)}},
    "token_blocked": {"token": {"blocked": True}},
    "token_revoked": {"token": {"revoked": True}},
    "pass_revoked": {"pass": {"status": PassStatus.REVOKED}},
    "pass_suspended": {"pass": {"status": PassStatus.SUSPENDED}},
    "not_yet_valid": {"token": {"issued_at": NOW + DAY}},
    "expired": {"token": {"expires_at": NOW - DAY}},
    "pass_not_yet_valid": {"pass": {"valid_from": NOW + 1}},
    "pass_expired": {"pass": {"valid_until": NOW}},
    "wrong_gate": {"pass": {"scope": Scope()}},
    "outside_schedule": {"pass": {"hours": ()}},
    "no_entries_left": {"pass": {"max_entries": 1, "entries": 1}},
    "no_entries_left_today": {"limits": {"per_day": 0}},
    "no_entries_left_in_zone": {"limits": {"zones": (ZoneLimit("hq", total=0),)}},
    "already_used": {"facts": {"last_use": a_use(reserved_until=NOW + 1, let_in=0)}},
    "too_many_people": {"facts": {"people": 2}},
    "too_soon": {
        "limits": {"min_interval": MINUTE},
        "facts": {"counts": {CountKey(PASS_ID, ANYWHERE): EntryCount(1, TODAY, 1, NOW - 1)}},
    },
    "anti_passback": {"facts": {"zones": {"hq": a_hard_zone()}, "inside": {"hq": a_presence()}}},
    "zone_full": {"facts": {"zones": {"hq": a_hard_zone(capacity=1)}}},
    "needs_second_proof": {"gate": {"second_proof": 30 * SECOND}},
}
BLOCKS = ["holder_blocked", "token_blocked"]
OFFLINE = ["clock_behind", "stale_bundle", "needs_network", "offline_not_allowed"]
NOT_OVERRIDABLE = [*OFFLINE, "throttled", "unknown", *BLOCKS]


def facts_with(*wrong: str) -> Facts:
    parts: dict[str, dict[str, Any]] = {"facts": {}, "token": {}, "pass": {}, "limits": {}, "gate": {}, "offline": {}}
    for reason in reversed(wrong):
        for part, values in WRONG[reason].items():
            parts[part] |= values
    pass_ = a_pass(limits=Limits(**parts["limits"]))._replace(**parts["pass"])
    seen = facts(gate=a_gate(**parts["gate"]), token=a_token(**parts["token"]), pass_=pass_, site_day=TODAY)
    if not set(OFFLINE).isdisjoint(wrong):
        seen = seen._replace(offline=offline(**parts["offline"]))
    return seen._replace(**parts["facts"])


# --- what is said first -----------------------------------------------------------------------------------------------


def test_every_rule_has_a_case_here_in_the_order_of_asking() -> None:
    assert list(WRONG) == [rule.code for rule in RULES]


@pytest.mark.parametrize("reason", WRONG)
def test_each_rule_alone_refuses_with_its_own_reason(reason: str) -> None:
    decision = decide(facts_with(reason))
    assert (decision.outcome, decision.reason, decision.flags) == (Outcome.DENY, reason, ())


@pytest.mark.parametrize("place", range(len(WRONG)))
def test_the_first_of_many_reasons_is_given(place: int) -> None:
    reasons = list(WRONG)[place:]
    assert decide(facts_with(*reasons)).reason == reasons[0]


@pytest.mark.parametrize("reason", WRONG)
def test_what_could_not_be_opened_is_said_before_any_rule(reason: str) -> None:
    decision = decide(facts_with(reason)._replace(presented=Refused("malformed")))
    assert decision.reason == "malformed"
    assert decision.changes == ()


def test_reasons_are_listed_once() -> None:
    assert len(set(REASONS)) == len(REASONS)
    assert REASONS[0] == "ok"


def test_a_view_of_every_rule_says_all_that_is_wrong() -> None:
    reasons = ["token_blocked", "pass_suspended", "expired", "wrong_gate", "already_used", "too_soon", "zone_full"]
    seen = views(facts_with(*reasons))
    assert [view.code for view in seen] == [reason for reason in WRONG if reason not in OFFLINE]
    assert [view.code for view in seen if view.refuses] == reasons


def test_a_view_says_when_a_rule_that_refuses_would_no_longer_do_so() -> None:
    said = {view.code: view.not_before for view in views(facts_with("pass_not_yet_valid", "too_soon"))}
    online = [reason for reason in WRONG if reason not in OFFLINE]
    assert said == dict.fromkeys(online) | {"pass_not_yet_valid": NOW + 1, "too_soon": NOW - 1 + MINUTE}


def test_without_the_network_there_is_a_view_of_those_rules_too() -> None:
    seen = {view.code: view.refuses for view in views(facts_with("stale_bundle"))}
    assert {code: seen[code] for code in OFFLINE} == dict.fromkeys(OFFLINE, False) | {"stale_bundle": True}


def test_there_is_no_view_of_what_is_no_token() -> None:
    assert views(facts(presented=Refused("malformed"))) == ()


@pytest.mark.parametrize(
    ("reason", "not_before"), [("pass_not_yet_valid", NOW + 1), ("too_soon", NOW - 1 + MINUTE), ("wrong_gate", None)]
)
def test_a_refusal_says_when_it_would_no_longer_be_one(reason: str, not_before: int | None) -> None:
    assert decide(facts_with(reason)).not_before == not_before


# --- an entry ---------------------------------------------------------------------------------------------------------


def test_an_entry_redeems_the_token() -> None:
    use = Use(1, VERIFICATION, NOW, "main-door", CREDENTIAL, Direction.ENTRY, pass_=PASS_ID)
    assert decide(facts()) == Decision(Outcome.ADMIT, "ok", (), a_pass(), (Redeem(TOKEN_ID, use),))


def test_a_reusable_token_lets_in_its_whole_party_each_time() -> None:
    decision = decide(facts(token=a_token(reusable=True), last_use=a_use(number=7, let_in=3)))
    assert [(change.use.number, change.use.let_in) for change in decision.changes if isinstance(change, Redeem)] == [
        (8, 1)
    ]


def test_an_entry_on_a_pass_with_a_limit_is_counted_too() -> None:
    seen = facts(pass_=a_pass(max_entries=2))
    decision = decide(seen)
    assert decision.changes[1:] == (CountEntry(PASS_ID, 1, 1),)
    after = apply(seen, decision.changes)
    assert after.pass_ == a_pass(max_entries=2, entries=1)


def test_going_out_through_a_gate_for_both_is_redeemed_but_not_counted() -> None:
    gate = Gate("main-door", Direction.BOTH, (), ("hq",))
    decision = decide(facts(gate=gate, direction=Direction.EXIT, pass_=a_pass(max_entries=2, entries=2)))
    assert [type(change) for change in decision.changes] == [Redeem]


def test_after_a_use_was_given_back_the_next_has_the_next_number() -> None:
    decision = decide(facts(last_use=a_use(voided=True, let_in=0)))
    assert isinstance(decision.changes[0], Redeem)
    assert (decision.changes[0].use.number, decision.changes[0].use.let_in) == (2, 1)


def test_nobody_is_admitted_without_a_token() -> None:
    assert decide(facts(token=None)).outcome is Outcome.DENY
    assert decide(facts(pass_=None)).outcome is Outcome.DENY
    assert decide(facts(token=None, pass_=None)).outcome is Outcome.DENY


def test_changes_to_facts_without_a_pass_are_nothing() -> None:
    assert apply(facts(pass_=None), [CountEntry(PASS_ID, 1, 1)]) == facts(pass_=None)


# --- exits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "bound", "exit_side"),
    [
        (Direction.ENTRY, False, False),
        (Direction.ENTRY, True, False),
        (Direction.EXIT, False, True),
        (Direction.EXIT, True, True),
        (Direction.BOTH, False, False),
        (Direction.BOTH, True, True),
    ],
)
def test_where_nobody_is_held_back(direction: Direction, bound: bool, exit_side: bool) -> None:  # noqa: FBT001
    assert is_exit_side(a_gate(direction=direction), exit_bound=bound) is exit_side


@pytest.mark.parametrize("reason", WRONG)
def test_an_exit_admits_whatever_is_wrong(reason: str) -> None:
    decision = decide(facts_with(reason)._replace(exit_side=True))
    assert (decision.outcome, decision.reason, decision.flags) == (Outcome.ADMIT, "ok", (reason,))


def test_an_exit_admits_what_is_no_token() -> None:
    decision = decide(facts(presented=Refused("unrecognised"), token=None, pass_=None, exit_side=True))
    assert decision == Decision(Outcome.ADMIT, "ok", ("unrecognised",))


# --- polling cameras --------------------------------------------------------------------------------------------------

POLLED = a_gate(repeat_window=5 * SECOND)


def polled(**other: Any) -> Facts:
    """The same token, shown again after a second."""
    return facts(gate=POLLED, last_use=a_use())._replace(**other)


def test_the_same_token_within_the_window_is_admitted_again_and_nothing_changes() -> None:
    assert decide(polled()) == Decision(Outcome.ADMIT, "ok", (), a_pass(), repeats=EARLIER)


def test_a_use_repeats_though_nobody_knows_which_pass_it_was_of() -> None:
    assert decide(polled(last_use=a_use(pass_=None))).repeats == EARLIER


def test_the_window_ends_to_the_microsecond() -> None:
    assert decide(polled(last_use=a_use(at=NOW - 5 * SECOND + 1))).repeats == EARLIER
    assert decide(polled(last_use=a_use(at=NOW - 5 * SECOND))).reason == "already_used"
    assert decide(polled(last_use=a_use(at=NOW))).repeats == EARLIER
    assert decide(polled(last_use=a_use(at=NOW + 1))).reason == "already_used"


def test_a_gate_without_a_window_repeats_nothing() -> None:
    assert decide(polled(gate=a_gate(), last_use=a_use(at=NOW))).reason == "already_used"


@pytest.mark.parametrize(
    "other",
    [
        {"gate": "back-door"},
        {"credential": an_id(77)},
        {"direction": Direction.EXIT},
        {"voided": True},
        {"reserved_until": NOW + SECOND},
        {"pass_": OTHER_PASS_ID},
    ],
    ids=str,
)
def test_only_the_same_caller_at_the_same_gate_in_the_same_direction_on_the_same_pass_repeats(
    other: dict[str, Any],
) -> None:
    assert decide(polled(last_use=a_use(**other))).repeats is None


ENDING = ["clock_behind", "stale_bundle", "unknown", *BLOCKS, "token_revoked", "pass_revoked", "pass_suspended"]
NEVER_LET_IN = ["needs_network"]  # what is no token there was let in by nobody


@pytest.mark.parametrize("reason", [reason for reason in WRONG if reason not in [*ENDING, *NEVER_LET_IN]])
def test_whoever_was_let_in_a_moment_ago_is_not_asked_these_again(reason: str) -> None:
    seen = facts_with(reason)
    gate = seen.gate._replace(repeat_window=5 * SECOND)
    assert decide(seen._replace(gate=gate, last_use=a_use(people=seen.people))).repeats == EARLIER


@pytest.mark.parametrize("reason", ENDING)
def test_a_wrong_clock_old_news_blocks_revocation_and_suspension_end_the_window(reason: str) -> None:
    decision = decide(facts_with(reason)._replace(gate=POLLED, last_use=a_use()))
    assert (decision.outcome, decision.reason) == (Outcome.DENY, reason)


def test_an_undo_ends_the_window_and_gives_the_use_back() -> None:
    decision = decide(polled(last_use=a_use(voided=True, let_in=0)))
    assert decision.repeats is None
    assert [type(change) for change in decision.changes] == [Redeem]


def test_a_repeat_takes_no_entry_of_a_reusable_token_either() -> None:
    decision = decide(polled(token=a_token(reusable=True), pass_=a_pass(max_entries=1, entries=1)))
    assert (decision.repeats, decision.changes) == (EARLIER, ())


def test_a_broken_text_is_no_repeat() -> None:
    assert decide(polled(presented=Refused("malformed"))).reason == "malformed"


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_a_wrong_code_spends_each_budget_once() -> None:
    decision = decide(wrong_code_facts())
    assert decision == Decision(
        Outcome.DENY,
        "unknown",
        changes=(
            SpendBudget(NUMBER_BUDGET, Budget(TODAY, 1, NOW)),
            SpendBudget(GATE_BUDGET, Budget(TODAY, 1, NOW)),
        ),
    )


def test_a_right_code_spends_nothing() -> None:
    spent = {NUMBER_BUDGET: Budget(TODAY, 9, NOW)}
    decision = decide(facts(presented=code_claims(), token=a_code(), budgets=spent))
    assert decision.outcome is Outcome.ADMIT
    assert [type(change) for change in decision.changes] == [Redeem]


def test_a_card_that_looks_like_a_code_is_no_wrong_code_though_its_holder_has_no_pass() -> None:
    decision = decide(wrong_code_facts(token=a_card()))
    assert (decision.reason, decision.changes) == ("unknown", ())


def test_a_throttled_guess_spends_nothing_so_that_throttling_ends() -> None:
    assert decide(wrong_code_facts(budgets={NUMBER_BUDGET: Budget(TODAY, 10, NOW)})).changes == ()


def test_a_right_and_a_wrong_code_are_told_apart_by_nothing_once_the_budget_is_spent() -> None:
    spent = {NUMBER_BUDGET: Budget(TODAY, 10, NOW), GATE_BUDGET: Budget()}
    right = decide(facts(presented=code_claims(), token=a_code(), budgets=spent))
    assert right == decide(wrong_code_facts(budgets=spent)) == Decision(Outcome.DENY, "throttled")


def test_a_new_day_begins_at_nothing() -> None:
    decision = decide(wrong_code_facts(budgets={NUMBER_BUDGET: Budget(TODAY - 1, 10, NOW - 1)}))
    assert decision.changes == (SpendBudget(NUMBER_BUDGET, Budget(TODAY, 1, NOW)),)


def test_a_signed_token_that_is_unknown_spends_nothing() -> None:
    assert decide(facts(token=None, pass_=None)).changes == ()


def test_a_wrong_code_on_the_way_out_is_let_through_and_still_counted() -> None:
    decision = decide(wrong_code_facts(exit_side=True))
    assert (decision.outcome, decision.flags) == (Outcome.ADMIT, ("unknown",))
    assert len(decision.changes) == 2


def guesses_in_a_day(step: int, number_of: Any) -> int:
    """How many wrong codes are looked at when one is typed at one gate every `step` microseconds for 24 hours."""
    budgets: dict[BudgetKey, Budget] = {}
    looked_at = 0
    for place in range(DAY // step):
        number = BudgetKey(TENANT, "number", str(number_of(place)))
        keys = (number, GATE_BUDGET)
        seen = wrong_code_facts(
            now=NOW + place * step,
            presented=Claims("code", (b"\x01" * 32,), number=number_of(place)),
            budgets={key: budgets.get(key, Budget()) for key in keys},
        )
        decision = decide(seen)
        looked_at += decision.reason == "unknown"
        budgets |= apply(seen, decision.changes).budgets
    return looked_at


def test_no_more_than_ten_guesses_a_day_are_looked_at_for_one_holder() -> None:
    assert guesses_in_a_day(60 * SECOND, lambda _: 1042) == PER_NUMBER == 10


def test_no_more_than_244_guesses_a_day_are_looked_at_at_one_gate() -> None:
    assert guesses_in_a_day(15 * SECOND, lambda place: 1000 + place) <= PER_GATE + DAY // TRICKLE == 244


def test_one_typist_does_not_shut_the_gate_for_others() -> None:
    seen = wrong_code_facts()
    for _ in range(50):
        seen = apply(seen, decide(seen).changes)
    assert seen.budgets[NUMBER_BUDGET].spent == seen.budgets[GATE_BUDGET].spent == 10
    other = facts(presented=code_claims(number=1043), token=a_code(), budgets={GATE_BUDGET: seen.budgets[GATE_BUDGET]})
    assert decide(other).outcome is Outcome.ADMIT
