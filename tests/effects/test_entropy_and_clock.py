"""Randomness and time: drawn and told here, and nowhere else."""

import time

import pytest

from app.effects.clock import SystemClock
from app.effects.entropy import SystemEntropy

ENTROPY = SystemEntropy()


@pytest.mark.parametrize("count", [0, 1, 8, 32])
def test_as_many_bytes_as_were_asked_for(count: int) -> None:
    assert len(ENTROPY.bytes(count)) == count


def test_no_two_draws_are_alike() -> None:
    assert len({ENTROPY.bytes(16) for _ in range(1000)}) == 1000


def test_every_number_below_the_limit_comes_and_none_above() -> None:
    assert {ENTROPY.below(6) for _ in range(500)} == set(range(6))
    assert ENTROPY.below(1) == 0


def test_a_large_limit_is_drawn_over_its_whole_width() -> None:
    drawn = [ENTROPY.below(1 << 64) for _ in range(200)]
    assert max(drawn) > 1 << 63
    assert min(drawn) < 1 << 62


def test_the_clock_tells_microseconds_since_1970() -> None:
    before = time.time_ns() // 1000
    now = SystemClock().now()
    assert before <= now <= time.time_ns() // 1000
    assert isinstance(now, int)
