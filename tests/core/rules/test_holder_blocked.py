"""`holder_blocked`: the holder is on the deny list."""

from app.core.rules.holder_blocked import holder_blocked
from tests.core.facts import a_holder, a_pass, card_facts, facts

BLOCKED = a_pass(holder=a_holder(blocked=True))


def test_a_holder_who_is_not_blocked_is_not_refused() -> None:
    assert not holder_blocked.refuses(facts())


def test_every_token_and_card_of_a_blocked_holder_is_refused() -> None:
    assert holder_blocked.refuses(facts(pass_=BLOCKED))
    assert holder_blocked.refuses(card_facts(pass_=BLOCKED))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not holder_blocked.refuses(facts(pass_=None))


def test_it_is_asked_offline_and_ends_a_repeat_window() -> None:
    assert (holder_blocked.code, holder_blocked.offline, holder_blocked.ends_repeat) == ("holder_blocked", True, True)


def test_nobody_admits_against_it() -> None:
    assert not holder_blocked.overridable
