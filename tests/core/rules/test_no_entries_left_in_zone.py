"""`no_entries_left_in_zone`: the pass limits its entries into a zone behind the gate."""

from typing import Any

import pytest

from app.core.model import CountKey, Direction, EntryCount, Facts, Gate, ZoneLimit
from app.core.rule import Need
from app.core.rules.no_entries_left_in_zone import no_entries_left_in_zone
from tests.core.facts import NOW, PASS_ID, TODAY, a_limited_pass, a_pass, facts

TEN_IN_ALL = ZoneLimit("pool", total=10)
ONE_A_DAY = ZoneLimit("pool", per_day=1)
INTO_POOL = Gate("pool-door", Direction.BOTH, ("hq",), ("pool", "hq"))


def entering(limit: ZoneLimit, count: EntryCount, **other: Any) -> Facts:
    """An attempt to enter the pool from the building around it."""
    seen = facts(gate=INTO_POOL, site_day=TODAY, pass_=a_limited_pass(zones=(limit,)))
    return seen._replace(counts={CountKey(PASS_ID, limit.zone): count}, **other)


def a_count(total: int = 0, on_day: int = 0, day: int = TODAY) -> EntryCount:
    return EntryCount(total, day, on_day, NOW - 1)


def test_the_last_entry_in_all_may_be_made_and_the_next_not() -> None:
    assert not no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(9)))
    assert no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(10)))


def test_the_last_entry_of_the_day_may_be_made_and_the_next_not() -> None:
    assert not no_entries_left_in_zone.refuses(entering(ONE_A_DAY, a_count(5, 0)))
    assert no_entries_left_in_zone.refuses(entering(ONE_A_DAY, a_count(5, 1)))


def test_the_next_day_begins_at_nothing_but_for_what_counts_in_all() -> None:
    assert not no_entries_left_in_zone.refuses(entering(ONE_A_DAY, a_count(5, 1, TODAY - 1)))
    assert no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(10, 1, TODAY - 1)))


def test_of_two_limits_the_smaller_counts() -> None:
    both = ZoneLimit("pool", total=10, per_day=1)
    assert no_entries_left_in_zone.refuses(entering(both, a_count(9, 1)))
    assert no_entries_left_in_zone.refuses(entering(both, a_count(10, 0)))
    assert not no_entries_left_in_zone.refuses(entering(both, a_count(9, 0)))


def test_a_party_is_refused_where_there_are_not_entries_for_all_of_it() -> None:
    assert not no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(8), people=2))
    assert no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(9), people=2))


def test_another_zone_is_not_concerned() -> None:
    assert not no_entries_left_in_zone.refuses(entering(ZoneLimit("canteen", total=0), a_count()))


def test_moving_within_a_zone_is_no_entry_into_it() -> None:
    assert not no_entries_left_in_zone.refuses(entering(ZoneLimit("hq", total=0), a_count()))


def test_a_zone_around_the_one_behind_the_gate_is_entered_too() -> None:
    from_the_street = INTO_POOL._replace(from_zones=())
    assert no_entries_left_in_zone.refuses(entering(ZoneLimit("hq", total=0), a_count(), gate=from_the_street))


def test_a_zone_is_limited_though_its_people_are_not_counted() -> None:
    assert entering(TEN_IN_ALL, a_count(10)).zones == {}
    assert no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(10)))


@pytest.mark.parametrize(("limit", "left"), [(TEN_IN_ALL, 3), (ONE_A_DAY, 0), (ZoneLimit("canteen", 0), None)])
def test_it_has_room_for_the_entries_that_are_left(limit: ZoneLimit, left: int | None) -> None:
    assert no_entries_left_in_zone.room(entering(limit, a_count(7, 1))) == left


def test_going_out_is_no_entry() -> None:
    into_street = INTO_POOL._replace(from_zones=("pool", "hq"), into_zones=("hq",))
    assert not no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(10), direction=Direction.EXIT))
    out_into_pool = entering(TEN_IN_ALL, a_count(10), gate=into_street, direction=Direction.EXIT)
    assert not no_entries_left_in_zone.refuses(out_into_pool)


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(10), pass_=None))
    assert not no_entries_left_in_zone.refuses(entering(TEN_IN_ALL, a_count(10), pass_=a_pass()))


def test_it_needs_the_counts_and_is_asked_neither_offline_nor_within_a_repeat_window() -> None:
    rule = no_entries_left_in_zone
    assert (rule.code, rule.offline, rule.ends_repeat) == ("no_entries_left_in_zone", False, False)
    assert Need.COUNTS in rule.needs
