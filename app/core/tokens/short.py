"""`short` (GP0): `GP0` and 26 characters of base32 (RFC 4648 section 6, no padding): 128 random bits, nothing else.

For readers with length limits and kiosks with poor optics. Only a keyed hash of it is ever stored.
"""

import re
from base64 import b32decode, b32encode
from typing import NamedTuple

from ..model import Claims, Presented, Refused
from ..token_format import MALFORMED, Keyring, Pepper, keyed_hash

PREFIX = "GP0"
SECRET_BYTES = 16
_SHAPE = re.compile(r"[A-Z2-7]{25}[AEIMQUY4]")  # 26 characters hold 130 bits: the last two are 0, so one spelling only


class ShortFormat(NamedTuple):
    """The `short` kind."""

    kind: str = "short"

    def mint(self, secret: bytes) -> str:
        """The text for 16 random bytes."""
        if len(secret) != SECRET_BYTES:
            raise ValueError("a short token has 16 bytes")
        return PREFIX + b32encode(secret).decode("ascii").rstrip("=")

    def keyed_hash(self, text: str, tenant: str, pepper: Pepper) -> bytes:
        """What is stored: HMAC-SHA-256 under the pepper of CBOR ["GP0", tenant, the 16 bytes]."""
        secret = b32decode(text[len(PREFIX) :] + "======")
        return keyed_hash(pepper, [PREFIX, tenant, secret])

    def open(self, text: str, tenant: str, keyring: Keyring) -> Presented | None:
        """Its claims: the hashes by which the store knows it."""
        if not text.startswith(PREFIX):
            return None
        if not _SHAPE.fullmatch(text, len(PREFIX)):
            return Refused(MALFORMED)
        return Claims("short", tuple(self.keyed_hash(text, tenant, pepper) for pepper in keyring.peppers))


SHORT = ShortFormat()
