"""The clock and the randomness of the machine. Only here is the time asked for and chance drawn."""

import secrets
import time

from .core.ids import ALPHABET, uuid7

_REQUEST_ID_CHARACTERS = 22
"""Of base62: 130 bits."""


def now() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def monotonic() -> float:
    """Seconds of a clock that nobody sets."""
    return time.monotonic()


def new_request_id() -> str:
    """`k-` and 22 characters that nobody can foresee."""
    return "k-" + "".join(secrets.choice(ALPHABET) for _ in range(_REQUEST_ID_CHARACTERS))


def new_verification(at: int) -> bytes:
    """The id (16 bytes, a UUIDv7) of a verification that is decided here."""
    return uuid7(at, secrets.token_bytes(8))
