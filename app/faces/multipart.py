"""Forms with files in them (RFC 7578), read in memory: a picture is never written anywhere."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from .text import is_clean


class Form(NamedTuple):
    """The fields of a form, none of them twice, and its files."""

    fields: dict[str, str]
    files: dict[str, bytes]


async def read_form(
    content_type: str, body: bytes, *, max_files: int, max_fields: int, max_field: int = 16 * 1024
) -> Form:
    """The form in `body`; `max_field` is the longest field in bytes. Raises ValueError, which repeats nothing of it."""
    parser = _InMemoryParser(
        Headers({"content-type": content_type}),
        _at_once(body),
        max_files=max_files,
        max_fields=max_fields,
        max_part_size=max_field,
    )
    parser.spool_max_size = len(body) + 1
    try:
        return await _of(await parser.parse())
    except (MultiPartException, LookupError, UnicodeError):
        raise ValueError(f"The body is not multipart/form-data with at most {max_files} file(s).") from None
    finally:
        parser.close()


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, which would put a part of more than 1 MB on disk."""

    def close(self) -> None:
        """Let go of every part, also of one that was cut short."""
        for part in self._files_to_close_on_error:
            part.close()


async def _at_once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _of(parsed: FormData) -> Form:
    form = Form({}, {})
    for name, value in parsed.multi_items():
        if name in form.fields or name in form.files:
            raise ValueError("The body has the same field twice.")
        if isinstance(value, UploadFile):
            form.files[name] = await value.read()
        elif not is_clean(name) or not is_clean(value):
            raise ValueError("The body has a character that no text may have: NUL, or half of a surrogate pair.")
        else:
            form.fields[name] = value
    return form
