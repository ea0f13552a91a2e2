"""What a token format is: the texts it knows by their look, and how to open one.

Opening has three outcomes, never two: not mine (None), mine but bad (`Refused`), claims (`Claims`).
"""

import hmac
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import cbor2

from .model import Presented

UNRECOGNISED = "unrecognised"
MALFORMED = "malformed"
BAD_SIGNATURE = "bad_signature"


class PublicKey(Protocol):
    """A key that signatures are checked with. The algorithm is the key's own, never the token's choice."""

    @property
    def algorithm(self) -> int:
        """The COSE algorithm number, -19 for Ed25519 (RFC 9864 section 2.2)."""

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's over `message`."""


class Pepper(NamedTuple):
    """The secret under which opaque tokens are hashed."""

    version: int
    secret: bytes


def keyed_hash(pepper: Pepper, content: list[object]) -> bytes:
    """What is stored of an opaque token: HMAC-SHA-256 (RFC 2104) under the pepper, of `content` as canonical CBOR."""
    # Not hmac.digest, which gives up the interpreter lock for a microsecond's work and waits to get it back.
    return hmac.new(pepper.secret, cbor2.dumps(content, canonical=True), "sha256").digest()


class Keyring(NamedTuple):
    """What is needed to open tokens: the pinned public keys by `kid` (4 bytes), and the live peppers, newest first."""

    keys: Mapping[bytes, PublicKey]
    peppers: tuple[Pepper, ...] = ()


class TokenFormat(Protocol):
    """One kind of token."""

    @property
    def kind(self) -> str:
        """The kind's name in the API."""

    def open(self, text: str, tenant: str, keyring: Keyring) -> Presented | None:
        """None where `text` is not of this format; `Refused` where it is but is bad; else its claims."""
