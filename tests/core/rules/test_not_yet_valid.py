"""`not_yet_valid`: the token was issued in the future, as this clock sees it."""

from app.core.model import SECOND
from app.core.rule import LEEWAY
from app.core.rules.not_yet_valid import not_yet_valid
from tests.core.facts import NOW, a_token, facts


def test_the_leeway_is_thirty_seconds() -> None:
    assert LEEWAY == 30 * SECOND


def test_a_token_issued_in_the_past_or_now_is_valid() -> None:
    assert not not_yet_valid.refuses(facts(token=a_token(issued_at=NOW - 1)))
    assert not not_yet_valid.refuses(facts(token=a_token(issued_at=NOW)))


def test_a_token_issued_ahead_by_the_leeway_is_valid() -> None:
    assert not not_yet_valid.refuses(facts(token=a_token(issued_at=NOW + LEEWAY)))


def test_a_token_issued_ahead_by_a_microsecond_more_is_refused() -> None:
    assert not_yet_valid.refuses(facts(token=a_token(issued_at=NOW + LEEWAY + 1)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not not_yet_valid.refuses(facts(token=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    assert (not_yet_valid.code, not_yet_valid.offline, not_yet_valid.ends_repeat) == ("not_yet_valid", True, False)
