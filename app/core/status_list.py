"""Status lists (Token Status List, draft-ietf-oauth-status-list-20): two bits for each place, in segments.

A segment is a StatusList of its own (section 4.3 of the draft), `{"bits": 2, "lst": bytes}`. `lst` is compressed with
zlib (RFC 1950); within a byte the place with the lowest number has the least significant bits.
"""

import zlib
from collections.abc import Mapping

import cbor2

from .inflate import inflate
from .strict_cbor import strict

DRAFT = "draft-ietf-oauth-status-list-20"
SEGMENT = 65_536
"""The places in a segment."""

VALID, INVALID, SUSPENDED, APPLICATION_SPECIFIC = 0, 1, 2, 3
"""The status types. Application specific is, here, that the holder is blocked."""

_BITS = 2
_PER_BYTE = 8 // _BITS
_BYTES = SEGMENT // _PER_BYTE


def pack_statuses(statuses: Mapping[int, int]) -> bytes:
    """The segment in which these places, counted within it, have these statuses; all others are valid."""
    array = bytearray(_BYTES)
    for place, status in statuses.items():
        array[place // _PER_BYTE] |= status << place % _PER_BYTE * _BITS
    return pack_status_array(array)


def pack_status_array(array: bytes | bytearray) -> bytes:
    """The segment of an array as `unpack_statuses` gives it."""
    return cbor2.dumps({"bits": _BITS, "lst": zlib.compress(array, 9)}, canonical=True)


def unpack_statuses(segment: bytes) -> bytes:
    """The array of a segment, uncompressed, for `status_of`. Raises ValueError."""
    status_list = strict(segment)
    if type(status_list) is not dict or status_list.keys() != {"bits", "lst"}:
        raise ValueError("This is no status list.")
    bits, lst = status_list["bits"], status_list["lst"]
    if type(bits) is not int or bits != _BITS or type(lst) is not bytes:
        raise ValueError("This is no status list of two bits for each place.")
    array = inflate(lst, _BYTES)
    if len(array) != _BYTES:
        raise ValueError(f"The status list has not {SEGMENT} places.")
    return array


def status_of(array: bytes | bytearray, place: int) -> int:
    """The status of a place, counted within its segment."""
    return array[place // _PER_BYTE] >> place % _PER_BYTE * _BITS & 3


def set_status(array: bytearray, place: int, status: int) -> None:
    """Give a place, counted within its segment, another status."""
    shift = place % _PER_BYTE * _BITS
    at = place // _PER_BYTE
    array[at] = array[at] & ~(3 << shift) | status << shift
