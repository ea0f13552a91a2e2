"""What the vectors are made of: published keys, and the parts of the standards.

Nothing here is taken from the code that the vectors test.
"""

import hashlib
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TENANT = "default"
VERSION = 1

PRIVATE = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
OTHER_PRIVATE = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
ORDER = 2**252 + 27742317777372353535851937790883648493

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
EXP, IAT, CTI, AUD, GATEPASS = 4, 6, 7, 3, -65537
ISSUED = 1_795_339_790  # 2026-11-22T09:29:50Z
UUID7 = bytes.fromhex("019aa97d2bc07000800000000000abcd")
LARGEST = 2**53 - 1

Json = dict[str, Any]
Bad = tuple[str, str, str]
"""The reason, the text, and what is wrong with it."""


def base45(data: bytes) -> str:
    """RFC 9285 section 4, as it is written there."""
    text = ""
    for place in range(0, len(data), 2):
        value = int.from_bytes(data[place : place + 2], "big")
        for _ in range(3 if place + 1 < len(data) else 2):
            value, digit = divmod(value, 45)
            text += ALPHABET[digit]
    return text


def dumps(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def public_of(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def kid_of(public: bytes) -> bytes:
    """RFC 9679: SHA-256 of {1: 1, -1: 6, -2: x}, of which the first 4 bytes."""
    return hashlib.sha256(bytes.fromhex("a301012006215820") + public).digest()[:4]


KID = kid_of(public_of(PRIVATE))
HEADER = dumps({1: -19, 4: KID})


def claims(**other: Any) -> dict[int, Any]:
    """The claims of a token that is good once for a minute. `None` leaves one out."""
    values = {"exp": ISSUED + 60, "iat": ISSUED, "cti": UUID7, "aud": None, "ours": [0, 4711, 0]} | other
    labels = {"exp": EXP, "iat": IAT, "cti": CTI, "aud": AUD, "ours": GATEPASS}
    return {labels[name]: value for name, value in values.items() if value is not None}


def to_be_signed(protected: bytes, payload: bytes, aad: bytes, context: str = "Signature1") -> bytes:
    return dumps([context, protected, aad, payload])


def sign(
    protected: bytes = HEADER,
    payload: bytes = dumps(claims()),
    *,
    private: bytes = PRIVATE,
    aad: bytes = dumps(["GP1", TENANT]),
    context: str = "Signature1",
) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).sign(to_be_signed(protected, payload, aad, context))


def text_of(cose: bytes) -> str:
    return "GP1:" + base45(cose)


def token(protected: bytes = HEADER, payload: bytes = dumps(claims()), **signing: Any) -> str:
    """A token around any header and payload, with its right signature."""
    return text_of(dumps([protected, {}, payload, sign(protected, payload, **signing)]))


def with_claims(**other: Any) -> str:
    return token(payload=dumps(claims(**other)))


def raw_map(*pairs: tuple[bytes, bytes]) -> bytes:
    """A map of items that are CBOR already, in the order given."""
    return bytes([0xA0 + len(pairs)]) + b"".join(label + value for label, value in pairs)


def raw_claims(*, labels: dict[int, bytes] | None = None, **items: bytes) -> str:
    """A signed token whose claims are given as CBOR, under labels that may be given as CBOR too."""
    parts = {"aud": AUD, "exp": EXP, "iat": IAT, "cti": CTI, "ours": GATEPASS}
    pairs = []
    for name, label in parts.items():
        item = items.get(name, dumps(claims()[label]) if label != AUD else None)
        if item is not None:
            pairs.append(((labels or {}).get(label, dumps(label)), item))
    return token(payload=raw_map(*sorted(pairs, key=lambda pair: (len(pair[0]), pair[0]))))


def as_entries(bad: list[Bad]) -> list[Json]:
    return [{"text": text, "reason": reason, "wrong": wrong} for reason, text, wrong in bad]
