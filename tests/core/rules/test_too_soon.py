"""`too_soon`: the pass asks for a time between two entries, and it is not over."""

from typing import Any

from app.core.model import ANYWHERE, MINUTE, CountKey, Direction, EntryCount, Facts
from app.core.rule import Need
from app.core.rules.too_soon import too_soon
from tests.core.facts import NOW, PASS_ID, TODAY, a_limited_pass, a_pass, a_token, a_use, facts


def after(last_at: int, **other: Any) -> Facts:
    """An attempt on a pass with ten minutes between two entries, after one at `last_at`."""
    counts = {CountKey(PASS_ID, ANYWHERE): EntryCount(1, TODAY, 1, last_at)}
    pass_ = a_limited_pass(min_interval=10 * MINUTE, party_size=3)
    return facts(pass_=pass_, counts=counts)._replace(**other)


def test_the_interval_ends_to_the_microsecond() -> None:
    assert too_soon.refuses(after(NOW))
    assert too_soon.refuses(after(NOW - 10 * MINUTE + 1))
    assert not too_soon.refuses(after(NOW - 10 * MINUTE))
    assert not too_soon.refuses(after(NOW - 10 * MINUTE - 1))


def test_a_clock_set_back_does_not_end_it() -> None:
    assert too_soon.refuses(after(NOW + MINUTE))


def test_the_first_entry_is_not_too_soon() -> None:
    assert not too_soon.refuses(after(0))
    assert not too_soon.refuses(after(NOW, counts={}))


def test_it_would_no_longer_refuse_when_the_interval_is_over() -> None:
    assert too_soon.not_before(after(NOW - MINUTE)) == NOW + 9 * MINUTE
    assert too_soon.not_before(after(0)) is None
    assert too_soon.not_before(after(NOW, pass_=a_pass())) is None


def test_the_rest_of_a_party_may_follow_at_once() -> None:
    assert not too_soon.refuses(after(NOW, last_use=a_use(let_in=1)))


def test_who_was_given_back_does_not_let_others_follow() -> None:
    assert too_soon.refuses(after(NOW, last_use=a_use(voided=True, let_in=0)))


def test_a_reusable_token_comes_too_soon_though_it_was_used_before() -> None:
    assert too_soon.refuses(after(NOW, token=a_token(reusable=True), last_use=a_use(let_in=1)))


def test_going_out_is_never_too_soon() -> None:
    assert not too_soon.refuses(after(NOW, direction=Direction.EXIT))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not too_soon.refuses(after(NOW, pass_=None))
    assert not too_soon.refuses(after(NOW, pass_=a_pass()))


def test_it_needs_the_counts_and_is_asked_neither_offline_nor_within_a_repeat_window() -> None:
    assert (too_soon.code, too_soon.offline, too_soon.ends_repeat) == ("too_soon", False, False)
    assert Need.COUNTS in too_soon.needs
