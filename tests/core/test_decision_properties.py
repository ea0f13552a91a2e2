"""What holds of every decision, whatever the facts are."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.decision import (
    REASONS,
    Outcome,
    Redeem,
    SpendBudget,
    apply,
    decide,
)
from app.core.model import (
    DAY,
    SECOND,
    Budget,
    Direction,
    Facts,
    Gate,
    PassStatus,
    Refused,
    Scope,
    Token,
    Use,
)
from tests.core.facts import (
    GATE_BUDGET,
    IDX,
    NOW,
    NUMBER_BUDGET,
    TODAY,
    VERIFICATION,
    a_pass,
    a_token,
    an_id,
    code_claims,
    facts,
    signed_claims,
)

times = st.integers(NOW - 2 * DAY, NOW + 2 * DAY) | st.sampled_from([NOW - 1, NOW, NOW + 1])
ids = st.integers(1, 9).map(an_id)
gate_ids = st.sampled_from(["main-door", "back-door"])
zones = st.sampled_from([(), ("hq",), ("floor-2", "hq")])
ways = st.sampled_from([Direction.ENTRY, Direction.EXIT])

gates = st.builds(Gate, gate_ids, st.sampled_from(Direction), zones, zones, st.sampled_from([0, SECOND, 5 * SECOND]))
tokens = st.builds(Token, ids, st.just("signed"), times, times, st.none() | gate_ids, st.booleans(), st.integers(0, 1))
uses = st.builds(Use, st.integers(1, 3), ids, times, gate_ids, ids, ways, st.booleans())
scopes = st.builds(
    Scope,
    st.booleans(),
    st.frozensets(gate_ids, max_size=2),
    st.frozensets(st.sampled_from(["hq", "floor-2"]), max_size=2),
)
passes = st.builds(
    lambda *parts: a_pass(
        **dict(
            zip(("idx", "scope", "valid_from", "valid_until", "max_entries", "entries", "status"), parts, strict=True)
        )
    ),
    st.sampled_from([IDX, IDX + 1]),
    scopes,
    st.none() | times,
    st.none() | times,
    st.none() | st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(PassStatus),
)
budgets = st.dictionaries(
    st.sampled_from([NUMBER_BUDGET, GATE_BUDGET]),
    st.builds(Budget, st.integers(TODAY - 1, TODAY), st.integers(0, 120), times),
    max_size=2,
)
presenteds = (
    st.sampled_from(["malformed", "bad_signature", "unrecognised"]).map(Refused)
    | st.just(signed_claims())
    | st.just(code_claims())
)
anything = st.builds(
    Facts,
    st.just(NOW),
    st.just(TODAY),
    st.integers(0, 1),
    gates,
    ways,
    st.booleans(),
    ids,
    st.just(VERIFICATION),
    presenteds,
    st.none() | tokens,
    st.none() | passes,
    st.none() | uses,
    budgets,
)
valid = st.builds(
    lambda gate, way, reusable, limit, window: facts(
        gate=gate._replace(id="main-door", repeat_window=window),
        direction=way,
        token=a_token(reusable=reusable),
        pass_=a_pass(max_entries=limit),
    ),
    gates,
    ways,
    st.booleans(),
    st.none() | st.integers(0, 3),
    st.sampled_from([0, 5 * SECOND]),
)
some_facts = anything | valid


@given(some_facts)
def test_the_same_facts_give_the_same_decision(given_facts: Facts) -> None:
    again = Facts(*given_facts)._replace(budgets=dict(given_facts.budgets))
    assert decide(given_facts) == decide(given_facts) == decide(again)


@given(some_facts)
def test_every_decision_has_a_reason_that_is_listed_and_is_ok_just_if_it_admits(given_facts: Facts) -> None:
    decision = decide(given_facts)
    assert decision.reason in REASONS
    assert set(decision.flags) <= set(REASONS)
    assert (decision.outcome is Outcome.ADMIT) == (decision.reason == "ok")


@given(some_facts)
def test_an_exit_always_admits_and_says_what_was_wrong(given_facts: Facts) -> None:
    exit_ = decide(given_facts._replace(exit_side=True))
    assert (exit_.outcome, exit_.reason, exit_.repeats) == (Outcome.ADMIT, "ok", None)
    entry = decide(given_facts._replace(exit_side=False, gate=given_facts.gate._replace(repeat_window=0)))
    assert exit_.flags == (() if entry.outcome is Outcome.ADMIT else (entry.reason,))
    assert all(isinstance(change, SpendBudget) for change in exit_.changes)


@given(some_facts)
def test_a_refusal_changes_nothing_but_budgets_and_those_only_for_a_wrong_code(given_facts: Facts) -> None:
    decision = decide(given_facts)
    if decision.outcome is Outcome.DENY:
        assert all(isinstance(change, SpendBudget) for change in decision.changes)
        if decision.reason != "unknown":
            assert decision.changes == ()
        assert decision.repeats is None


@given(some_facts)
def test_an_admitted_entry_redeems_or_repeats_but_never_both(given_facts: Facts) -> None:
    decision = decide(given_facts._replace(exit_side=False))
    if decision.outcome is Outcome.ADMIT:
        redeemed = [change for change in decision.changes if isinstance(change, Redeem)]
        assert len(redeemed) == (decision.repeats is None)
        assert not any(isinstance(change, SpendBudget) for change in decision.changes)


@given(some_facts)
def test_pass_and_holder_are_named_only_for_a_token_that_the_store_knows(given_facts: Facts) -> None:
    decision = decide(given_facts)
    if given_facts.token is None or {"unknown", "throttled"} & {decision.reason, *decision.flags}:
        assert not decision.genuine


@given(some_facts, st.lists(some_facts, min_size=1, max_size=6))
def test_a_token_good_once_is_admitted_once_whatever_comes(first: Facts, attempts: list[Facts]) -> None:
    """Each attempt sees what the ones before it changed; places, times and callers are any."""
    seen = first._replace(token=a_token(), last_use=None, exit_side=False)
    admitted = 0
    for attempt in attempts:
        seen = attempt._replace(
            token=seen.token, pass_=seen.pass_, last_use=seen.last_use, budgets=seen.budgets, exit_side=False
        )
        decision = decide(seen)
        admitted += decision.outcome is Outcome.ADMIT and decision.repeats is None
        seen = apply(seen, decision.changes)
    assert admitted <= 1


@given(st.integers(0, 5), st.integers(1, 12))
def test_a_reusable_token_is_admitted_as_often_as_the_pass_allows(limit: int, tries: int) -> None:
    seen = facts(token=a_token(reusable=True), pass_=a_pass(max_entries=limit))
    reasons = []
    for _ in range(tries):
        decision = decide(seen)
        seen = apply(seen, decision.changes)
        reasons.append(decision.reason)
    assert reasons == ["ok"] * min(limit, tries) + ["no_entries_left"] * max(0, tries - limit)
    assert seen.last_use is None or seen.last_use.number == min(limit, tries)
