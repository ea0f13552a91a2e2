"""`anti_passback`: the holder is already inside a zone that is entered."""

from typing import Any

import pytest

from app.core.model import MINUTE, AntiPassback, Direction, Facts, Gate, Zone
from app.core.rule import Need
from app.core.rules.anti_passback import anti_passback
from tests.core.facts import NOW, a_hard_zone, a_limited_pass, a_presence, a_zone, zone_facts

SOFT = a_hard_zone(anti_passback=AntiPassback.SOFT)
FORGIVING = a_hard_zone(forgive_after=10 * MINUTE)


def inside(zone: Zone, people: int = 1, **other: Any) -> Facts:
    """An attempt of a holder who is in the zone that the gate leads into, with so many people."""
    return zone_facts(zone, inside={"hq": a_presence(people=people)})._replace(**other)


def since(time: int, zone: Zone = FORGIVING) -> Facts:
    return inside(zone, inside={"hq": a_presence(since=time)})


def test_who_is_outside_may_come_in() -> None:
    assert not anti_passback.refuses(zone_facts(a_hard_zone()))
    assert not anti_passback.refuses(inside(a_hard_zone(), people=0))


def test_who_is_inside_may_not_come_in_again() -> None:
    assert anti_passback.refuses(inside(a_hard_zone()))


def test_a_soft_zone_flags_and_does_not_refuse() -> None:
    assert not anti_passback.refuses(inside(SOFT))
    assert anti_passback.flags(inside(SOFT))


def test_a_zone_without_it_does_neither() -> None:
    assert not anti_passback.refuses(inside(a_zone(people=1)))
    assert not anti_passback.flags(inside(a_zone(people=1)))


def test_who_is_outside_and_whom_a_hard_zone_refuses_is_not_flagged() -> None:
    assert not anti_passback.flags(zone_facts(SOFT))
    assert not anti_passback.flags(inside(a_hard_zone()))


@pytest.mark.parametrize("how", [AntiPassback.HARD, AntiPassback.SOFT])
def test_it_forgives_to_the_microsecond(how: AntiPassback) -> None:
    zone = FORGIVING._replace(anti_passback=how)
    says = anti_passback.refuses if how == AntiPassback.HARD else anti_passback.flags
    assert says(since(NOW - 10 * MINUTE + 1, zone))
    assert not says(since(NOW - 10 * MINUTE, zone))
    assert not says(since(NOW - 10 * MINUTE - 1, zone))


def test_a_zone_that_does_not_forgive_refuses_for_ever() -> None:
    assert anti_passback.refuses(since(0, a_hard_zone()))


def test_it_would_no_longer_refuse_when_it_forgives() -> None:
    assert anti_passback.not_before(since(NOW - MINUTE)) == NOW + 9 * MINUTE
    assert anti_passback.not_before(since(NOW - MINUTE, a_hard_zone())) is None


def test_of_two_zones_the_one_that_forgives_later_says_when() -> None:
    gate = Gate("lift", Direction.ENTRY, (), ("floor-2", "hq"))
    floor = Zone("floor-2", ("floor-2", "hq"), 1, None, AntiPassback.HARD, 5 * MINUTE)
    now = a_presence(since=NOW)
    seen = zone_facts(FORGIVING, floor, gate=gate, inside={"hq": now, "floor-2": now})
    assert anti_passback.not_before(seen) == NOW + 10 * MINUTE
    never = seen._replace(zones={**seen.zones, "floor-2": floor._replace(forgive_after=None)})
    assert anti_passback.not_before(never) is None


def test_a_party_may_come_in_as_far_as_it_is_outside() -> None:
    pass_ = a_limited_pass(party_size=3)
    assert not anti_passback.refuses(inside(a_hard_zone(), people=1, pass_=pass_)._replace(people=2))
    assert anti_passback.refuses(inside(a_hard_zone(), people=2, pass_=pass_)._replace(people=2))
    assert anti_passback.room(inside(a_hard_zone(), people=1, pass_=pass_)) == 2


def test_it_has_no_word_on_room_where_no_zone_denies() -> None:
    assert anti_passback.room(inside(SOFT)) is None
    assert anti_passback.room(since(NOW - 10 * MINUTE)) is None


def test_moving_within_a_zone_is_not_entering_it() -> None:
    lift = Gate("lift", Direction.ENTRY, ("hq",), ("floor-2", "hq"))
    assert not anti_passback.refuses(inside(a_hard_zone(), gate=lift))


def test_a_zone_around_the_one_behind_the_gate_is_entered_too() -> None:
    lift = Gate("garage-lift", Direction.ENTRY, (), ("floor-2", "hq"))
    assert anti_passback.refuses(inside(a_hard_zone(), gate=lift))


def test_a_zone_behind_another_gate_is_not_concerned() -> None:
    assert not anti_passback.refuses(inside(a_hard_zone(), gate=Gate("yard-door", Direction.ENTRY, (), ("yard",))))


def test_nobody_is_kept_inside_by_it() -> None:
    out_into_it = Gate("main-door", Direction.BOTH, ("hq",), ("yard",))
    assert not anti_passback.refuses(inside(a_hard_zone(), gate=out_into_it, direction=Direction.EXIT))
    assert not anti_passback.flags(inside(SOFT, gate=out_into_it, direction=Direction.EXIT))


def test_it_needs_the_zones_and_is_asked_neither_offline_nor_within_a_repeat_window() -> None:
    assert (anti_passback.code, anti_passback.offline, anti_passback.ends_repeat) == ("anti_passback", False, False)
    assert Need.ZONES in anti_passback.needs
