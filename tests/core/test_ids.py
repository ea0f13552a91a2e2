"""Ids: UUIDv7 after RFC 9562, and their one text."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import CALLERS_OWN, parse, show, uuid7

MICROSECONDS = st.integers(0, (1 << 48) * 1000 - 1)


def test_the_example_of_rfc_9562_appendix_a_6() -> None:
    """Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00; its rand_a of CC3 stands for a fraction of 797 microseconds.

    CC3 is 3267 of 4096, which no whole microsecond gives, so all but those 12 bits are compared.
    """
    made = uuid7(0x017F22E279B0 * 1000, bytes.fromhex("18C4DC0C0C07398F"))
    assert made.hex() == "017f22e279b0" + "7000" + "98c4dc0c0c07398f"


@given(MICROSECONDS, st.binary(min_size=8, max_size=8))
def test_version_variant_and_time(now: int, random: bytes) -> None:
    made = uuid.UUID(bytes=uuid7(now, random))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == now // 1000


@given(MICROSECONDS, MICROSECONDS, st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_ids_are_in_the_order_of_their_times_to_the_microsecond(now: int, then: int, one: bytes, other: bytes) -> None:
    if now < then:
        assert uuid7(now, one) < uuid7(then, other)


def test_the_random_bits_are_all_kept_but_two() -> None:
    zeros, ones = uuid7(0, bytes(8)), uuid7(0, b"\xff" * 8)
    assert (int.from_bytes(zeros, "big") ^ int.from_bytes(ones, "big")).bit_count() == 62


@given(st.binary(min_size=16, max_size=16))
def test_what_is_shown_is_parsed_again(id_: bytes) -> None:
    text = show("pass", id_)
    assert re.fullmatch(r"pass_[0-9A-Za-z]{22}", text)
    assert parse("pass", text) == id_


def test_shown_ids_sort_as_their_bytes_do() -> None:
    ids = [bytes(16), bytes(15) + b"\x3d", bytes(15) + b"\x3e", bytes(14) + b"\x01\x00", b"\xff" * 16]
    assert sorted(ids, key=lambda id_: show("ver", id_)) == ids


def test_known_texts() -> None:
    assert show("tok", bytes(16)) == "tok_" + "0" * 22
    assert show("tok", bytes(15) + b"\x3d") == "tok_" + "0" * 21 + "z"
    assert show("tok", b"\xff" * 16) == "tok_7n42DGM5Tflk9n8mt7Fhc7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pass",
        "pass_",
        "pass_" + "0" * 21,
        "pass_" + "0" * 23,
        "pass_" + "0" * 22 + "\n",
        "gate_" + "0" * 22,
        "PASS_" + "0" * 22,
        "pass-" + "0" * 22,
        "pass_" + "0" * 21 + "-",
        "pass_" + "0" * 21 + "é",
        "pass_" + "0" * 21 + "\u0665",
        "pass_7n42DGM5Tflk9n8mt7Fhc8",
        "pass_" + "z" * 22,
    ],
    ids=ascii,
)
def test_anything_else_is_no_id(text: str) -> None:
    assert parse("pass", text) is None


def test_a_callers_own_id() -> None:
    own = re.compile(CALLERS_OWN)
    for good in ("a", "7", "main-door", "hq_2", "a" * 64):
        assert own.fullmatch(good)
    for bad in ("", "-a", "_a", "Main", "a b", "a.b", "é", "a" * 65, "a\n", "a\x00"):
        assert not own.fullmatch(bad)
