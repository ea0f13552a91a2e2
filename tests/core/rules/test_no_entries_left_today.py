"""`no_entries_left_today`: the pass has been used as often as it may be on one day."""

from typing import Any

from app.core.model import ANYWHERE, CountKey, Direction, EntryCount, Facts
from app.core.rule import Need
from app.core.rules.no_entries_left_today import no_entries_left_today
from tests.core.facts import NOW, OTHER_PASS_ID, PASS_ID, TODAY, a_limited_pass, a_pass, facts

IN_ALL = CountKey(PASS_ID, ANYWHERE)


def counted(on_day: int, *, day: int = TODAY, key: CountKey = IN_ALL, **other: Any) -> Facts:
    """An attempt on a pass for two entries a day, after some."""
    count = EntryCount(70, day, on_day, NOW - 1)
    return facts(site_day=TODAY, pass_=a_limited_pass(per_day=2), counts={key: count})._replace(**other)


def test_the_last_entry_of_the_day_may_be_made_and_the_next_not() -> None:
    assert not no_entries_left_today.refuses(counted(1))
    assert no_entries_left_today.refuses(counted(2))
    assert no_entries_left_today.refuses(counted(3))


def test_a_pass_that_was_never_used_has_all_its_entries() -> None:
    assert not no_entries_left_today.refuses(counted(0, people=2)._replace(counts={}))
    assert no_entries_left_today.refuses(counted(0, people=3)._replace(counts={}))


def test_a_party_is_refused_where_there_are_not_entries_for_all_of_it() -> None:
    assert not no_entries_left_today.refuses(counted(0, people=2))
    assert no_entries_left_today.refuses(counted(1, people=2))


def test_the_next_day_at_the_site_begins_at_nothing() -> None:
    assert not no_entries_left_today.refuses(counted(2, day=TODAY - 1))


def test_the_day_is_the_sites_and_not_the_tenants() -> None:
    assert not no_entries_left_today.refuses(counted(2, site_day=TODAY + 1, today=TODAY))
    assert no_entries_left_today.refuses(counted(2, site_day=TODAY, today=TODAY + 1))


def test_neither_another_pass_nor_one_zone_is_counted() -> None:
    assert not no_entries_left_today.refuses(counted(2, key=CountKey(OTHER_PASS_ID, ANYWHERE)))
    assert not no_entries_left_today.refuses(counted(2, key=CountKey(PASS_ID, "hq")))


def test_a_pass_without_a_daily_limit_always_has_one_left() -> None:
    assert not no_entries_left_today.refuses(counted(1_000_000, pass_=a_pass()))


def test_it_has_room_for_the_entries_that_are_left_today() -> None:
    assert no_entries_left_today.room(counted(1)) == 1
    assert no_entries_left_today.room(counted(2, day=TODAY - 1)) == 2
    assert no_entries_left_today.room(counted(1, pass_=a_pass())) is None


def test_going_out_is_no_entry() -> None:
    assert not no_entries_left_today.refuses(counted(2, direction=Direction.EXIT))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not no_entries_left_today.refuses(counted(2, pass_=None))


def test_it_needs_the_counts_and_is_asked_neither_offline_nor_within_a_repeat_window() -> None:
    rule = no_entries_left_today
    assert (rule.code, rule.offline, rule.ends_repeat) == ("no_entries_left_today", False, False)
    assert Need.COUNTS in rule.needs
