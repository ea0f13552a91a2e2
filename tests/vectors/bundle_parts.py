"""What the vectors of bundles are made of: the parts of the standards, and nothing from the code that they test."""

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

from tests.vectors.parts import HEADER, ISSUED, KID, PRIVATE, TENANT, Json, dumps, public_of, sign

NOW = ISSUED
ID_A = bytes.fromhex("019aa97d2bc07000800000000000abcd")
ID_B = bytes.fromhex("019aa97d2bc07000800000000000abce")
SCHEDULES: list[list[list[int]]] = [[], [[NOW - 3600, NOW + 3600], [NOW + 7200, NOW + 10_800]]]
SEGMENT = 65_536

COMPRESSED_PASSES = (
    "78da5dc83902c1500004d02c3f0941ec8c1fc4cedd728aa9a6533b89f3a9cd2bdfe7a524f6d9b7897da8de69a873a6cc94db05162aed2a0e"
    "34b4ab39d2d86ec24653bb19e75ad82db9d2da6ec3ad004bec8828b4de7be2201cbd3be2249cbd2fc455b879df8987f0fcef1f72ce3c83"
)
"""Forty passes, of which every third has all that a pass can have."""
COMPRESSED_STATUSES = (
    "78daedd0310d000008c0308232a4230d131c90b402762c02e098da0aa59700000000000000000000000000007cd103919d0103"
)
"""Of 65,536 places 4711 is revoked, 5000 suspended, and the holder of the last is blocked."""
COMPRESSED = {
    (): "78daedc13101000000c2a0f54f6d0c1fa000000000000000000000000000000080b70140000001",
    (
        4097,
        4103,
        4106,
        65_535,
    ): "78daedd0411100000400300f8144104d7435dcd9222c02f82aa7240000000000000000000000000000c00dbd71d600f5",
    (0, 5): "78daedc1310d00000c03a0a5997fcd95d107c81f0000000000000000000000000000003056c00b0007",
    (1,): "78daedc12101000000022083ff373bc30234000000000000000000000000000000c0db00400f0005",
    (2,): "78daedc12101000000022027f87fad332c4003000000000000000000000000000000bc0d403c0011",
}
"""Status lists of the vectors, by the places that have a status: 1, but 2 for 4103 and 0, and 3 for 4106."""
LARGE_PASSES = (
    "78daedc1010900000002a0aef73cfaa1b60100000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000801b11b50103"
)
"""65,539 bytes in 91."""
LARGE_STATUSES = "78daedc13101000000c2a0f54f6d0c1fa000000000000000000000000000000080bb0140010001"
SMALL_STATUSES = "78daedc13101000000c2a0f54f6d0c1fa000000000000000000000000000000080b3013fff0001"


def stored(data: bytes) -> bytes:
    """RFC 1950 around stored blocks of RFC 1951 section 3.2.4: what is in it stands there as it is."""
    pieces = [data[at : at + 65_535] for at in range(0, len(data), 65_535)] or [b""]
    blocks = b"".join(
        bytes([at == len(pieces) - 1])
        + len(piece).to_bytes(2, "little")
        + (len(piece) ^ 0xFFFF).to_bytes(2, "little")
        + piece
        for at, piece in enumerate(pieces)
    )
    return b"\x78\x01" + blocks + zlib.adler32(data).to_bytes(4, "big")


def chunk_hash(chunk: bytes) -> bytes:
    return hashlib.sha256(chunk).digest()[:16]


def passes_chunk(*passes: Any) -> bytes:
    return stored(dumps(list(passes)))


def refused_chunk(*ids: Any) -> bytes:
    return stored(dumps(list(ids)))


def statuses_of(places: Mapping[int, int], count: int = SEGMENT) -> bytes:
    """Section 4.1 of the draft, as it is written there: the lowest place in the lowest bits."""
    bits = 0
    for place, status in places.items():
        bits |= status << 2 * place
    return bits.to_bytes(count // 4, "little")


def status_chunk(places: Mapping[int, int], **other: Any) -> bytes:
    """A segment, compressed: what stands in `COMPRESSED`, once it is seen to be that."""
    lst = bytes.fromhex(COMPRESSED[tuple(places)])
    if zlib.decompress(lst) != statuses_of(places):
        raise ValueError("this is compressed of something else")
    return dumps({"bits": 2, "lst": lst} | other)


def manifest(**other: Any) -> Json:
    """The content of a manifest. `None` stands for null, and `...` leaves a field out."""
    gate = {"id": "main-door", "direction": "entry", "repeat_window": 5, "second_proof": 0, "offline": "bound_tokens"}
    content: Json = {
        "v": 1,
        "tenant": TENANT,
        "seq": NOW * 1_000_000,
        "max_stale": 14_400,
        "epoch": 0,
        "keys": [[KID, public_of(PRIVATE)]],
        "gate": gate,
        "schedules": [],
        "status_list": "draft-ietf-oauth-status-list-20",
        "passes": [],
        "statuses": [],
        "refused": None,
    }
    return {name: value for name, value in {**content, **other}.items() if value is not ...}


def enclosed(payload: bytes, *, header: bytes = HEADER, unprotected: Any = None, **signing: Any) -> bytes:
    """A COSE_Sign1 around any payload, with its right signature."""
    aad = signing.pop("aad", dumps(["GPB1", TENANT]))
    return dumps([header, unprotected or {}, payload, sign(header, payload, aad=aad, **signing)])


def signed(content: Any) -> bytes:
    return enclosed(dumps(content))


def raw_content(content: Json, order: Any = None, **raw: bytes) -> bytes:
    """The content as CBOR, with fields that are CBOR already, in canonical order or another."""
    pairs = [(dumps(name), raw.get(name, dumps(value))) for name, value in content.items()]
    in_order = sorted(pairs, key=order or (lambda pair: (len(pair[0]), pair[0])))
    return bytes([0xA0 + len(pairs)]) + b"".join(name + value for name, value in in_order)
