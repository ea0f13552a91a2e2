"""The parts of a form with files (RFC 7578) as they came, for devices that compress one: nothing is decoded here."""

from typing import TYPE_CHECKING, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_NO_FORM = "The body is not multipart/form-data."


class Part(NamedTuple):
    """A part of a form as it came. `encoding` is its Content-Encoding in lower case, "" where it has none."""

    name: str
    encoding: str
    content: bytes


def read_parts(content_type: str, body: bytes, *, max_parts: int) -> list[Part]:
    """The parts of the form in `body`, fields and files alike. Raises ValueError, which repeats nothing of it."""
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if media_type != b"multipart/form-data" or not boundary:
        raise ValueError(_NO_FORM)
    collected = _Collected(max_parts)
    parser = MultipartParser(boundary, collected.callbacks())
    try:
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError):
        raise ValueError(_NO_FORM) from None
    if not collected.whole:
        raise ValueError(_NO_FORM)
    return collected.parts


class _Collected:
    """The parts that a parser has come to. `whole` is true once it came to the end of the form."""

    def __init__(self, max_parts: int) -> None:
        self.parts: list[Part] = []
        self.whole = False
        self._max_parts = max_parts
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value, self._content = b"", b"", bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        if len(self.parts) == self._max_parts:
            raise ValueError(f"The body has more than {self._max_parts} parts.")
        self._headers, self._content = {}, bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8")
        if any(part.name == name for part in self.parts):
            raise ValueError("The body has the same field twice.")
        encoding = self._headers.get(b"content-encoding", b"").strip().lower().decode("latin-1")
        self.parts.append(Part(name, encoding, bytes(self._content)))

    def _finish(self) -> None:
        self.whole = True
