"""Base45 (RFC 9285): two bytes as three characters of the alphabet that QR codes pack into 5.5 bits each."""

import struct

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_NOT_IN_ALPHABET = 255
_VALUES = bytes(ALPHABET.find(chr(code)) % 256 if chr(code) in ALPHABET else _NOT_IN_ALPHABET for code in range(256))
_PAIRS = [ALPHABET[value % 45] + ALPHABET[value // 45] for value in range(45 * 45)]


def encode(data: bytes) -> str:
    """The base45 text of `data`, 3 characters for 2 bytes and 2 for a last odd one."""
    pairs = struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])
    text = "".join([_PAIRS[value % 2025] + ALPHABET[value // 2025] for value in pairs])
    return text + _PAIRS[data[-1]] if len(data) % 2 else text


def decode(text: str) -> bytes:
    """The bytes of a base45 text. Each byte string has one text, and no other is accepted.

    Raises ValueError for a character outside the alphabet, a length of 3n + 1, and a group above FFFF or FF.
    """
    values = text.encode("ascii").translate(_VALUES)
    if len(values) % 3 == 1 or _NOT_IN_ALPHABET in values:
        raise ValueError("not base45")
    whole = len(values) // 3 * 3
    groups = zip(values[0:whole:3], values[1:whole:3], values[2:whole:3], strict=True)
    pairs = [low + 45 * middle + 2025 * high for low, middle, high in groups]
    try:
        data = struct.pack(f">{len(pairs)}H", *pairs)
        return data + bytes([values[-2] + 45 * values[-1]]) if whole < len(values) else data
    except (struct.error, ValueError):
        raise ValueError("not base45") from None
