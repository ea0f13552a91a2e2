"""`clock_behind`: a clock that shows what is over."""

from app.core.rule import LEEWAY, Need
from app.core.rules.clock_behind import clock_behind
from tests.core.facts import NOW, facts, offline


def test_a_clock_may_be_behind_the_last_known_time_by_the_leeway() -> None:
    assert not clock_behind.refuses(facts(offline=offline(last_good=NOW + LEEWAY)))


def test_a_clock_that_is_further_behind_is_refused() -> None:
    assert clock_behind.refuses(facts(offline=offline(last_good=NOW + LEEWAY + 1)))


def test_a_bundle_from_ahead_shows_it_too() -> None:
    assert not clock_behind.refuses(facts(offline=offline(issued_at=NOW + LEEWAY)))
    assert clock_behind.refuses(facts(offline=offline(issued_at=NOW + LEEWAY + 1, last_good=0)))


def test_with_the_network_it_says_nothing() -> None:
    assert not clock_behind.refuses(facts())


def test_it_is_asked_offline_only_and_ends_a_repeat_window() -> None:
    assert (clock_behind.code, clock_behind.offline, clock_behind.ends_repeat) == ("clock_behind", True, True)
    assert clock_behind.needs == {Need.OFFLINE}
