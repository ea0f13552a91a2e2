"""What a request to verify presents: JSON or a form, a token or a picture.

A picture is decoded and kept in memory, and nowhere else.
"""

import binascii
import re
from base64 import b64decode
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.core.model import Direction
from app.services.mistakes import Invalid
from app.services.verify import Presentation

from .fields import Body, GateId, Reason, Side
from .problems import Problem
from .strict_json import read_json

MAX_PICTURE = 5 * 1024 * 1024
MAX_BODY = MAX_PICTURE * 4 // 3 + 8 * 1024
"""A picture in base64, and the other fields."""

_DATA_URI = re.compile(r"data:image/[a-z+.-]{1,32};base64,")
_LONGEST_QR_TEXT = 7089

Text = Annotated[str, Field(max_length=_LONGEST_QR_TEXT)]
People = Annotated[int, Field(ge=1, le=1000)]


class OverrideReason(Body):
    """Why somebody at the desk admits against the rules. It is kept with the verification."""

    reason: Annotated[Reason, Field(min_length=1)]


class NewVerification(Body):
    """What is presented at a gate: the text of a token or card, or a picture with its code in it; not both.

    `people` is how many want to go through. `override` admits against the rules and needs the scope for it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "GP1:6BFOXN*TS0BI$ZD...", "gate": "main-door", "request_id": "kiosk-1.0007"}]
        }
    )

    gate: GateId
    token: Text | None = None
    picture: Annotated[str, Field(description="Base64 or a data URI: JPEG, PNG, WebP, BMP, GIF; 5 MB")] | None = None
    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    direction: Side | None = None
    people: People = 1
    override: OverrideReason | None = None


def _whole_number(text: object) -> object:
    """Digits as a number; anything else as it is, to be refused."""
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,4}", text) else text


def _as_reason(text: object) -> object:
    return {"reason": text} if isinstance(text, str) else text


class _FormVerification(NewVerification):
    """The same in a form, whose fields are all text."""

    people: Annotated[People, BeforeValidator(_whole_number)] = 1
    override: Annotated[OverrideReason | None, BeforeValidator(_as_reason)] = None


async def read_presentation(content_type: str, body: bytes) -> Presentation:
    """What the bytes of a body present. Raises `Problem`, `Invalid` and pydantic's errors."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        try:
            wish = NewVerification.model_validate(read_json(body))
        except ValidationError:
            raise
        except ValueError as fault:
            raise Problem(400, str(fault)) from None
        picture = None if wish.picture is None else _decoded(wish.picture)
    elif media_type == "multipart/form-data":
        wish, picture = await _multipart(content_type, body)
    else:
        raise Problem(415, "Send application/json or multipart/form-data.")
    if (wish.token is None) == (picture is None):
        raise Invalid("token", "Give either a token or a picture.")
    direction = None if wish.direction is None else Direction(wish.direction)
    override = None if wish.override is None else wish.override.reason
    return Presentation(wish.gate, wish.token, picture, wish.request_id, direction, wish.people, override)


def _decoded(text: str) -> bytes:
    """The picture in base64 or a data URI."""
    prefix = _DATA_URI.match(text)
    try:
        picture = b64decode(text[prefix.end() if prefix else 0 :], validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("picture", "The picture is neither base64 nor a data URI of an image.") from None
    if len(picture) > MAX_PICTURE:
        raise Problem(413, "The picture is larger than 5 MB.")
    return picture


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, which would put a part of more than 1 MB on disk. A picture is never written anywhere."""

    spool_max_size = MAX_BODY + 1

    def close(self) -> None:
        """Let go of every part, also of one that was cut short."""
        for part in self._files_to_close_on_error:
            part.close()


async def _multipart(content_type: str, body: bytes) -> tuple[NewVerification, bytes | None]:
    async def chunks() -> Any:  # noqa: ANN401  an async generator
        yield body

    parser = _InMemoryParser(
        Headers({"content-type": content_type}), chunks(), max_files=1, max_fields=8, max_part_size=16 * 1024
    )
    try:
        return await _of_form(await _parsed(parser))
    finally:
        parser.close()


async def _parsed(parser: _InMemoryParser) -> FormData:
    try:
        return await parser.parse()
    except (MultiPartException, ValueError, LookupError):
        raise Problem(400, "The body is not multipart/form-data with at most one file.") from None


async def _of_form(form: FormData) -> tuple[NewVerification, bytes | None]:
    picture, fields = None, {}
    for name, value in form.multi_items():
        if name in fields or (name == "picture" and picture is not None):
            raise Problem(400, "The body has the same field twice.")
        if isinstance(value, UploadFile):
            if name != "picture":
                raise Problem(422, "A field is invalid.", errors=[{"field": "", "message": "The file is `picture`."}])
            picture = await value.read()
        elif "\0" in value or any(0xD800 <= ord(character) < 0xE000 for character in value):
            raise Problem(400, "The body has a character that no text may have: NUL, or half of a surrogate pair.")
        elif name == "picture":
            picture = _decoded(value)
        else:
            fields[name] = value
    if picture is not None and len(picture) > MAX_PICTURE:
        raise Problem(413, "The picture is larger than 5 MB.")
    return _FormVerification.model_validate(fields), picture
