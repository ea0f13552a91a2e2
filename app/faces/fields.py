"""The fields of a client's request, however it sends them: as JSON, as a form, or as a form with files."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.services.connected import Kind
from app.services.context import Context

from .dialect import clean
from .multipart import read_form
from .pictures import MAX_BASE64, from_base64
from .problems import Problem
from .strict_json import read_json

_MOST_FIELDS = 32
_MOST_ESCAPES = 300_000
"""The largest picture in base64 has some 220,000: `+`, `/` and `=`."""

_MOST_LISTED = 4096
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


class Fields:
    """What a request has, by name: texts, numbers and lists of JSON, and files."""

    def __init__(self, value: object, files: Mapping[str, bytes]) -> None:
        self.value = value
        self._named: Mapping[str, Any] = value if isinstance(value, dict) else {}
        self._files = files

    @property
    def files(self) -> Sequence[str]:
        """The names of the files, in their order."""
        return tuple(self._files)

    def has(self, name: str) -> bool:
        """Whether there is such a field, or a file, that is not empty."""
        return bool(self._files.get(name)) or self._named.get(name) not in (None, "")

    def text(self, name: str) -> str | None:
        """The text; a number as its digits; None where there is none. Raises `Problem` for another type."""
        value = self._named.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Problem(400, "A field of the request is of another type.")
        return clean(str(value))

    def number(self, name: str, otherwise: int) -> int:
        """The whole number, also where it is written as text. Raises `Problem` where it is none."""
        text = self.text(name)
        return otherwise if text in (None, "") else whole_number(text or "")

    def listed(self, name: str | None = None) -> Sequence[Any]:
        """The list in a field, or that the whole body is. Raises `Problem` where it is none."""
        value = self.value if name is None else self._named.get(name, [])
        if not isinstance(value, list):
            raise Problem(400, "A field of the request is of another type.")
        if len(value) > _MOST_LISTED:
            raise Problem(400, f"A list of the request has more than {_MOST_LISTED} members.")
        return value

    def picture(self, name: str) -> bytes:
        """The picture in a file, or in base64, which may be in lines (RFC 2045 section 6.8), as some clients write it.

        Raises `Problem`: `not_base64`, or that there is none.
        """
        if name in self._files:
            return self._files[name]
        text = self.text(name)
        if not text:
            raise Problem(400, "The request has no picture.")
        try:
            return from_base64("".join(text.split()))
        except ValueError:
            raise Problem(400, "Provided value is not Base64", code="not_base64") from None

    def discard(self, app: Context, kind: Kind, *names: str) -> None:
        """Count those of the fields that are there, and may hold a face: they are dropped, and were not decoded."""
        app.metrics.discarded(kind.name, sum(self.has(name) for name in names))


async def read_fields(request: Request, *, files: Sequence[str] = (), forms_only: bool = False) -> Fields:
    """The fields of the request. `files` are the names under which pictures come. Raises `Problem`.

    JSON is refused unread where `forms_only`: the key is a field there, so that the body may be a stranger's.
    """
    body = await request.body()
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        if media_type == "multipart/form-data":
            form = await read_form(
                content_type, body, max_files=len(files) or 1, max_fields=_MOST_FIELDS, max_field=MAX_BASE64
            )
            return Fields(form.fields, form.files)
        if body[:1] in (b"{", b"[") or media_type == "application/json":
            if forms_only:
                raise Problem(400, "Send a form: JSON is not read here.")
            return Fields(read_json(body) if body else {}, {})
        return Fields(_of_form(body), {})
    except ValueError as fault:
        raise Problem(400, str(fault)) from None


def whole_number(text: str) -> int:
    """The number that is written in ASCII digits. Raises `Problem` where it is none."""
    if not _WHOLE_NUMBER.fullmatch(text):
        raise Problem(400, "A number of the request is none.")
    return int(text)


def _of_form(body: bytes) -> dict[str, str]:
    """The fields of `application/x-www-form-urlencoded`."""
    if body.count(b"%") > _MOST_ESCAPES:
        raise ValueError("The body has too many characters that are written as escapes.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8.") from None
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    if len(dict(pairs)) < len(pairs):
        raise ValueError("The body has the same field twice.")
    return {clean(name): clean(value) for name, value in pairs}
