"""`token_revoked`: this token was revoked, or its whole epoch was."""

from app.core.rules.token_revoked import token_revoked
from tests.core.facts import a_token, facts


def test_a_token_that_nobody_revoked_is_not_refused() -> None:
    assert not token_revoked.refuses(facts())


def test_a_revoked_token_is_refused() -> None:
    assert token_revoked.refuses(facts(token=a_token(revoked=True)))


def test_a_token_of_an_older_epoch_is_refused() -> None:
    assert token_revoked.refuses(facts(epoch=3, token=a_token(epoch=2)))


def test_a_token_of_this_epoch_is_not_refused() -> None:
    assert not token_revoked.refuses(facts(epoch=3, token=a_token(epoch=3)))


def test_a_token_of_a_newer_epoch_is_not_refused() -> None:
    """A kiosk may hear of a new epoch later than the tokens' issuer."""
    assert not token_revoked.refuses(facts(epoch=3, token=a_token(epoch=4)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not token_revoked.refuses(facts(token=None, epoch=1))


def test_it_is_asked_offline_and_ends_a_repeat_window() -> None:
    assert (token_revoked.code, token_revoked.offline, token_revoked.ends_repeat) == ("token_revoked", True, True)
