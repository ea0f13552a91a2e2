"""`/v1/tokens`."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from pydantic import ConfigDict, Field

from app.core.ids import show
from app.core.model import SECOND
from app.effects.draw_pictures import draw_png, draw_svg
from app.faces.problems import Problem
from app.services.blocks import block_token, unblock_token
from app.services.credentials import Caller
from app.services.issue import IssuedToken, TokenWish, issue
from app.services.revoke import revoke_token
from app.storage.records import TokenRecord

from .accept import preferred
from .blocks import Block, NewBlock, Unblock, show_block
from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, Nothing, ShownTime, id_of, maybe_time, show_time

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])

Kind = Literal["signed", "short", "code"]
_OFFERED = ("application/json", "image/png", "image/svg+xml")
_PICTURES: dict[str, Any] = {
    "image/png": {"schema": {"type": "string", "format": "binary"}},
    "image/svg+xml": {"schema": {"type": "string"}},
}
_PICTURE_HEADERS = {
    "Gatepass-Token-Id": {"description": "With a picture: the token's id.", "schema": {"type": "string"}},
    "Expires": {"description": "With a picture: when the token expires.", "schema": {"type": "string"}},
}
_DRAW = {"png": (draw_png, "image/png"), "svg": (draw_svg, "image/svg+xml")}


class NewToken(Body):
    """A token to issue for a pass. `gate` binds it to one gate; `reusable` makes a badge; `picture` adds a QR code."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"pass": "pass_0352LBz28ZHwNkoj4V4vQB", "kind": "signed", "ttl_s": 60, "picture": "png"}]
        }
    )

    pass_: Annotated[str, Field(alias="pass", max_length=64)]
    kind: Kind
    ttl_s: int | None = None
    gate: GateId | None = None
    reusable: bool = False
    picture: Literal["png", "svg"] | None = None


class StoredToken(Answer):
    """A token, without its text, which is not kept."""

    id: str
    kind: Kind
    pass_: Annotated[str, Field(alias="pass")]
    issued_at: ShownTime
    expires_at: ShownTime
    gate: str | None
    reusable: bool
    revoked_at: ShownTime | None
    blocked: Block | None


class IssuedTokenAnswer(StoredToken):
    """A new token. `token` is shown here only; null where an earlier request with this Idempotency-Key got it."""

    token: str | None
    display: Annotated[str | None, Field(description="A code in groups, as a person reads it.")]
    picture: Annotated[str | None, Field(description="A data URI, where one was asked for.")]


Issuer = Annotated[Caller, allowed("tokens:issue")]


@router.post(
    "",
    status_code=201,
    summary="Issue a token",
    response_description="The token, shown this once",
    response_model=IssuedTokenAnswer,
    responses={201: {"content": _PICTURES, "headers": _PICTURE_HEADERS}},
)
async def create(
    app: App,
    caller: Issuer,
    body: NewToken,
    retry: RetryKey,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> Any:  # noqa: ANN401  the model above, or a picture
    """Issue a token of the pass. With `Accept: image/png` or `image/svg+xml` the answer is the picture itself."""
    wish = TokenWish(id_of("pass", "pass", body.pass_), body.kind, body.ttl_s, body.gate, body.reusable)
    issued = await issue(app, caller, wish, retry)
    wanted = preferred(accept, _OFFERED)
    for draw, media_type in _DRAW.values():
        if media_type == wanted:
            return await _picture(issued, draw, media_type)
    shown = _show(issued.record) | {"token": issued.text, "display": issued.display, "picture": None}
    if body.picture is not None and issued.text is not None:
        draw, media_type = _DRAW[body.picture]
        encoded = b64encode(await asyncio.to_thread(draw, issued.text)).decode("ascii")
        shown["picture"] = f"data:{media_type};base64,{encoded}"
    return shown


@router.post(
    "/{id}/revoke", summary="Revoke a token", response_description="The token, revoked", response_model=StoredToken
)
async def revoke(
    app: App,
    caller: Issuer,
    id: str,  # noqa: A002
    body: Nothing | None = None,  # noqa: ARG001  so that a field sent here is refused
) -> Any:  # noqa: ANN401  the model above
    """Refuse the token from the moment of the answer."""
    return _show(await revoke_token(app, caller, id_of("tok", "token", id)))


@router.post(
    "/{id}/block", summary="Block a token", response_description="The token, blocked", response_model=StoredToken
)
async def block(app: App, caller: Issuer, id: str, body: NewBlock) -> Any:  # noqa: A002, ANN401  the model above
    """Refuse the token from the moment of the answer, until it is unblocked. The first block stays."""
    return _show(await block_token(app, caller, id_of("tok", "token", id), body.reason))


@router.post(
    "/{id}/unblock",
    summary="Unblock a token",
    response_description="The token, no longer blocked",
    response_model=StoredToken,
)
async def unblock(
    app: App,
    caller: Issuer,
    id: str,  # noqa: A002
    body: Unblock | None = None,
) -> Any:  # noqa: ANN401  the model above
    """Let the token count again, for as long as it lives."""
    return _show(await unblock_token(app, caller, id_of("tok", "token", id), body.reason if body else None))


async def _picture(issued: IssuedToken, draw: Any, media_type: str) -> Response:  # noqa: ANN401  a drawing function
    if issued.text is None:
        raise Problem(409, "An earlier request with this Idempotency-Key got the token.", code="token_not_kept")
    expires = datetime.fromtimestamp(issued.record.expires_at // SECOND, UTC)
    return Response(
        await asyncio.to_thread(draw, issued.text),
        status_code=201,
        media_type=media_type,
        headers={
            "Gatepass-Token-Id": show("tok", issued.record.id),
            "Expires": format_datetime(expires, usegmt=True),
            "Cache-Control": "no-store",
        },
    )


def _show(token: TokenRecord) -> dict[str, Any]:
    return {
        "id": show("tok", token.id),
        "kind": token.kind,
        "pass": show("pass", token.pass_),
        "issued_at": show_time(token.issued_at),
        "expires_at": show_time(token.expires_at),
        "gate": token.gate,
        "reusable": token.reusable,
        "revoked_at": maybe_time(token.revoked_at),
        "blocked": show_block(token.blocked_at, token.blocked_reason),
    }
