"""CBOR in its one spelling (RFC 8949 section 4.2.3: deterministic, the keys of a map length-first)."""

from typing import Any

import cbor2

MAX_INT = 2**53 - 1
"""The largest integer in anything of ours: what JavaScript, and so a kiosk's page, holds exactly."""


def strict(data: bytes, max_depth: int = 4) -> Any:  # noqa: ANN401  what comes out is checked where it is used
    """One CBOR item in its one spelling: encoding it again must give back the very bytes.

    That refuses trailing bytes, duplicate keys, indefinite lengths and longer spellings of a number. Raises ValueError.
    """
    try:
        value = cbor2.loads(data, max_depth=max_depth)
        same = cbor2.dumps(value, canonical=True) == data
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise ValueError("not CBOR") from None
    if not same:
        raise ValueError("not canonical CBOR")
    return value


def is_uint(value: object) -> bool:
    """Whether it is an integer in range, and nothing that merely equals one: in Python True and 1.0 are equal to 1."""
    return type(value) is int and 0 <= value <= MAX_INT
