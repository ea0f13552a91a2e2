"""`no_entries_left`: the pass has been used as often as it may be."""

from app.core.model import Direction
from app.core.rules.no_entries_left import no_entries_left
from tests.core.facts import a_pass, facts


def test_the_last_entry_may_be_made() -> None:
    assert not no_entries_left.refuses(facts(pass_=a_pass(max_entries=3, entries=2)))


def test_an_entry_beyond_the_last_is_refused() -> None:
    assert no_entries_left.refuses(facts(pass_=a_pass(max_entries=3, entries=3)))
    assert no_entries_left.refuses(facts(pass_=a_pass(max_entries=3, entries=4)))


def test_a_party_is_refused_where_there_are_not_entries_for_all_of_it() -> None:
    assert not no_entries_left.refuses(facts(pass_=a_pass(max_entries=5, entries=2), people=3))
    assert no_entries_left.refuses(facts(pass_=a_pass(max_entries=5, entries=3), people=3))


def test_it_has_room_for_the_entries_that_are_left() -> None:
    assert no_entries_left.room(facts(pass_=a_pass(max_entries=5, entries=3))) == 2
    assert no_entries_left.room(facts()) is None


def test_a_pass_for_no_entry_admits_none() -> None:
    assert no_entries_left.refuses(facts(pass_=a_pass(max_entries=0, entries=0)))


def test_a_pass_without_a_limit_always_has_one_left() -> None:
    assert not no_entries_left.refuses(facts(pass_=a_pass(max_entries=None, entries=1_000_000)))


def test_going_out_is_no_entry() -> None:
    assert not no_entries_left.refuses(facts(direction=Direction.EXIT, pass_=a_pass(max_entries=1, entries=1)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not no_entries_left.refuses(facts(pass_=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    rule = no_entries_left
    assert (rule.code, rule.offline, rule.ends_repeat) == ("no_entries_left", True, False)
