"""`stale_bundle`: what is known is too old."""

from app.core.rule import Need
from app.core.rules.stale_bundle import stale_bundle
from tests.core.facts import NOW, facts, offline


def test_a_bundle_is_good_until_it_is_as_old_as_it_may_be() -> None:
    assert not stale_bundle.refuses(facts(offline=offline(issued_at=NOW - 99, max_stale=100)))
    assert stale_bundle.refuses(facts(offline=offline(issued_at=NOW - 100, max_stale=100)))


def test_with_the_network_it_says_nothing() -> None:
    assert not stale_bundle.refuses(facts())


def test_it_is_asked_offline_only_and_ends_a_repeat_window() -> None:
    assert (stale_bundle.code, stale_bundle.offline, stale_bundle.ends_repeat) == ("stale_bundle", True, True)
    assert stale_bundle.needs == {Need.OFFLINE}
