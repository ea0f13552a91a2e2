"""Texts out of the bytes that a scanner sends: each ends with Enter or Tab.

What scanners put before a text (an ECI mark) is taken off where it is verified.
"""

_ENDS = b"\r\n\t"
_LONGEST = 7089
"""The most characters a QR code holds. What is longer is no code: a cat on the keyboard, a line that is never ended."""


class Pieces:
    """Bytes go in as they come, texts come out as they end."""

    def __init__(self) -> None:
        self._begun = bytearray()

    @property
    def begun(self) -> bool:
        """Whether a text has begun and not ended."""
        return bool(self._begun)

    def add(self, data: bytes) -> list[str]:
        """The texts that end in `data`."""
        ended = []
        for byte in data:
            if byte in _ENDS:
                ended += self.end()
            elif len(self._begun) <= _LONGEST:
                self._begun.append(byte)
        return ended

    def end(self) -> list[str]:
        """What has begun, as a text; nothing, where that is nothing, or too long."""
        text, whole = self._begun.decode("utf-8", "replace"), 0 < len(self._begun) <= _LONGEST
        self._begun.clear()
        return [text] if whole else []
