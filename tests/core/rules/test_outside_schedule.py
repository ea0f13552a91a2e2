"""`outside_schedule`: the pass has a schedule, and it is not open now."""

from app.core.model import SECOND, Direction, Facts
from app.core.rules.outside_schedule import outside_schedule
from tests.core.facts import NOW, a_pass, facts

HOUR = 3600 * SECOND


def at(*hours: tuple[int, int]) -> Facts:
    return facts(pass_=a_pass(hours=hours))


def test_a_pass_without_a_schedule_is_never_refused() -> None:
    assert not outside_schedule.refuses(facts())


def test_a_schedule_that_is_never_open_refuses_always() -> None:
    assert outside_schedule.refuses(at())


def test_a_schedule_is_open_from_the_very_microsecond() -> None:
    assert outside_schedule.refuses(at((NOW + 1, NOW + HOUR)))
    assert not outside_schedule.refuses(at((NOW, NOW + HOUR)))
    assert not outside_schedule.refuses(at((NOW - 1, NOW + HOUR)))


def test_a_schedule_is_closed_from_the_very_microsecond() -> None:
    assert not outside_schedule.refuses(at((NOW - HOUR, NOW + 1)))
    assert outside_schedule.refuses(at((NOW - HOUR, NOW)))
    assert outside_schedule.refuses(at((NOW - HOUR, NOW - 1)))


def test_between_two_intervals_it_is_closed_and_within_the_second_open() -> None:
    assert outside_schedule.refuses(at((NOW - HOUR, NOW - 1), (NOW + 1, NOW + HOUR)))
    assert not outside_schedule.refuses(at((NOW - 2 * HOUR, NOW - HOUR), (NOW - 1, NOW + HOUR)))


def test_it_would_no_longer_refuse_at_the_next_opening() -> None:
    hours = ((NOW - 2 * HOUR, NOW - HOUR), (NOW + 1, NOW + HOUR), (NOW + 2 * HOUR, NOW + 3 * HOUR))
    assert outside_schedule.not_before(at(*hours)) == NOW + 1


def test_where_no_opening_is_known_it_does_not_say_when() -> None:
    assert outside_schedule.not_before(at((NOW - HOUR, NOW))) is None
    assert outside_schedule.not_before(at()) is None
    assert outside_schedule.not_before(facts(pass_=None)) is None


def test_nobody_is_kept_inside_by_the_clock() -> None:
    assert not outside_schedule.refuses(at()._replace(direction=Direction.EXIT))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not outside_schedule.refuses(facts(pass_=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    rule = outside_schedule
    assert (rule.code, rule.offline, rule.ends_repeat, rule.overridable) == ("outside_schedule", True, False, True)
