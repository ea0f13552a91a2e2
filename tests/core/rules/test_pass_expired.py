"""`pass_expired`: the pass is over."""

from app.core.rules.pass_expired import pass_expired
from tests.core.facts import NOW, a_pass, facts


def test_expired_pass_is_refused() -> None:
    assert pass_expired.refuses(facts(pass_=a_pass(valid_until=NOW - 1)))


def test_a_pass_is_refused_from_the_very_microsecond_on() -> None:
    assert pass_expired.refuses(facts(pass_=a_pass(valid_until=NOW)))


def test_a_pass_is_valid_until_the_microsecond_before() -> None:
    assert not pass_expired.refuses(facts(pass_=a_pass(valid_until=NOW + 1)))


def test_a_pass_without_an_end_is_valid() -> None:
    assert not pass_expired.refuses(facts(pass_=a_pass(valid_until=None)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not pass_expired.refuses(facts(pass_=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    assert (pass_expired.code, pass_expired.offline, pass_expired.ends_repeat) == ("pass_expired", True, False)
