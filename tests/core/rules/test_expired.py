"""`expired`: the token's time is over."""

from app.core.rule import LEEWAY
from app.core.rules.expired import expired
from tests.core.facts import NOW, a_token, facts


def test_a_token_is_good_until_its_expiry_and_the_leeway() -> None:
    assert not expired.refuses(facts(token=a_token(expires_at=NOW)))
    assert not expired.refuses(facts(token=a_token(expires_at=NOW - LEEWAY + 1)))


def test_a_token_is_refused_from_its_expiry_and_the_leeway_on() -> None:
    assert expired.refuses(facts(token=a_token(expires_at=NOW - LEEWAY)))
    assert expired.refuses(facts(token=a_token(expires_at=NOW - LEEWAY - 1)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not expired.refuses(facts(token=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    assert (expired.code, expired.offline, expired.ends_repeat) == ("expired", True, False)
