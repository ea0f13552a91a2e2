"""What a bundle is cut into, besides status lists: blocks of passes, and the tokens that were taken back.

Passes have no name in it but their place in the status list. docs/offline.md has the bytes.
"""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import cbor2

from .inflate import inflate
from .model import SECOND
from .strict_cbor import MAX_INT, is_uint, strict

BLOCK = 1024
"""The places of the status list in a block of passes."""

HASH_BYTES = 16
_ID_BYTES = 16
_DEFAULTS = (None, None, None, 1, None, 0)  # of what stands behind the place of a pass
_MOST_PASSES = 64 * BLOCK  # a pass has 59 bytes at most
_MOST_REFUSED = 1 << 26


class BundlePass(NamedTuple):
    """What a bundle says of a pass. `schedule` is a place among the manifest's; times are microseconds UTC."""

    idx: int
    valid_from: int | None = None
    valid_until: int | None = None
    schedule: int | None = None
    party_size: int = 1
    max_entries: int | None = None
    entries: int = 0


def chunk_hash(chunk: bytes) -> bytes:
    """What a manifest names a chunk by: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(chunk).digest()[:HASH_BYTES]


def pack_passes(passes: Iterable[BundlePass]) -> bytes:
    """The chunk of passes of one block. A pass is good for whole seconds, those that lie within its window."""
    packed = [_packed(pass_) for pass_ in sorted(passes, key=lambda each: each.idx)]
    return zlib.compress(cbor2.dumps(packed, canonical=True), 9)


def unpack_passes(block: int, chunk: bytes) -> dict[int, BundlePass]:
    """The passes of a block, by their place. Raises ValueError."""
    packed = strict(inflate(chunk, _MOST_PASSES), max_depth=3)
    if type(packed) is not list:
        raise ValueError("This is no block of passes.")
    first = block * BLOCK
    passes = {}
    before = -1
    for each in packed:
        values = _whole(each)
        if values[0] <= before:
            raise ValueError("The passes of a block are not in order.")
        before = values[0]
        valid_from, valid_until = (at if at is None else at * SECOND for at in values[1:3])
        passes[first + before] = BundlePass(first + before, valid_from, valid_until, *values[3:])
    return passes


def pack_refused(ids: Iterable[bytes]) -> bytes:
    """The chunk of tokens that were taken back."""
    return zlib.compress(cbor2.dumps(sorted(ids), canonical=True), 9)


def unpack_refused(chunk: bytes) -> frozenset[bytes]:
    """The ids of tokens that were taken back. Raises ValueError."""
    ids = strict(inflate(chunk, _MOST_REFUSED))
    if type(ids) is not list or any(type(id_) is not bytes or len(id_) != _ID_BYTES for id_ in ids):
        raise ValueError("This is no list of token ids.")
    if any(id_ >= following for id_, following in pairwise(ids)):
        raise ValueError("The token ids are not in order.")
    return frozenset(ids)


def _packed(pass_: BundlePass) -> list[int | None]:
    idx, valid_from, valid_until, *others = pass_
    from_s = None if valid_from is None or valid_from <= 0 else -(-valid_from // SECOND)
    until_s = None if valid_until is None else max(valid_until, 0) // SECOND
    values = [idx % BLOCK, from_s, until_s, *others]
    while len(values) > 1 and values[-1] == _DEFAULTS[len(values) - 2]:
        values.pop()
    return values


def _whole(packed: Any) -> Sequence[Any]:  # noqa: ANN401  whatever CBOR may hold
    """The numbers of a pass with those that were left off. Raises ValueError."""
    if type(packed) is not list or not 1 <= len(packed) <= 1 + len(_DEFAULTS):
        raise ValueError("This is no pass.")
    if len(packed) > 1 and packed[-1] == _DEFAULTS[len(packed) - 2]:
        raise ValueError("A pass ends in what is to be left off.")
    values = [*packed, *_DEFAULTS[len(packed) - 1 :]]
    for value, default in zip(values, (0, *_DEFAULTS), strict=True):
        if not (is_uint(value) or (value is None and default is None)):
            raise ValueError("A pass has something else than a number in range.")
    if values[0] >= BLOCK or values[4] < 1 or max(values[1] or 0, values[2] or 0) > MAX_INT // SECOND:
        raise ValueError("A pass has a number out of range.")
    return values
