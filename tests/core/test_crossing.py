"""Going through a gate: which zones somebody comes into, which they leave, and how many are counted where."""

from typing import Any

import pytest

from app.core.changes import Change, Move, Occupy
from app.core.crossing import counted_and_entered, counted_and_left, entered, people_after_entry
from app.core.decision import NOT_INSIDE, Outcome, apply, decide
from app.core.model import Direction, Facts, Gate, Presence, Refused, Scope, Zone
from tests.core.facts import (
    HOLDER_ID,
    NOW,
    a_hard_zone,
    a_limited_pass,
    a_pass,
    a_presence,
    a_token,
    an_id,
    facts,
    zone_facts,
)

SITE, BUILDING, YARD = ("site",), ("building", "site"), ("yard", "site")
FLOOR, LAB = ("floor", *BUILDING), ("lab", *BUILDING)
ZONES = [Zone(path[0], path, 5) for path in (SITE, BUILDING, YARD, FLOOR, LAB)]
FRONT_GATE = Gate("front-gate", Direction.BOTH, (), SITE)
DOOR = Gate("door", Direction.BOTH, SITE, BUILDING)
YARD_DOOR = Gate("yard-door", Direction.BOTH, YARD, BUILDING)
STAIRS = Gate("stairs", Direction.BOTH, LAB, FLOOR)
GARAGE_LIFT = Gate("garage-lift", Direction.BOTH, (), FLOOR)
WAY_OUT = Gate("way-out", Direction.EXIT, FLOOR, YARD)

BEFORE = a_presence()


def going(gate: Gate, direction: Direction = Direction.ENTRY, *inside: str, **other: Any) -> Facts:
    """An attempt of a holder who is in some of the zones with one person."""
    return zone_facts(
        *ZONES,
        gate=gate,
        direction=direction,
        exit_side=gate.direction == Direction.EXIT,
        pass_=a_pass(scope=Scope(every_gate=True)),
        inside=dict.fromkeys(inside, BEFORE),
    )._replace(**other)


def moves(changes: tuple[Change, ...]) -> dict[str, tuple[int, int]]:
    """By zone, how many of the party are in it after, and how many people in all."""
    people = {change.zone: change.people for change in changes if isinstance(change, Occupy)}
    return {c.zone: (c.after.people, people.get(c.zone, 5)) for c in changes if isinstance(c, Move)}


@pytest.mark.parametrize(
    ("gate", "direction", "into"),
    [
        (FRONT_GATE, Direction.ENTRY, ("site",)),
        (FRONT_GATE, Direction.EXIT, ()),
        (DOOR, Direction.ENTRY, ("building",)),
        (DOOR, Direction.EXIT, ()),
        (YARD_DOOR, Direction.ENTRY, ("building",)),
        (YARD_DOOR, Direction.EXIT, ("yard",)),
        (STAIRS, Direction.ENTRY, ("floor",)),
        (STAIRS, Direction.EXIT, ("lab",)),
        (GARAGE_LIFT, Direction.ENTRY, ("floor", "building", "site")),
        (GARAGE_LIFT, Direction.EXIT, ()),
        (WAY_OUT, Direction.EXIT, ("yard",)),
        (Gate("turn", Direction.ENTRY, BUILDING, BUILDING), Direction.ENTRY, ()),
    ],
)
def test_somebody_comes_into_the_zones_in_which_they_were_not_before(
    gate: Gate, direction: Direction, into: tuple[str, ...]
) -> None:
    seen = going(gate, direction)
    assert entered(seen) == into
    assert tuple(zone.id for zone in counted_and_entered(seen)) == into


@pytest.mark.parametrize(
    ("gate", "direction", "left"),
    [
        (FRONT_GATE, Direction.ENTRY, set()),
        (FRONT_GATE, Direction.EXIT, {"site", "building", "yard", "floor", "lab"}),
        (DOOR, Direction.ENTRY, set()),
        (DOOR, Direction.EXIT, {"building", "floor", "lab"}),
        (YARD_DOOR, Direction.ENTRY, {"yard"}),
        (YARD_DOOR, Direction.EXIT, {"building", "floor", "lab"}),
        (STAIRS, Direction.ENTRY, {"lab"}),
        (STAIRS, Direction.EXIT, {"floor"}),
        (GARAGE_LIFT, Direction.EXIT, {"site", "building", "yard", "floor", "lab"}),
        (WAY_OUT, Direction.EXIT, {"building", "floor", "lab"}),
    ],
)
def test_who_leaves_a_zone_leaves_every_zone_in_it(gate: Gate, direction: Direction, left: set[str]) -> None:
    assert {zone.id for zone in counted_and_left(going(gate, direction))} == left


def test_zones_whose_people_are_not_counted_are_entered_and_not_counted() -> None:
    seen = going(GARAGE_LIFT, zones={"site": ZONES[0]})
    assert entered(seen) == ("floor", "building", "site")
    assert [zone.id for zone in counted_and_entered(seen)] == ["site"]
    assert [zone.id for zone in counted_and_left(seen._replace(direction=Direction.EXIT))] == ["site"]


def test_an_entry_moves_the_holder_and_counts_them() -> None:
    decision = decide(zone_facts(ZONES[0], gate=FRONT_GATE, pass_=a_pass(scope=Scope(every_gate=True))))
    assert decision.changes[1:] == (
        Move(HOLDER_ID, "site", Presence(0, 0), Presence(1, NOW)),
        Occupy("site", 6),
    )


def test_from_one_zone_into_another_within_the_same_both_counts_change_and_the_outer_does_not() -> None:
    decision = decide(going(STAIRS, Direction.ENTRY, "site", "building", "lab"))
    assert moves(decision.changes) == {"lab": (0, 4), "floor": (1, 6)}


def test_out_of_a_building_all_zones_in_it_are_left() -> None:
    decision = decide(going(YARD_DOOR, Direction.EXIT, "site", "building", "lab"))
    assert moves(decision.changes) == {"building": (0, 4), "lab": (0, 4), "yard": (1, 6)}


def test_leaving_keeps_since_when_somebody_was_inside_and_entering_sets_it() -> None:
    decision = decide(going(WAY_OUT, Direction.EXIT, "site", "building"))
    assert decision.changes == (
        Move(HOLDER_ID, "building", BEFORE, Presence(0, BEFORE.since)),
        Occupy("building", 4),
        Move(HOLDER_ID, "yard", Presence(0, 0), Presence(1, NOW)),
        Occupy("yard", 6),
    )


def test_who_enters_again_is_counted_once_and_inside_since_now() -> None:
    decision = decide(going(FRONT_GATE, Direction.ENTRY, "site"))
    assert decision.changes[1:] == (Move(HOLDER_ID, "site", BEFORE, Presence(1, NOW)),)


def test_nobody_leaves_twice() -> None:
    first = going(WAY_OUT, Direction.EXIT, "site", "building")
    second = decide(apply(first, decide(first).changes))
    assert (second.outcome, second.flags) == (Outcome.ADMIT, (NOT_INSIDE,))
    assert all(isinstance(change, Move) and change.before == change.after for change in second.changes)


def test_who_was_not_inside_goes_out_with_a_flag_and_is_noted_to_have_left() -> None:
    """How they came in may become known later."""
    decision = decide(going(WAY_OUT, Direction.EXIT, "site"))
    assert (decision.outcome, decision.flags) == (Outcome.ADMIT, (NOT_INSIDE,))
    assert decision.changes
    assert {(type(change), change.after) for change in decision.changes} == {(Move, Presence(0, 0))}


def test_what_was_wrong_and_not_inside_are_both_flagged() -> None:
    decision = decide(going(WAY_OUT, Direction.EXIT, token=a_token(revoked=True)))
    assert decision.flags == ("token_revoked", NOT_INSIDE)


def test_a_refused_token_that_is_genuine_still_takes_its_holder_out() -> None:
    decision = decide(going(WAY_OUT, Direction.EXIT, "building", token=a_token(revoked=True)))
    assert decision.flags == ("token_revoked",)
    assert moves(decision.changes) == {"building": (0, 4), "yard": (1, 6)}


@pytest.mark.parametrize(
    "nothing_genuine",
    [{"token": None, "pass_": None}, {"presented": Refused("bad_signature")}, {"pass_": a_pass(idx=1)}],
    ids=["unknown", "bad signature", "another pass"],
)
def test_what_is_not_genuine_takes_nobody_out(nothing_genuine: dict[str, Any]) -> None:
    seen = going(WAY_OUT, Direction.EXIT, "building")._replace(**nothing_genuine)
    if isinstance(seen.presented, Refused):
        seen = seen._replace(token=None, pass_=None)
    decision = decide(seen)
    assert (decision.outcome, decision.changes, len(decision.flags)) == (Outcome.ADMIT, (), 1)


def test_where_nobody_is_counted_nobody_is_missed() -> None:
    assert decide(going(WAY_OUT, Direction.EXIT, zones={})).flags == ()
    assert decide(going(Gate("gap", Direction.EXIT, (), SITE), Direction.EXIT)).flags == ()


def test_not_inside_is_flagged_at_a_gate_for_both_too() -> None:
    assert decide(going(DOOR, Direction.EXIT)).flags == (NOT_INSIDE,)
    assert decide(going(DOOR, Direction.EXIT, "floor")).flags == ()


def test_no_count_falls_below_nothing() -> None:
    nobody = {zone.id: zone._replace(people=0) for zone in ZONES}
    decision = decide(going(WAY_OUT, Direction.EXIT, "building", zones=nobody))
    assert [change.people for change in decision.changes if isinstance(change, Occupy)] == [0, 1]


@pytest.mark.parametrize(
    ("before", "people", "after"), [(0, 1, 1), (0, 3, 3), (1, 1, 2), (2, 2, 3), (3, 1, 3), (3, 3, 3), (4, 1, 4)]
)
def test_a_party_is_never_counted_more_often_than_it_is(before: int, people: int, after: int) -> None:
    seen = zone_facts(pass_=a_limited_pass(party_size=3), people=people, inside={"hq": a_presence(people=before)})
    assert people_after_entry(seen, seen.zones["hq"]) == after


def test_more_than_the_party_who_are_let_in_by_hand_are_all_counted() -> None:
    decision = decide(zone_facts(people=4, override=True))
    assert decision.overridden == "too_many_people"
    assert [change.people for change in decision.changes if isinstance(change, Occupy)] == [4]


def test_no_more_than_the_party_come_into_the_zone_outside_whatever_the_gate_says() -> None:
    decision = decide(going(WAY_OUT, Direction.EXIT, "building", people=4))
    assert moves(decision.changes) == {"building": (0, 4), "yard": (1, 6)}


def test_part_of_a_party_leaves_and_the_rest_stays() -> None:
    seen = going(DOOR, Direction.EXIT, pass_=a_limited_pass(party_size=3)._replace(scope=Scope(every_gate=True)))
    decision = decide(seen._replace(inside={"building": a_presence(people=3), "floor": a_presence(people=1)}, people=2))
    assert moves(decision.changes) == {"building": (1, 3), "floor": (0, 4)}


def test_a_change_of_a_zone_that_an_attempt_is_not_about_is_nothing_to_it() -> None:
    assert apply(facts(), [Occupy("elsewhere", 3)]) == facts()


def test_moves_of_the_holder_are_seen_by_the_next_attempt() -> None:
    seen = zone_facts(a_hard_zone(people=0))
    after = apply(seen, decide(seen).changes)
    assert (after.zones["hq"].people, after.inside) == (1, {"hq": Presence(1, NOW)})
    assert decide(after._replace(token=a_token(id=an_id(70)), last_use=None)).reason == "anti_passback"
