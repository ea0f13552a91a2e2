"""Ed25519 keys: how they are named, when each is used, and the plain implementation of checking a signature."""

import hashlib
from typing import NamedTuple

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .cose import ED25519
from .model import DAY
from .tokens.signed import MAX_LIFETIME_S

PUBLISHED_BEFORE_USE = 3 * DAY
"""How long a key stands in the published set before it signs (microseconds): every verifier has fetched it by then."""

LONGEST_TOKEN = MAX_LIFETIME_S[True] * 1_000_000

_PRIME = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8, _PRIME, _PRIME + 1})
"""The y coordinates of the eight points of order 1, 2, 4 and 8, and the longer spellings of 0 and 1."""


def thumbprint(public: bytes) -> bytes:
    """The RFC 9679 thumbprint (32 bytes): SHA-256 of the canonical COSE_Key {1: OKP, -1: Ed25519, -2: x}."""
    return hashlib.sha256(cbor2.dumps({1: 1, -1: 6, -2: public}, canonical=True)).digest()


def key_id(public: bytes) -> bytes:
    """The `kid` of a public key: the first 4 bytes of its thumbprint. A hint, not a proof."""
    return thumbprint(public)[:4]


class KeyTimes(NamedTuple):
    """When a signing key begins to sign, stops, and is gone (microseconds; None: not known yet)."""

    active_from: int
    retired_at: int | None = None
    gone_at: int | None = None

    def state(self, now: int) -> str:
        """`next`, `active`, `retiring` or `gone`: only an active key signs, all but a gone one verify."""
        if self.gone_at is not None and now >= self.gone_at:
            return "gone"
        if self.retired_at is not None and now >= self.retired_at:
            return "retiring"
        return "active" if now >= self.active_from else "next"


class Ed25519Key:
    """A public key that checks signatures with `cryptography`.

    Points of small order are refused, as libsodium does: under such a key one signature holds for many messages.
    """

    algorithm = ED25519

    def __init__(self, public: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public)
        self._weak = _is_of_small_order(public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's over `message` (RFC 8032 section 5.1.7)."""
        if self._weak or _is_of_small_order(signature[:32]):
            return False
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def _is_of_small_order(point: bytes) -> bool:
    """Whether it is, as RFC 8032 section 5.1.2 writes points; the sign of x stands in the last bit."""
    return int.from_bytes(point, "little") & (1 << 255) - 1 in _SMALL_ORDER
