"""Sealing secrets at rest: AES-256-GCM under the master key.

A sealed secret is the wrapping key's id (4 bytes), a nonce (12), and the ciphertext with its tag. The associated data
is where it stands (table, tenant, row), so that a sealed secret moved to another row does not open.
"""

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .entropy import Entropy

KEY_BYTES = 32
_ID_BYTES, _NONCE_BYTES = 4, 12


class WrongMasterKey(Exception):
    """The secret was sealed under another master key, or stands where it does not belong."""


class MasterKey:
    """The key that all secrets at rest are sealed under (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a master key has 32 bytes")
        self.id = hashlib.sha256(b"gatepass master key" + key).digest()[:_ID_BYTES]
        self._aead = AESGCM(key)

    def seal(self, secret: bytes, where: tuple[str, str, str], entropy: Entropy) -> bytes:
        """`secret`, sealed for the place `where` (table, tenant, row)."""
        nonce = entropy.bytes(_NONCE_BYTES)
        return self.id + nonce + self._aead.encrypt(nonce, secret, _associated_data(where))

    def open(self, sealed: bytes, where: tuple[str, str, str]) -> bytes:
        """The secret sealed for that place. Raises `WrongMasterKey`."""
        nonce, ciphertext = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], sealed[_ID_BYTES + _NONCE_BYTES :]
        if sealed[:_ID_BYTES] != self.id:
            raise WrongMasterKey
        try:
            return self._aead.decrypt(nonce, ciphertext, _associated_data(where))
        except (InvalidTag, ValueError):  # a ValueError where it is too short to have a nonce
            raise WrongMasterKey from None


def _associated_data(where: tuple[str, str, str]) -> bytes:
    return b"".join(len(part.encode()).to_bytes(2, "big") + part.encode() for part in where)


def read_master_key(path: Path) -> bytes:
    """The key in a file of 64 hexadecimal digits. Raises ValueError where there is none in it."""
    return parse_master_key(path.read_text(encoding="ascii"))


def parse_master_key(text: str) -> bytes:
    """The key written as 64 hexadecimal digits. Raises ValueError, which does not repeat what was given."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("a master key is 64 hexadecimal digits (32 bytes): openssl rand -hex 32")
    return key


def make_master_key_file(path: Path, entropy: Entropy) -> bytes:
    """A new key, in a new file that only its owner can read. Raises FileExistsError rather than overwrite one."""
    key = entropy.bytes(KEY_BYTES)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(key.hex() + "\n", encoding="ascii")
    return key
