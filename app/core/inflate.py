"""Undoing zlib (RFC 1950), held to a size."""

import zlib


def inflate(data: bytes, most: int) -> bytes:
    """What was compressed, `most` bytes at most.

    Raises ValueError where it is more, broken, or has something behind it.
    """
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, most + 1)
    except zlib.error:
        raise ValueError("This is not compressed with zlib.") from None
    if len(inflated) > most:
        raise ValueError("It is larger than it may be.")
    if not stream.eof or stream.unused_data:
        raise ValueError("It is cut off, or something is behind it.")
    return inflated
