"""JSON that means one thing only."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.faces.strict_json import MAX_COMMAS, MAX_DEPTH, read_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nope",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1] [2]",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'"\xed\xa0\x80"',
        b'"\xc0\x80"',
        b'"\xff"',
        b'"\t"',
        b'"\0"',
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'[{"a": ["\\udfff"]}]',
        b"NaN",
        b"-Infinity",
        b"[Infinity]",
        b"1e999",
        b"-1e999",
        b"1" * 21,
        b"9" * 5000,
        b"01",
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"b": {"a": 1, "a": null}}',
        b"[" * 17 + b"]" * 17,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_means_nothing_or_two_things_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^The body [a-zA-Z0-9 :,-]+\.$"):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a" : [1, -2.5, true, null, "\\u00e9\\ud83d\\ude00"]}\r\n',
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b'"' + b"[" * 100 + b'"',
        b"12345678901234567890",
        '"\u202e\ufeff"'.encode(),
        b"1e-999",
    ],
)
def test_what_is_json_is_read(body: bytes) -> None:
    assert read_json(body) == json.loads(body)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_values, st.booleans())
def test_every_value_comes_back_as_it_went(value: Any, ascii_only: bool) -> None:  # noqa: FBT001
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = read_json(body)
    except ValueError as fault:
        assert str(fault).startswith("The body ")  # noqa: PT017
    else:
        json.dumps(value).encode()


def test_more_members_than_any_call_has_are_refused_unread() -> None:
    fits = b"[" + b"0," * MAX_COMMAS + b"0]"
    assert len(read_json(fits)) == MAX_COMMAS + 1
    with pytest.raises(ValueError, match="too many members"):
        read_json(b"[" + b"{},," * MAX_COMMAS)


@pytest.mark.parametrize(
    "text", ["," * MAX_COMMAS * 2, ',"' * MAX_COMMAS, "\\," * MAX_COMMAS, ',"\\",\\\\' * MAX_COMMAS]
)
def test_commas_in_a_text_are_no_members(text: str) -> None:
    assert read_json(json.dumps([text, {text: 1}]).encode()) == [text, {text: 1}]
    with pytest.raises(ValueError, match="too many members"):
        read_json(json.dumps([text, *range(MAX_COMMAS), text]).encode())


@pytest.mark.parametrize("unit", [b'\\"', b'"', b'",', b"\\", b'\\",', b'"\\\\",', b'"a', b"\xff,"], ids=repr)
@pytest.mark.parametrize("start", [b"", b'"', b"[", b'["'], ids=repr)
def test_a_text_without_an_end_is_refused_at_once(start: bytes, unit: bytes) -> None:
    """Two million of anything: what looks at each place from each place would not come to an end."""
    with pytest.raises(ValueError, match=r"^The body "):
        read_json(start + b"," * MAX_COMMAS + unit * (2_000_000 // len(unit)))
