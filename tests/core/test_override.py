"""Somebody at the desk admits against the rules, but for the few against which nobody may."""

from typing import Any

import pytest

from app.core.changes import CountEntry, CountLimited, Occupy, Redeem
from app.core.decision import Outcome, decide
from app.core.model import (
    ANYWHERE,
    MINUTE,
    AntiPassback,
    Budget,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Refused,
    Scope,
    Zone,
)
from app.core.rules import RULES
from tests.core.facts import (
    NOW,
    NUMBER_BUDGET,
    PASS_ID,
    TODAY,
    TOKEN_ID,
    VERIFICATION,
    a_gate,
    a_hard_zone,
    a_holder,
    a_limited_pass,
    a_pass,
    a_presence,
    a_token,
    a_use,
    facts,
    wrong_code_facts,
    zone_facts,
)


def override(seen: Facts) -> Facts:
    return seen._replace(override=True)


def test_what_is_asked_without_the_network_and_four_rules_more_cannot_be_overridden() -> None:
    assert {rule.code for rule in RULES if not rule.overridable} == {
        *("clock_behind", "stale_bundle", "offline_not_allowed", "needs_network"),
        *("throttled", "unknown", "holder_blocked", "token_blocked"),
    }


def test_no_rule_that_cannot_be_overridden_is_asked_after_one_that_can() -> None:
    """Else an override of the one would never ask the other."""
    can = [rule.overridable for rule in RULES]
    assert can == sorted(can)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (wrong_code_facts(budgets={NUMBER_BUDGET: Budget(TODAY, 10, NOW)}), "throttled"),
        (wrong_code_facts(), "unknown"),
        (facts(pass_=a_pass(holder=a_holder(blocked=True))), "holder_blocked"),
        (facts(token=a_token(blocked=True)), "token_blocked"),
        (facts(presented=Refused("malformed"), token=None, pass_=None), "malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nobody_admits_against_these(seen: Facts, reason: str) -> None:
    decision = decide(override(seen))
    assert (decision.outcome, decision.reason, decision.overridden) == (Outcome.DENY, reason, None)
    assert decision == decide(seen)


def test_an_override_says_and_flags_what_it_overrode() -> None:
    decision = decide(override(facts(pass_=a_pass(valid_until=NOW))))
    assert (decision.outcome, decision.reason) == (Outcome.ADMIT, "ok")
    assert (decision.flags, decision.overridden) == (("pass_expired",), "pass_expired")


def test_of_many_reasons_the_first_is_the_one_overridden() -> None:
    decision = decide(override(facts(pass_=a_pass(valid_until=NOW, scope=Scope()), last_use=a_use())))
    assert decision.overridden == "pass_expired"


def test_an_override_where_nothing_is_wrong_overrides_nothing() -> None:
    assert decide(override(facts())) == decide(facts())


def test_an_override_is_used_and_counted_as_any_entry() -> None:
    pass_ = a_limited_pass(per_day=1)._replace(max_entries=1, entries=1)
    counts = {CountKey(PASS_ID, ANYWHERE): EntryCount(1, TODAY, 1, NOW - 1)}
    decision = decide(override(facts(pass_=pass_, counts=counts, site_day=TODAY, last_use=a_use())))
    redeemed, *counted = decision.changes
    assert isinstance(redeemed, Redeem)
    assert (redeemed.use.number, redeemed.use.let_in) == (2, 2)
    after = EntryCount(2, TODAY, 2, NOW)
    assert counted == [
        CountEntry(PASS_ID, 2, 1),
        CountLimited(CountKey(PASS_ID, ANYWHERE), counts[CountKey(PASS_ID, ANYWHERE)], after),
    ]


def test_an_override_fills_a_zone_beyond_its_capacity() -> None:
    decision = decide(override(zone_facts(a_hard_zone(people=10, capacity=10))))
    assert decision.overridden == "zone_full"
    assert decision.changes[-1] == Occupy("hq", 11)


def test_nobody_is_left_of_a_party_where_more_were_let_in_than_it_is() -> None:
    decision = decide(override(facts(pass_=a_limited_pass(party_size=2), people=3)))
    assert (decision.overridden, decision.people_left) == ("too_many_people", 0)


NESTED = (
    a_hard_zone(),
    Zone("floor-2", ("floor-2", "hq"), 1, None, AntiPassback.SOFT),
)
INSIDE_BOTH = {"hq": a_presence(), "floor-2": a_presence()}


def test_what_was_overridden_in_one_zone_and_flagged_in_another_is_flagged_once() -> None:
    gate = Gate("main-door", Direction.ENTRY, (), ("floor-2", "hq"))
    decision = decide(override(zone_facts(*NESTED, gate=gate, inside=INSIDE_BOTH)))
    assert (decision.flags, decision.overridden) == (("anti_passback",), "anti_passback")


def test_what_was_overridden_comes_before_what_is_flagged() -> None:
    gate = Gate("main-door", Direction.ENTRY, ("hq",), ("floor-2", "hq"))
    decision = decide(override(zone_facts(*NESTED, gate=gate, inside=INSIDE_BOTH, pass_=a_pass(valid_until=NOW))))
    assert decision.flags == ("pass_expired", "anti_passback")


@pytest.mark.parametrize(
    "exit_", [{"exit_side": True}, {"exit_side": True, "pass_": a_pass(valid_until=NOW)}], ids=["good", "expired"]
)
def test_on_the_way_out_there_is_nothing_to_override(exit_: dict[str, Any]) -> None:
    seen = facts(direction=Direction.EXIT, **exit_)
    assert decide(override(seen)) == decide(seen)
    assert decide(override(seen)).overridden is None


def test_an_override_within_a_repeat_window_is_decided_and_recorded_anew() -> None:
    seen = facts(last_use=a_use(), gate=a_gate(repeat_window=MINUTE))
    assert decide(seen).repeats == a_use().verification
    decision = decide(override(seen))
    assert (decision.outcome, decision.flags, decision.repeats) == (Outcome.ADMIT, ("already_used",), None)
    use = a_use(number=2, verification=VERIFICATION, at=NOW, let_in=2)
    assert decision.changes == (Redeem(TOKEN_ID, use),)


def test_a_waiting_time_is_overridden_and_no_longer_said() -> None:
    seen = facts(pass_=a_pass(valid_from=NOW + 1))
    assert decide(seen).not_before == NOW + 1
    assert decide(override(seen)).not_before is None
