"""`zone_full`: a zone that is entered has as many people in it as it may have."""

from typing import Any

from app.core.model import Direction, Facts, Gate, Zone
from app.core.rule import Need
from app.core.rules.zone_full import zone_full
from tests.core.facts import a_limited_pass, a_presence, a_zone, zone_facts


def room_for_ten(are_in: int, **other: Any) -> Facts:
    """An attempt to enter a zone for ten, with so many in it."""
    return zone_facts(a_zone(people=are_in, capacity=10))._replace(**other)


def test_the_last_place_may_be_taken_and_no_other() -> None:
    assert not zone_full.refuses(room_for_ten(9))
    assert zone_full.refuses(room_for_ten(10))
    assert zone_full.refuses(room_for_ten(11))


def test_a_zone_for_nobody_admits_nobody() -> None:
    assert zone_full.refuses(zone_facts(a_zone(capacity=0)))


def test_a_zone_without_a_capacity_is_never_full() -> None:
    assert not zone_full.refuses(zone_facts(a_zone(people=1_000_000)))


def test_a_party_is_refused_where_there_are_not_places_for_all_of_it() -> None:
    party = a_limited_pass(party_size=3)
    assert not zone_full.refuses(room_for_ten(7, pass_=party, people=3))
    assert zone_full.refuses(room_for_ten(8, pass_=party, people=3))


def test_who_is_counted_inside_takes_no_second_place() -> None:
    assert not zone_full.refuses(room_for_ten(10, inside={"hq": a_presence()}))
    party = a_limited_pass(party_size=3)
    assert not zone_full.refuses(room_for_ten(9, pass_=party, people=3, inside={"hq": a_presence(people=2)}))
    assert zone_full.refuses(room_for_ten(10, pass_=party, people=3, inside={"hq": a_presence(people=2)}))


def test_it_has_room_for_as_many_as_there_are_places() -> None:
    assert zone_full.room(room_for_ten(8)) == 2
    assert zone_full.room(room_for_ten(11)) == -1
    assert zone_full.room(zone_facts(a_zone(people=8))) is None
    assert zone_full.room(room_for_ten(10, inside={"hq": a_presence()})) is None


def test_a_full_zone_around_the_one_behind_the_gate_is_full_too() -> None:
    floor = Zone("floor-2", ("floor-2", "hq"), 0, 100)
    seen = zone_facts(a_zone(people=10, capacity=10), floor, gate=Gate("lift", Direction.ENTRY, (), floor.path))
    assert zone_full.refuses(seen)
    assert not zone_full.refuses(seen._replace(gate=Gate("lift", Direction.ENTRY, ("hq",), floor.path)))


def test_going_out_into_a_full_zone_is_not_refused() -> None:
    gate = Gate("main-door", Direction.BOTH, ("hq",), ("yard",))
    assert not zone_full.refuses(room_for_ten(10, gate=gate, direction=Direction.EXIT))
    assert zone_full.room(room_for_ten(10, gate=gate, direction=Direction.EXIT)) is None


def test_it_needs_the_zones_and_is_asked_neither_offline_nor_within_a_repeat_window() -> None:
    assert (zone_full.code, zone_full.offline, zone_full.ends_repeat) == ("zone_full", False, False)
    assert Need.ZONES in zone_full.needs
