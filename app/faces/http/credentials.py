"""`/v1/credentials`, and those of a holder."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from app.core.ids import show
from app.services.cards import EnrolledCard, block_card, delete_card, enrol_card, list_cards, unblock_card
from app.services.credentials import Caller

from .blocks import Block, NewBlock, Unblock, show_block
from .caller import App, RetryKey, allowed
from .fields import Answer, Body, ShownTime, id_of, show_time
from .lists import ListQuery

router = APIRouter(tags=["credentials"])

Kind = Literal["barcode", "nfc"]


class NewCredential(Body):
    """Something the holder carries already. `value` is what is read from it; only a keyed hash of it is kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": "04:a2:b3:c4", "kind": "nfc"}]})

    kind: Kind
    value: Annotated[
        str, Field(max_length=512, description="As a scanner reads it: 4 to 128 characters; of an NFC tag hexadecimal.")
    ]


class Credential(Answer):
    """Something a holder carries, without what is read from it. `holder` is a ref."""

    id: str
    holder: str
    kind: Kind
    created_at: ShownTime
    blocked: Block | None


class CredentialList(Answer):
    """A page of a holder's credentials, newest first."""

    items: list[Credential]
    next: str | None


Writer = Annotated[Caller, allowed("holders:write")]


@router.post(
    "/v1/holders/{id}/credentials",
    status_code=201,
    summary="Enrol a credential",
    response_description="The credential",
    response_model=Credential,
)
async def create(app: App, caller: Writer, id: str, body: NewCredential, retry: RetryKey) -> object:  # noqa: A002
    """Enrol a barcode or an NFC tag for a holder. 409 `credential_exists` where it is enrolled for anybody."""
    holder = id_of("hold", "holder", id)
    return _show(await enrol_card(app, caller, holder, kind=body.kind, value=body.value, retry=retry))


@router.get(
    "/v1/holders/{id}/credentials",
    summary="List a holder's credentials",
    response_description="A page of credentials",
    response_model=CredentialList,
)
async def list_(
    app: App,
    caller: Annotated[Caller, allowed("holders:read")],
    id: str,  # noqa: A002
    query: Annotated[ListQuery, Query()],
) -> object:
    """What the holder carries, newest first."""
    name = f"credentials of {id}"
    page = await list_cards(app, caller, id_of("hold", "holder", id), query.after(name, bytes), query.limit)
    return query.answer(name, page, _show)


@router.post(
    "/v1/credentials/{id}/block",
    summary="Block a credential",
    response_description="The credential, blocked",
    response_model=Credential,
)
async def block(app: App, caller: Writer, id: str, body: NewBlock) -> object:  # noqa: A002
    """Refuse a credential that was lost, from the moment of the answer. The first block stays."""
    return _show(await block_card(app, caller, id_of("cred", "credential", id), body.reason))


@router.post(
    "/v1/credentials/{id}/unblock",
    summary="Unblock a credential",
    response_description="The credential, no longer blocked",
    response_model=Credential,
)
async def unblock(app: App, caller: Writer, id: str, body: Unblock | None = None) -> object:  # noqa: A002
    """Let the credential count again."""
    reason = body.reason if body else None
    return _show(await unblock_card(app, caller, id_of("cred", "credential", id), reason))


@router.delete(
    "/v1/credentials/{id}",
    status_code=204,
    summary="Delete a credential",
    response_description="It is gone",
)
async def delete(app: App, caller: Writer, id: str) -> None:  # noqa: A002
    """Forget the credential: it is like one that never was."""
    await delete_card(app, caller, id_of("cred", "credential", id))


def _show(enrolled: EnrolledCard) -> dict[str, Any]:
    card = enrolled.card
    return {
        "id": show("cred", card.id),
        "holder": enrolled.ref,
        "kind": card.kind,
        "created_at": show_time(card.created_at),
        "blocked": show_block(card.blocked_at, card.blocked_reason),
    }
