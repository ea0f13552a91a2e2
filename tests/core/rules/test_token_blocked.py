"""`token_blocked`: the token or card is on the deny list, lost for example."""

from app.core.rules.token_blocked import token_blocked
from tests.core.facts import a_card, a_token, card_facts, facts


def test_a_token_that_nobody_blocked_is_not_refused() -> None:
    assert not token_blocked.refuses(facts())
    assert not token_blocked.refuses(card_facts())


def test_a_blocked_token_or_card_is_refused() -> None:
    assert token_blocked.refuses(facts(token=a_token(blocked=True)))
    assert token_blocked.refuses(card_facts(token=a_card(blocked=True)))


def test_a_revoked_token_is_not_this_rules_affair() -> None:
    assert not token_blocked.refuses(facts(token=a_token(revoked=True)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not token_blocked.refuses(facts(token=None))


def test_it_is_asked_offline_and_ends_a_repeat_window() -> None:
    assert (token_blocked.code, token_blocked.offline, token_blocked.ends_repeat) == ("token_blocked", True, True)


def test_nobody_admits_against_it() -> None:
    assert not token_blocked.overridable
