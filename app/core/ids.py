"""Ids: UUIDv7 (RFC 9562 section 5.7), shown as a prefix and 22 characters of base62."""

import re

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_SHAPE = re.compile(r"[0-9A-Za-z]{22}")

CALLERS_OWN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""The pattern of ids that a caller may choose, for gates and zones."""


def uuid7(now: int, random: bytes) -> bytes:
    """A UUIDv7 of 16 bytes from the time in microseconds and 8 random bytes.

    The 12 bits behind the milliseconds hold the fraction (RFC 9562 section 6.2, method 3), so ids made one after
    another are in order and an index grows at its end.
    """
    milliseconds, rest = divmod(now, 1000)
    head = milliseconds << 16 | 0x7000 | rest * 4096 // 1000
    tail = int.from_bytes(random[:8], "big") & (1 << 62) - 1 | 1 << 63
    return (head << 64 | tail).to_bytes(16, "big")


def show(prefix: str, id_: bytes) -> str:
    """`prefix`, an underscore and the 22 characters of `id_` (16 bytes)."""
    value = int.from_bytes(id_, "big")
    pairs = []
    for _ in range(11):
        value, pair = divmod(value, 3844)
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    return prefix + "_" + "".join(pairs)


def parse(prefix: str, text: str) -> bytes | None:
    """The 16 bytes of a shown id; None where `text` is no id with this prefix."""
    if not text.startswith(prefix + "_") or not _SHAPE.fullmatch(text, len(prefix) + 1):
        return None
    value = 0
    for character in text[len(prefix) + 1 :]:
        value = value * 62 + _VALUES[character]
    return value.to_bytes(16, "big") if value < 1 << 128 else None
