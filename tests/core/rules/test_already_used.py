"""`already_used`: the token was good once, and has been used."""

from app.core.rules.already_used import already_used
from tests.core.facts import a_token, a_use, facts


def test_a_token_that_was_never_used_is_good() -> None:
    assert not already_used.refuses(facts(last_use=None))


def test_a_token_that_was_used_is_refused() -> None:
    assert already_used.refuses(facts(last_use=a_use()))


def test_a_use_that_was_given_back_does_not_count() -> None:
    assert not already_used.refuses(facts(last_use=a_use(voided=True)))


def test_a_later_use_counts_again() -> None:
    assert already_used.refuses(facts(last_use=a_use(number=2)))


def test_a_reusable_token_is_good_again() -> None:
    assert not already_used.refuses(facts(token=a_token(reusable=True), last_use=a_use(number=70)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not already_used.refuses(facts(token=None, last_use=a_use()))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    assert (already_used.code, already_used.offline, already_used.ends_repeat) == ("already_used", True, False)
