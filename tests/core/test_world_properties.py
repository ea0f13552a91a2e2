"""What holds of every sequence of entries, exits and undos, however they come: in a small world, one after another."""

from collections import Counter
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.changes import Move, Occupy, Redeem
from app.core.decision import Outcome
from app.core.model import (
    DAY,
    MINUTE,
    SECOND,
    AntiPassback,
    Direction,
    Gate,
    Holder,
    Limits,
    Pass,
    Scope,
    Token,
    Zone,
    ZoneLimit,
)
from tests.core.facts import NOW, an_id
from tests.core.world import Attempt, Done, World, verification

SITE, BUILDING, YARD = ("site",), ("building", "site"), ("yard", "site")
FLOOR, LAB = ("floor", *BUILDING), ("lab", *BUILDING)
PATHS = (SITE, BUILDING, YARD, FLOOR, LAB)
WAIT = 30 * SECOND

GATES = (
    Gate("front", Direction.ENTRY, (), SITE),
    Gate("front-out", Direction.EXIT, SITE, ()),
    Gate("door", Direction.BOTH, SITE, BUILDING, 5 * SECOND),
    Gate("yard-gate", Direction.BOTH, SITE, YARD),
    Gate("yard-door", Direction.BOTH, YARD, BUILDING),
    Gate("stairs", Direction.BOTH, BUILDING, FLOOR),
    Gate("lab-door", Direction.BOTH, FLOOR, LAB, 0, WAIT),
    Gate("garage", Direction.BOTH, (), FLOOR, 0, WAIT),
    Gate("fire-exit", Direction.EXIT, LAB, YARD),
    Gate("bridge", Direction.BOTH, (), ()),
)
HOLDERS = tuple(Holder(an_id(100 + n), f"emp-{n}", 1000 + n) for n in range(3))

few = st.integers(0, 3)
maybe_few = st.sampled_from([None, None, 1, 2, 3, 4])
capacities = st.none() | st.integers(1, 4)
limits = st.builds(
    Limits,
    st.integers(1, 3),
    maybe_few,
    st.sampled_from([0, 0, 10 * SECOND]),
    st.lists(
        st.builds(ZoneLimit, st.sampled_from(["site", "building", "lab"]), maybe_few, maybe_few),
        max_size=2,
        unique_by=lambda limit: limit.zone,
    ).map(tuple),
)
worlds_zones = st.tuples(
    *(
        st.sampled_from([None, Zone(p[0], p, 0, None, AntiPassback.HARD)])
        | st.builds(
            Zone,
            st.just(p[0]),
            st.just(p),
            st.just(0),
            capacities,
            st.sampled_from(AntiPassback),
            st.sampled_from([None, MINUTE]),
        )
        for p in PATHS
    )
).map(lambda zones: [zone for zone in zones if zone is not None])


class Step(NamedTuple):
    """A moment later somebody shows a token, or an admission is taken back."""

    later: int
    token: int
    gate: Gate
    people: int
    direction: Direction
    exit_bound: bool
    undo: int | None = None


steps = st.builds(
    Step,
    st.sampled_from([1, 1, SECOND, 20 * SECOND, 10 * MINUTE, DAY]),
    st.integers(0, 11),
    st.sampled_from(GATES),
    st.sampled_from([1, 1, 2, 3]),
    st.sampled_from([Direction.ENTRY, Direction.ENTRY, Direction.EXIT]),
    st.sampled_from([False, False, True]),
)


def shown_twice(step: Step) -> list[Step]:
    """With a second proof: the same holder's code a second after what they carry."""
    second = Step(SECOND, step.token % 3 + 3, step.gate, step.people, step.direction, exit_bound=False)
    return [step, second]


def there_and_back(step: Step) -> list[Step]:
    """In, and out again, with whatever is carried."""
    back = Step(SECOND, step.token % 3 + 9, step.gate, step.people, Direction.EXIT, exit_bound=True)
    return [step, back]


def again(step: Step) -> list[Step]:
    """In, and in again with what cannot be used up."""
    return [step, Step(SECOND, step.token % 3 + 9, step.gate, step.people, step.direction, exit_bound=False)]


several = st.lists(
    st.one_of(
        steps.map(lambda step: [step]),
        steps.map(lambda step: again(step._replace(gate=GATES[step.token % 3]))),
        steps.map(lambda step: shown_twice(step._replace(gate=GATES[6 + step.token % 2]))),
        steps.map(there_and_back),
    ),
    min_size=2,
    max_size=10,
).map(lambda groups: [step for group in groups for step in group])
several_and_undos = st.lists(
    several | steps.flatmap(lambda step: few.map(lambda which: [step._replace(undo=which)])), min_size=1, max_size=3
).map(lambda groups: [step for group in groups for step in group])


@st.composite
def worlds(draw: st.DrawFn, *, unlimited: bool = False) -> World:
    """Three holders, each with two passes, a signed token that may be reusable, two codes, and a card for both passes."""
    tokens = {}
    unlimited = unlimited or draw(st.booleans())
    for n, holder in enumerate(HOLDERS):
        party = draw(st.sampled_from([1, 1, 2, 3]))
        passes = [
            Pass(
                an_id(200 + 2 * n + k), 2 * n + k, holder, Scope(every_gate=k == 0, zones=frozenset({"yard"}))
            )._replace(
                max_entries=None if unlimited else draw(maybe_few),
                limits=Limits(party) if unlimited else draw(limits)._replace(party_size=party),
            )
            for k in range(2)
        ]
        signed = Token(an_id(300 + n), "signed", NOW, NOW + 99 * DAY, None, draw(st.booleans()))
        codes = [Token(an_id(310 + 10 * k + n), "code", NOW, NOW + 99 * DAY) for k in range(2)]
        card = Token(an_id(330 + n), "card", NOW, NOW + 99 * DAY, None, reusable=True)
        tokens |= {token.id: (token, (passes[0],)) for token in (signed, *codes)} | {card.id: (card, tuple(passes))}
    return World(tokens, draw(worlds_zones))


def attempts_of(world: World, steps: list[Step]) -> list[Attempt]:
    ids, now, attempts = sorted(world.tokens), NOW, []
    for number, step in enumerate(steps):
        now += step.later
        attempts.append(
            Attempt(now, verification(number), step.gate, ids[step.token], step.people, step.direction, step.exit_bound)
        )
    return attempts


def live(world: World, steps: list[Step]) -> None:
    """Go through the steps, those that take something back included, and look at the world after each."""
    for attempt, step in zip(attempts_of(world, steps), steps, strict=True):
        undoable = world.can_be_undone()
        if step.undo is None:
            world.settle(attempt)
        elif undoable:
            world.undo(undoable[-1 - step.undo % len(undoable)], attempt.now)
        assert_counts_agree(world)


def assert_counts_agree(world: World) -> None:
    inside: Counter[str] = Counter()
    for (_, zone), presence in world.presences.items():
        assert presence.people >= 0
        inside[zone] += presence.people
    assert {zone.id: zone.people for zone in world.zones.values()} == {id_: inside[id_] for id_ in world.zones}
    assert all(pass_.entries >= 0 for pass_ in world.passes.values())
    assert all(count.total >= 0 and count.on_day >= 0 for count in world.counts.values())


@settings(max_examples=200)
@given(worlds(), several_and_undos)
def test_the_people_in_a_zone_are_those_who_are_inside_and_never_fewer_than_none(
    world: World, steps: list[Step]
) -> None:
    live(world, steps)


@settings(max_examples=200)
@given(worlds(unlimited=True), several)
def test_nobody_is_counted_more_often_than_their_party(world: World, steps: list[Step]) -> None:
    for attempt in attempts_of(world, steps):
        world.settle(attempt)
    party = {pass_.holder.id: pass_.limits.party_size for pass_ in world.passes.values()}
    assert all(presence.people <= party[holder] for (holder, _), presence in world.presences.items())


@settings(max_examples=200)
@given(worlds(), several)
def test_a_batch_is_decided_as_if_one_by_one(world: World, steps: list[Step]) -> None:
    together = world.copied()
    attempts = attempts_of(world, steps)
    one_by_one = [world.settle(attempt) for attempt in attempts]
    decisions = together.settle_batch(attempts)
    assert decisions == one_by_one
    assert together.stands() == world.stands()
    assert together.reservations == world.reservations
    assert together.uses == world.uses


@settings(max_examples=200)
@given(worlds(), several, st.data())
def test_in_whatever_order_the_same_attempts_come_no_limit_is_exceeded(
    world: World, steps: list[Step], data: st.DataObject
) -> None:
    mixed = [
        attempt._replace(now=now.now)
        for attempt, now in zip(
            data.draw(st.permutations(attempts_of(world, steps))), attempts_of(world, steps), strict=True
        )
    ]
    world.settle_batch(mixed)
    entries = [each for each in world.done if is_entry(each)]
    assert_no_token_lets_in_more_than_its_party(world, entries)
    assert_no_pass_is_used_more_often_than_it_may_be(world, entries)
    for entry in entries:
        assert_no_zone_is_overfilled(entry)
        assert_nobody_passes_back(entry)
        assert_two_proofs_were_shown(entry, world)


def is_entry(done: Done) -> bool:
    admitted = done.decision.outcome is Outcome.ADMIT and done.decision.repeats is None
    return admitted and done.facts.direction != Direction.EXIT


def pass_of(entry: Done) -> Pass:
    assert entry.decision.pass_ is not None
    return entry.decision.pass_


def assert_no_token_lets_in_more_than_its_party(world: World, entries: list[Done]) -> None:
    let_in: Counter[bytes] = Counter()
    for entry in entries:
        for token in (world.tokens[change.token] for change in entry.decision.changes if isinstance(change, Redeem)):
            let_in[token.id] = entry.attempt.people + (0 if token.reusable else let_in[token.id])
            assert let_in[token.id] <= pass_of(entry).limits.party_size


def assert_no_pass_is_used_more_often_than_it_may_be(world: World, entries: list[Done]) -> None:
    entered: Counter[tuple[object, ...]] = Counter()
    for entry in entries:
        pass_, people = pass_of(entry), entry.attempt.people
        before, after = entry.facts.gate.sides(entry.facts.direction)
        day = entry.attempt.now // DAY
        entered[pass_.id,] += people
        entered[pass_.id, day] += people
        for zone in set(after) - set(before):
            entered[pass_.id, zone] += people
            entered[pass_.id, zone, day] += people
        for limit, *key in (
            (pass_.max_entries,),
            (pass_.limits.per_day, day),
            *((each.total, each.zone) for each in pass_.limits.zones),
            *((each.per_day, each.zone, day) for each in pass_.limits.zones),
        ):
            assert limit is None or entered[pass_.id, *key] <= limit
    for pass_ in world.passes.values():
        assert pass_.max_entries is None or pass_.entries == entered[pass_.id,]
        last = None
        for entry in (each for each in entries if pass_of(each).id == pass_.id):
            token = world.tokens[entry.attempt.token]
            follows = not token.reusable and entry.facts.last_use is not None and entry.facts.last_use.let_in > 0
            assert last is None or follows or entry.attempt.now - last >= pass_.limits.min_interval
            last = entry.attempt.now


def assert_no_zone_is_overfilled(entry: Done) -> None:
    zones = entry.facts.zones
    for change in entry.decision.changes:
        if isinstance(change, Occupy) and change.people > zones[change.zone].people:
            capacity = zones[change.zone].capacity
            assert capacity is None or change.people <= capacity


def assert_nobody_passes_back(entry: Done) -> None:
    """Nobody comes into a zone with hard anti-passback who is in it and not forgiven; in a soft one they are flagged."""
    flagged = False
    for change in entry.decision.changes:
        if isinstance(change, Move) and change.after.since == entry.attempt.now:
            zone = entry.facts.zones[change.zone]
            forgiven = zone.forgive_after is not None and entry.attempt.now >= change.before.since + zone.forgive_after
            too_many = change.before.people + entry.attempt.people > pass_of(entry).limits.party_size
            if too_many and not forgiven:
                assert zone.anti_passback != AntiPassback.HARD
                flagged = flagged or zone.anti_passback == AntiPassback.SOFT
    assert ("anti_passback" in entry.decision.flags) == flagged


def assert_two_proofs_were_shown(entry: Done, world: World) -> None:
    redeemed = [change for change in entry.decision.changes if isinstance(change, Redeem)]
    firsts = [change for change in redeemed if change.token != entry.attempt.token]
    assert len(redeemed) == 1 + len(firsts)
    assert len(firsts) == (entry.attempt.gate.second_proof > 0)
    for change in firsts:
        kinds = {world.tokens[change.token].kind == "code", world.tokens[entry.attempt.token].kind == "code"}
        assert kinds == {True, False}
        first = world.passes[world.passes_of[change.token][0]].holder
        assert first == pass_of(entry).holder
        assert entry.facts.reservation is not None
        assert 0 <= entry.facts.reservation.until - entry.attempt.now <= WAIT


@settings(max_examples=200)
@given(worlds(), several, steps)
def test_the_last_admission_is_taken_back_as_if_it_had_never_been_and_its_token_is_good_again(
    world: World, steps: list[Step], last: Step
) -> None:
    *before, attempt = attempts_of(world, [*steps, last])
    for each in before:
        world.settle(each)
    stood = world.copied()
    decision = world.settle(attempt)
    if decision.outcome is Outcome.ADMIT and decision.repeats is None:
        world.undo(attempt.verification, attempt.now + SECOND)
        assert world.stands() == stood.stands()
        assert {key: use for key, use in world.uses.items() if not use.voided} == {
            key: use for key, use in stood.uses.items() if not use.voided
        }
        assert world.let_in(attempt.token) == stood.let_in(attempt.token)
        again = world.settle(attempt._replace(verification=verification(10_000)))
        if attempt.gate.second_proof == 0 or attempt.exit_bound:
            assert (again.outcome, again.reason, again.flags) == (decision.outcome, decision.reason, decision.flags)
            assert again.people_left == decision.people_left
