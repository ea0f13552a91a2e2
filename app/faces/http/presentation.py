"""What a request to verify presents: JSON or a form, a token or a picture.

A picture is decoded and kept in memory, and nowhere else.
"""

import re
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from app.core.model import Direction
from app.faces.multipart import read_form
from app.faces.pictures import MAX_PICTURE, from_base64
from app.faces.problems import Problem
from app.faces.strict_json import read_json
from app.services.mistakes import Invalid
from app.services.verify import Presentation

from .fields import Body, GateId, Reason, Side

MAX_BODY = MAX_PICTURE * 4 // 3 + 8 * 1024
"""A picture in base64, and the other fields."""

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
    try:
        return _not_too_large(from_base64(text))
    except ValueError as fault:
        raise Invalid("picture", str(fault)) from None


def _not_too_large(picture: bytes) -> bytes:
    if len(picture) > MAX_PICTURE:
        raise Problem(413, "The picture is larger than 5 MB.")
    return picture


async def _multipart(content_type: str, body: bytes) -> tuple[NewVerification, bytes | None]:
    try:
        form = await read_form(content_type, body, max_files=1, max_fields=8)
    except ValueError as fault:
        raise Problem(400, str(fault)) from None
    if form.files.keys() - {"picture"}:
        raise Problem(422, "A field is invalid.", errors=[{"field": "", "message": "The file is `picture`."}])
    text = form.fields.pop("picture", None)
    picture = form.files.get("picture") if text is None else _decoded(text)
    if picture is not None:
        _not_too_large(picture)
    return _FormVerification.model_validate(form.fields), picture
