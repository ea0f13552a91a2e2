"""Base45 against RFC 9285, and one text for each byte string."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.base45 import ALPHABET, decode, encode

RFC_9285 = [  # sections 4.3 and 4.4
    (b"AB", "BB8"),
    (b"Hello!!", "%69 VD92EX0"),
    (b"base-45", "UJCLQE7W581"),
    (b"ietf!", "QED8WEX0"),
]


@pytest.mark.parametrize(("data", "text"), RFC_9285)
def test_the_examples_of_rfc_9285(data: bytes, text: str) -> None:
    assert encode(data) == text
    assert decode(text) == data


def test_the_alphabet_is_that_of_rfc_9285_table_1() -> None:
    assert len(ALPHABET) == 45
    assert ALPHABET == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@given(st.binary(max_size=400))
def test_what_is_encoded_is_decoded_again(data: bytes) -> None:
    assert decode(encode(data)) == data


@given(st.text(ALPHABET, max_size=12))
def test_each_byte_string_has_exactly_one_accepted_text(text: str) -> None:
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


def test_every_pair_of_bytes_has_its_own_text() -> None:
    texts = {encode(value.to_bytes(2, "big")) for value in range(65_536)}
    assert len(texts) == 65_536
    accepted = 0
    for low in ALPHABET:
        for middle in ALPHABET:
            for high in ALPHABET:
                text = low + middle + high
                try:
                    decode(text)
                except ValueError:
                    assert text not in texts
                else:
                    accepted += 1
    assert accepted == 65_536


def test_every_last_byte_has_its_own_text() -> None:
    accepted = {}
    for low in ALPHABET:
        for high in ALPHABET:
            try:
                accepted[decode(low + high)] = low + high
            except ValueError:
                continue
    assert accepted == {bytes([value]): encode(bytes([value])) for value in range(256)}


@given(st.binary(min_size=1, max_size=50))
def test_no_text_ends_in_a_space_so_that_one_may_be_taken_off(data: bytes) -> None:
    assert not encode(data).endswith(" ")


@pytest.mark.parametrize(
    "text",
    ["B", "BB8B", "GGW", ":::", "::", "V5", "bb8", "BB_", "BB\n", "BB8\n", "é00", "B\ud800B", "BB\uff18", "\x0000"],
    ids=ascii,
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not base45|can't encode"):
        decode(text)


def test_the_largest_groups_are_accepted() -> None:
    assert decode("FGW") == b"\xff\xff"
    assert decode("U5") == b"\xff"
