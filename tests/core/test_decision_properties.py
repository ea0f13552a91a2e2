"""What holds of every decision, whatever the facts are."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.changes import CountEntry, Move, Occupy, Redeem, Reserve, SpendBudget
from app.core.decision import NOT_INSIDE, REASONS, Outcome, apply, decide
from app.core.model import (
    ANYWHERE,
    DAY,
    MINUTE,
    SECOND,
    AntiPassback,
    Budget,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Limits,
    PassStatus,
    Presence,
    Refused,
    Reservation,
    Scope,
    Token,
    Use,
    Zone,
    ZoneLimit,
)
from tests.core.facts import (
    GATE_BUDGET,
    IDX,
    NOW,
    NUMBER_BUDGET,
    OTHER_PASS_ID,
    PASS_ID,
    TODAY,
    VERIFICATION,
    a_holder,
    a_pass,
    a_token,
    an_id,
    card_claims,
    code_claims,
    facts,
    signed_claims,
)

times = st.integers(NOW - 2 * DAY, NOW + 2 * DAY) | st.sampled_from([NOW - 1, NOW, NOW + 1])
ids = st.integers(1, 9).map(an_id)
gate_ids = st.sampled_from(["main-door", "back-door"])
zones = st.sampled_from([(), ("hq",), ("floor-2", "hq")])
ways = st.sampled_from([Direction.ENTRY, Direction.EXIT])

PATHS = {"hq": ("hq",), "floor-2": ("floor-2", "hq"), "yard": ("yard",)}
zone_ids = st.sampled_from(sorted(PATHS))
few = st.integers(0, 3)
waits = st.sampled_from([0, 0, 30 * SECOND])

gates = st.builds(Gate, gate_ids, st.sampled_from(Direction), zones, zones, st.sampled_from([0, 5 * SECOND]), waits)
kinds = st.sampled_from(["signed", "code", "card"])
tokens = st.builds(
    Token,
    *(ids, kinds, times, times, st.none() | gate_ids, st.booleans(), st.integers(0, 1), st.booleans()),
    st.booleans(),
)
uses = st.builds(
    Use,
    *(st.integers(1, 3), ids, times, gate_ids, ids, ways, st.booleans(), st.none() | times, st.integers(0, 4)),
    *(st.integers(1, 3), st.sampled_from([None, PASS_ID, OTHER_PASS_ID])),
)
scopes = st.builds(
    Scope,
    st.booleans(),
    st.frozensets(gate_ids, max_size=2),
    st.frozensets(st.sampled_from(["hq", "floor-2"]), max_size=2),
)
hours = st.lists(times, max_size=4, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)
zone_limits = st.lists(st.builds(ZoneLimit, zone_ids, st.none() | few, st.none() | few), max_size=2).map(tuple)
limits = st.builds(Limits, st.integers(1, 3), st.none() | few, st.sampled_from([0, 0, MINUTE]), zone_limits)
passes = st.fixed_dictionaries(
    {"idx": st.sampled_from([IDX, IDX, IDX + 1]), "scope": scopes},
    optional={
        "valid_from": times,
        "valid_until": times,
        "max_entries": few,
        "entries": few,
        "status": st.sampled_from(PassStatus),
        "hours": hours,
        "limits": limits,
        "holder": st.just(a_holder(blocked=True)),
    },
).map(lambda parts: a_pass(**parts))
budgets = st.dictionaries(
    st.sampled_from([NUMBER_BUDGET, GATE_BUDGET]),
    st.builds(Budget, st.integers(TODAY - 1, TODAY), st.integers(0, 120), times),
    max_size=2,
)
presenteds = st.sampled_from(
    [
        *(Refused("malformed"), Refused("bad_signature"), Refused("unrecognised")),
        *(signed_claims(), code_claims(), card_claims(), code_claims(otherwise="malformed")),
    ]
)
counted = st.lists(
    st.builds(
        lambda zone, *parts: Zone(zone, PATHS[zone], *parts),
        *(zone_ids, few, st.none() | few, st.sampled_from(AntiPassback), st.sampled_from([None, MINUTE])),
    ),
    max_size=3,
).map(lambda zones: {zone.id: zone for zone in zones})
insides = st.dictionaries(zone_ids, st.builds(Presence, few, times), max_size=3)
counts = st.dictionaries(
    st.builds(CountKey, st.just(PASS_ID), st.sampled_from([ANYWHERE, *PATHS])),
    st.builds(EntryCount, few, st.integers(TODAY - 1, TODAY), few, times),
    max_size=4,
)
reservations = st.builds(Reservation, ids, st.integers(1, 3), kinds, times, st.integers(1, 3), few)
anything = st.builds(
    Facts,
    now=st.just(NOW),
    today=st.just(TODAY),
    epoch=st.integers(0, 1),
    gate=gates,
    direction=ways,
    exit_side=st.booleans(),
    credential=ids,
    verification=st.just(VERIFICATION),
    presented=presenteds,
    token=st.none() | tokens,
    pass_=st.none() | passes,
    last_use=st.none() | uses,
    budgets=budgets,
    other_passes=st.just(()) | st.lists(passes, max_size=2).map(tuple),
    people=st.integers(1, 3),
    override=st.booleans(),
    site_day=st.just(TODAY),
    zones=counted,
    inside=insides,
    counts=counts,
    reservation=st.none() | reservations,
)
valid = st.builds(
    lambda gate, way, reusable, limit, window, around, inside, limits, people: facts(
        gate=gate._replace(id="main-door", repeat_window=window),
        direction=way,
        token=a_token(reusable=reusable),
        pass_=a_pass(max_entries=limit, scope=Scope(every_gate=True), limits=limits),
        zones=around,
        inside=inside,
        people=people,
    ),
    *(gates, ways, st.booleans(), st.none() | few, st.sampled_from([0, 5 * SECOND]), counted, insides, limits),
    st.integers(1, 3),
)
some_facts = anything | valid


@given(some_facts)
def test_the_same_facts_give_the_same_decision(given_facts: Facts) -> None:
    again = Facts(*given_facts)._replace(budgets=dict(given_facts.budgets), zones=dict(given_facts.zones))
    assert decide(given_facts) == decide(given_facts) == decide(again)


@given(some_facts)
def test_every_decision_has_a_reason_that_is_listed_and_is_ok_just_if_it_admits(given_facts: Facts) -> None:
    decision = decide(given_facts)
    assert decision.reason in REASONS
    assert set(decision.flags) <= {*REASONS, NOT_INSIDE}
    assert len(set(decision.flags)) == len(decision.flags)
    assert (decision.outcome is Outcome.ADMIT) == (decision.reason == "ok")


@given(some_facts)
def test_an_exit_always_admits_and_says_what_was_wrong(given_facts: Facts) -> None:
    seen = given_facts._replace(other_passes=(), override=False, gate=given_facts.gate._replace(repeat_window=0))
    exit_ = decide(seen._replace(exit_side=True))
    assert (exit_.outcome, exit_.reason, exit_.repeats, exit_.overridden) == (Outcome.ADMIT, "ok", None, None)
    entry = decide(seen._replace(exit_side=False))
    wrong = () if entry.outcome is Outcome.ADMIT else (entry.reason,)
    assert tuple(flag for flag in exit_.flags if flag != NOT_INSIDE) == wrong
    assert all(isinstance(change, SpendBudget | Move | Occupy) for change in exit_.changes)


@given(some_facts)
def test_nobody_moves_on_the_way_out_who_was_not_inside_or_shows_nothing_genuine(given_facts: Facts) -> None:
    exit_ = decide(given_facts._replace(exit_side=True))
    moves = [change for change in exit_.changes if isinstance(change, Move)]
    if exit_.pass_ is None or NOT_INSIDE in exit_.flags:
        assert all(isinstance(change, SpendBudget | Move) for change in exit_.changes)
        assert all(move.before.people == move.after.people == 0 for move in moves)
    if exit_.pass_ is None:
        assert moves == []


@given(some_facts)
def test_a_refusal_changes_nothing_but_budgets_and_what_a_first_proof_reserves(given_facts: Facts) -> None:
    decision = decide(given_facts)
    if decision.outcome is Outcome.DENY:
        may = {"unknown": SpendBudget, "needs_second_proof": Redeem | Reserve}.get(decision.reason, ())
        assert all(isinstance(change, may) for change in decision.changes)
        redeemed = [change.use for change in decision.changes if isinstance(change, Redeem)]
        assert all(use.reserved_until == NOW + 30 * SECOND for use in redeemed)
        assert (decision.repeats, decision.overridden, decision.flags) == (None, None, ())


@given(some_facts)
def test_an_admitted_entry_redeems_or_repeats_but_never_both(given_facts: Facts) -> None:
    seen = given_facts._replace(exit_side=False)
    decision = decide(seen)
    if decision.outcome is Outcome.ADMIT:
        redeemed = [change.token for change in decision.changes if isinstance(change, Redeem)]
        assert redeemed[:1] == ([seen.token.id] if seen.token and decision.repeats is None else [])
        assert redeemed[1:] in ([], [seen.reservation.token] if seen.reservation else [])
        assert len({*redeemed}) == len(redeemed)
        assert not any(isinstance(change, SpendBudget) for change in decision.changes)


@given(some_facts)
def test_going_out_is_counted_as_no_entry(given_facts: Facts) -> None:
    changes = decide(given_facts._replace(direction=Direction.EXIT)).changes
    assert not any(isinstance(change, CountEntry) for change in changes)


@given(some_facts)
def test_an_override_admits_just_what_may_be_overridden_and_says_so(given_facts: Facts) -> None:
    seen = given_facts._replace(exit_side=False, gate=given_facts.gate._replace(repeat_window=0))
    plain, override = decide(seen._replace(override=False)), decide(seen._replace(override=True))
    if override.overridden is None:
        assert override == plain
    else:
        assert (plain.outcome, override.outcome) == (Outcome.DENY, Outcome.ADMIT)
        assert override.overridden == override.flags[0] == plain.reason
        assert override.overridden not in {"throttled", "unknown", "holder_blocked", "token_blocked"}
        assert not isinstance(seen.presented, Refused)


@given(some_facts)
def test_no_two_changes_of_one_decision_say_different_things_of_the_same(given_facts: Facts) -> None:
    changes = decide(given_facts).changes
    about = {(change.subject, change.key): change for change in changes}
    assert all(about[change.subject, change.key] == change for change in changes)


@given(some_facts)
def test_pass_and_holder_are_named_only_for_a_token_that_the_store_knows(given_facts: Facts) -> None:
    decision = decide(given_facts)
    if given_facts.token is None or {"unknown", "throttled"} & {decision.reason, *decision.flags}:
        assert decision.pass_ is None


@given(some_facts, st.lists(some_facts, min_size=1, max_size=6))
def test_a_token_good_once_is_admitted_once_whatever_comes(first: Facts, attempts: list[Facts]) -> None:
    """Each attempt sees what the ones before it changed; places, times and callers are any. Nobody overrides."""
    seen = first._replace(token=a_token(), pass_=a_pass(scope=Scope(every_gate=True)), last_use=None)
    admitted = 0
    for attempt in attempts:
        seen = attempt._replace(
            token=seen.token,
            pass_=seen.pass_,
            last_use=seen.last_use,
            budgets=seen.budgets,
            exit_side=False,
            override=False,
            other_passes=(),
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
