"""What a token format is: the texts it knows by their look, and how to open one.

Opening has three outcomes, never two: not mine (None), mine but bad (`Refused`), claims (`Claims`).
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from .model import Claims, Presented, Refused

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


__all__ = [
    "BAD_SIGNATURE",
    "MALFORMED",
    "UNRECOGNISED",
    "Claims",
    "Keyring",
    "Pepper",
    "PublicKey",
    "Refused",
]
