"""The Damm check digit finds what people do to digits."""

from itertools import product

import pytest

from app.core.damm import _TABLE, check_digit


def valid(digits: str) -> bool:
    return check_digit(digits[:-1]) == digits[-1]


def test_the_published_example() -> None:
    assert check_digit("572") == "4"


def test_nothing_has_the_digit_0() -> None:
    assert check_digit("") == "0"


def test_the_check_of_a_whole_valid_number_is_0() -> None:
    assert check_digit("5724") == "0"


def test_the_table_is_a_latin_square_with_a_zero_diagonal() -> None:
    assert all(sorted(row) == list(range(10)) for row in _TABLE)
    assert all(sorted(column) == list(range(10)) for column in zip(*_TABLE, strict=True))
    assert all(_TABLE[digit][digit] == 0 for digit in range(10))


def test_the_table_is_weakly_totally_anti_symmetric() -> None:
    """Which is what makes it find every swap of two neighbours."""
    for interim, first, second in product(range(10), repeat=3):
        if first != second:
            assert _TABLE[_TABLE[interim][first]][second] != _TABLE[_TABLE[interim][second]][first]


@pytest.mark.parametrize("digits", ["104283920", "99999999999", "10000000000", "57283"])
def test_every_wrong_digit_and_every_swap_is_found(digits: str) -> None:
    whole = digits + check_digit(digits)
    for place, digit in product(range(len(whole)), "0123456789"):
        assert valid(whole[:place] + digit + whole[place + 1 :]) == (digit == whole[place])
    for place in range(len(whole) - 1):
        swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
        assert valid(swapped) == (swapped == whole)
