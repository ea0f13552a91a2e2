"""`code`: a holder's number, seven random digits and a check digit."""

import hmac
import sys

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.model import Claims, Refused
from app.core.token_format import Keyring, Pepper
from app.core.tokens.code import CODE, CODES
from tests.core.facts import TENANT

OLD, NEW = Pepper(1, b"\x01" * 32), Pepper(2, b"\x02" * 32)
KEYRING = Keyring({}, (NEW, OLD))
NUMBERS = st.integers(1000, 999_999_999_999) | st.integers(1000, 99_999)
DRAWS = st.integers(0, CODES - 1)


@given(NUMBERS, DRAWS)
def test_what_is_minted_is_opened_however_it_is_grouped(number: int, draw: int) -> None:
    text = CODE.mint(number, draw)
    rest = f"{draw:07}" + text[-1]
    hashes = tuple(hmac.digest(p.secret, cbor2.dumps(["code", TENANT, number, rest]), "sha256") for p in (NEW, OLD))
    claims = Claims("code", hashes, number=number)
    assert CODE.open(text, TENANT, KEYRING) == claims
    assert CODE.open(CODE.display(text), TENANT, KEYRING) == claims
    assert CODE.keyed_hash(text, TENANT, NEW) == hashes[0]


def test_the_example_in_the_formats_own_description_is_a_code() -> None:
    text = CODE.mint(1042, 8392017)
    assert CODE.display(text) == "1042 8392 0170"
    assert f"`{CODE.display(text)}`" in (sys.modules["app.core.tokens.code"].__doc__ or "")


@given(NUMBERS, DRAWS)
def test_a_code_is_twelve_digits_or_more_and_begins_with_none_that_readers_drop(number: int, draw: int) -> None:
    text = CODE.mint(number, draw)
    assert 12 <= len(text) <= 20
    assert set(text) <= set("0123456789")
    assert text[0] != "0"


@given(NUMBERS, DRAWS, st.data())
def test_a_slip_of_the_fingers_is_malformed_and_so_costs_nothing(number: int, draw: int, data: st.DataObject) -> None:
    text = CODE.mint(number, draw)
    place = data.draw(st.integers(0, len(text) - 1))
    digit = data.draw(st.sampled_from("0123456789"))
    changed = text[:place] + digit + text[place + 1 :]
    if changed != text:
        assert CODE.open(changed, TENANT, KEYRING) == Refused("malformed")
    swap = data.draw(st.integers(0, len(text) - 2))
    swapped = text[:swap] + text[swap + 1] + text[swap] + text[swap + 2 :]
    if swapped != text:
        assert CODE.open(swapped, TENANT, KEYRING) == Refused("malformed")


def test_one_in_ten_typed_numbers_has_a_right_check_digit() -> None:
    opened = [CODE.open(f"1042{rest:08}", TENANT, KEYRING) for rest in range(1000)]
    assert sum(isinstance(each, Claims) for each in opened) == 100


def test_two_holders_with_the_same_digits_have_other_hashes() -> None:
    hashes = {CODE.keyed_hash(f"{number}00000000", tenant, NEW) for number in (1000, 1001) for tenant in ("a", "b")}
    assert len(hashes) == 4


@pytest.mark.parametrize(("number", "draw"), [(999, 0), (0, 0), (-1000, 0), (1000, -1), (1000, CODES)])
def test_a_number_or_a_draw_out_of_range_is_not_minted(number: int, draw: int) -> None:
    with pytest.raises(ValueError, match="starts at 1000"):
        CODE.mint(number, draw)


@given(st.text(st.characters(categories=["Nd", "No", "Nl"]), min_size=12, max_size=20))
def test_digits_of_other_scripts_are_no_digits(text: str) -> None:
    if not text.isascii():
        assert CODE.open(text, TENANT, KEYRING) is None
