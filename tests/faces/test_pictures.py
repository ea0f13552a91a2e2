"""Pictures in base64, plain or as a data URI."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.faces.pictures import MAX_BASE64, MAX_PICTURE, from_base64

PREFIXES = ["", "data:image/jpeg;base64,", "data:image/png;base64,", "data:image/svg+xml;base64,", "data:image/x.y-z;base64,"]  # fmt: skip


@given(st.binary(max_size=200), st.sampled_from(PREFIXES))
def test_a_picture_comes_back_as_it_was(picture: bytes, prefix: str) -> None:
    assert from_base64(prefix + b64encode(picture).decode()) == picture


@pytest.mark.parametrize(
    "text",
    [
        "Canary", "Canary7f3a=", "====", "AA=A", "AAAA Canary", "AAAA\0", "AAAA\nAA=", "\ud800", "\uff21\uff21\uff21\uff21", "AA-_", "http://a/b.jpg",
        "data:image/jpeg;base64", "data:text/plain;base64,AAAA", "data:image/jpeg,AAAA", "data:;base64,AAAA", "data:image/;base64,AAAA",
        "data:image/jpeg;base64,data:image/jpeg;base64,AAAA", f"data:image/{'x' * 40};base64,AAAA",
    ],
)  # fmt: skip
def test_what_is_neither_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The picture is neither base64 nor a data URI of an image\.$"):
        from_base64(text)


@given(st.text(max_size=60))
def test_any_text_is_a_picture_or_is_refused(text: str) -> None:
    try:
        picture = from_base64(text)
    except ValueError:
        return
    assert picture == b64decode(text.rpartition(",")[2])


def test_the_largest_picture_fits_in_the_longest_base64() -> None:
    assert len(b64encode(bytes(MAX_PICTURE))) <= MAX_BASE64
    assert len(b64encode(bytes(MAX_PICTURE + 3))) > MAX_BASE64 - 4
