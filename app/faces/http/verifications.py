"""`/v1/verifications`: the endpoint that every gate calls, and the list of what happened.

`post_verification` takes the bytes of a body and gives the bytes of an answer. `front.py` calls it directly: at a gate
every layer between the socket and the decision costs more than the decision. Its place in `openapi.yaml` is made from
the same models, in `openapi.py`.
"""

import binascii
import re
from base64 import b64decode
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import to_json
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.core.decision import REASONS
from app.core.ids import parse, show
from app.core.model import Direction
from app.services.context import Context
from app.services.credentials import Caller
from app.services.mistakes import Invalid
from app.services.verify import Presentation, list_verifications, verify
from app.storage.records import VerificationRecord
from app.storage.repositories.verifications import VerificationFilter

from .caller import App, allowed
from .fields import Answer, Body, GateId, Ref, ShownTime, Side, Time, show_time_us
from .lists import ListQuery
from .problems import Problem
from .strict_json import read_json

router = APIRouter(prefix="/v1/verifications", tags=["verifications"])

PATH = "/v1/verifications"
SCOPE = "verifications:create"
MAX_PICTURE = 5 * 1024 * 1024
MAX_BODY = MAX_PICTURE * 4 // 3 + 8 * 1024
"""A picture in base64, and the other fields."""

_DATA_URI = re.compile(r"data:image/[a-z+.-]{1,32};base64,")
_LONGEST_QR_TEXT = 7089


class NewVerification(Body):
    """What is presented at a gate: the text of a token, or a picture with its code in it; not both."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "GP1:6BFOXN*TS0BI$ZD...", "gate": "main-door", "request_id": "kiosk-1.0007"}]
        }
    )

    gate: GateId
    token: Annotated[str, Field(max_length=_LONGEST_QR_TEXT)] | None = None
    picture: Annotated[str, Field(description="Base64 or a data URI: JPEG, PNG, WebP, BMP, GIF; 5 MB")] | None = None
    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    direction: Side | None = None


class NamedHolder(Answer):
    """Who the token was genuine for."""

    ref: str
    name: str | None


class Verification(Answer):
    """One attempt and its decision. `pass` and `holder` are given only where the token was genuine.

    `repeated` tells that this answer was given before: only a replay of a `request_id` should move a relay again.
    """

    id: str
    decision: Literal["admit", "deny"]
    reason: Annotated[str, Field(json_schema_extra={"enum": list(REASONS)})]
    flags: list[str]
    gate: str
    direction: Literal["entry", "exit", "both"]
    pass_: Annotated[str | None, Field(alias="pass")]
    holder: NamedHolder | None
    token_kind: str | None
    at: ShownTime
    repeated: Literal["request_id", "window"] | None
    request_id: str | None


class VerificationList(Answer):
    """A page of verifications, newest first."""

    items: list[Verification]
    next: str | None


class VerificationQuery(ListQuery):
    """Which verifications: `pass` is an id, `holder` a ref; `since` is included, `until` is not."""

    gate: GateId | None = None
    pass_: Annotated[str | None, Field(alias="pass", max_length=64)] = None
    holder: Ref | None = None
    decision: Literal["admit", "deny"] | None = None
    since: Time | None = None
    until: Time | None = None


async def post_verification(app: Context, caller: Caller, content_type: str, body: bytes) -> bytes:
    """Verify what a request presents; the answer's JSON. Raises `Problem` and the services' mistakes."""
    if not caller.may(SCOPE):
        raise Problem(403, f"This key has not the scope {SCOPE}.")
    settled = await verify(app, caller, await _presentation(content_type, body))
    pass_ = None if settled.pass_ is None else show("pass", settled.pass_)
    return to_json(
        {
            "id": show("ver", settled.verification),
            "decision": settled.outcome.value,
            "reason": settled.reason,
            "flags": settled.flags,
            "gate": settled.gate,
            "direction": settled.direction,
            "pass": pass_,
            "holder": None if pass_ is None else {"ref": settled.ref, "name": settled.name},
            "token_kind": settled.kind,
            "at": show_time_us(settled.at),
            "repeated": settled.repeated,
            "request_id": settled.request_id,
        }
    )


@router.get(
    "", summary="List verifications", response_description="A page of verifications", response_model=VerificationList
)
async def list_(
    app: App,
    caller: Annotated[Caller, allowed("verifications:read")],
    query: Annotated[VerificationQuery, Query()],
) -> object:
    """The tenant's verifications, newest first."""
    pass_ = None if query.pass_ is None else parse("pass", query.pass_)
    if query.pass_ is not None and pass_ is None:
        raise Invalid("pass", "That is no pass's id.")
    wanted = VerificationFilter(query.gate, pass_, None, query.decision, query.since, query.until)
    after = query.after("verifications", bytes)
    page = await list_verifications(app, caller, after, query.limit, wanted=wanted, holder=query.holder)
    return query.answer("verifications", page, _show)


async def _presentation(content_type: str, body: bytes) -> Presentation:
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
    return Presentation(wish.gate, wish.token, picture, wish.request_id, direction)


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
    return NewVerification.model_validate(fields), picture


def _show(record: VerificationRecord) -> dict[str, Any]:
    return {
        "id": show("ver", record.id),
        "decision": record.decision,
        "reason": record.reason,
        "flags": record.flags.split(),
        "gate": record.gate,
        "direction": record.direction,
        "pass": None if record.pass_ is None else show("pass", record.pass_),
        "holder": None if record.ref is None else {"ref": record.ref, "name": record.name},
        "token_kind": record.kind,
        "at": show_time_us(record.at),
        "repeated": None,
        "request_id": record.request_id,
    }
