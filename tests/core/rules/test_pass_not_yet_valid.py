"""`pass_not_yet_valid`: the pass begins later."""

from app.core.rules.pass_not_yet_valid import pass_not_yet_valid
from tests.core.facts import NOW, a_pass, facts


def test_a_pass_is_refused_before_it_begins_without_leeway() -> None:
    assert pass_not_yet_valid.refuses(facts(pass_=a_pass(valid_from=NOW + 1)))


def test_a_pass_is_valid_from_the_very_microsecond() -> None:
    assert not pass_not_yet_valid.refuses(facts(pass_=a_pass(valid_from=NOW)))


def test_it_would_no_longer_refuse_when_the_pass_begins() -> None:
    assert pass_not_yet_valid.not_before(facts(pass_=a_pass(valid_from=NOW + 7))) == NOW + 7
    assert pass_not_yet_valid.not_before(facts(pass_=None)) is None


def test_a_pass_without_a_beginning_is_valid() -> None:
    assert not pass_not_yet_valid.refuses(facts(pass_=a_pass(valid_from=None)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not pass_not_yet_valid.refuses(facts(pass_=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    rule = pass_not_yet_valid
    assert (rule.code, rule.offline, rule.ends_repeat) == ("pass_not_yet_valid", True, False)
