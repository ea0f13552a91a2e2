"""Places in the status list: never one twice."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.status_index import BLOCK, EMPTY, draw


def test_ten_thousand_draws_give_no_place_twice_and_fill_block_after_block() -> None:
    block, drawn, places = 0, EMPTY, []
    randoms = (number * 0x9E3779B97F4A7C15 % (1 << 64) for number in count(1))
    for _ in range(10_000):
        idx, block, drawn = draw(block, drawn, next(randoms))
        places.append(idx)
    assert len(set(places)) == 10_000
    assert sorted(places[:BLOCK]) == list(range(BLOCK))
    assert sorted(places[BLOCK : 2 * BLOCK]) == list(range(BLOCK, 2 * BLOCK))
    assert all(2 * BLOCK <= idx < 3 * BLOCK for idx in places[2 * BLOCK :])
    assert places[:BLOCK] != sorted(places[:BLOCK])


def test_the_first_place_of_a_full_blocks_successor_is_in_the_next_block() -> None:
    full = b"\xff" * len(EMPTY)
    idx, block, drawn = draw(6, full, 5)
    assert (idx, block) == (7 * BLOCK + 5, 7)
    assert int.from_bytes(drawn, "big") == 1 << 5


def test_the_last_free_place_is_found_whatever_the_number_drawn() -> None:
    nearly = (int.from_bytes(b"\xff" * len(EMPTY), "big") ^ 1 << 1234).to_bytes(len(EMPTY), "big")
    for random in (0, 1, BLOCK, 1 << 63):
        assert draw(2, nearly, random) == (2 * BLOCK + 1234, 2, b"\xff" * len(EMPTY))


@pytest.mark.parametrize("random", [0, 1, 17, BLOCK - 1])
def test_each_free_place_is_as_likely_as_another(random: int) -> None:
    assert draw(0, EMPTY, random)[0] == random
    assert draw(0, EMPTY, random + BLOCK)[0] == random


@given(st.binary(min_size=len(EMPTY), max_size=len(EMPTY)), st.integers(0, (1 << 64) - 1))
def test_a_draw_takes_a_free_place_and_marks_it_and_no_other(drawn: bytes, random: int) -> None:
    before = int.from_bytes(drawn, "big")
    idx, block, after = draw(0, drawn, random)
    if block == 0:
        assert not before >> idx & 1
        assert int.from_bytes(after, "big") == before | 1 << idx
    else:
        assert before.bit_count() == BLOCK
