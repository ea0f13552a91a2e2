"""`/v1/holders`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from app.core.ids import show
from app.services.anti_passback import reset_anti_passback
from app.services.blocks import block_holder, unblock_holder
from app.services.credentials import Caller
from app.services.holders import clear_budget, create_holder, get_holder, list_holders
from app.storage.records import HolderRecord

from .blocks import Block, NewBlock, Unblock, show_block
from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GivenReason, Name, Nothing, Ref, ShownTime, id_of, show_time
from .lists import ListQuery

router = APIRouter(prefix="/v1/holders", tags=["holders"])


class NewHolder(Body):
    """A holder to make, known by your own `ref`. A name is optional; there is no photo."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ref": "emp-1042"}]})

    ref: Ref
    name: Name | None = None


class AntiPassbackReset(Body):
    """Why, in your own words. It is kept in the audit events."""

    reason: GivenReason


class Holder(Answer):
    """A person who enters. `number` is unique in the tenant: the first digits of their codes.

    Nobody is let in as a holder who is `blocked`.
    """

    id: str
    ref: str
    number: int
    name: str | None
    created_at: ShownTime
    blocked: Block | None


class HolderList(Answer):
    """A page of holders, newest first."""

    items: list[Holder]
    next: str | None


class HolderQuery(ListQuery):
    """Which holders."""

    ref: Ref | None = None


@router.post("", status_code=201, summary="Create a holder", response_description="The holder")
async def create(
    app: App, caller: Annotated[Caller, allowed("holders:write")], body: NewHolder, retry: RetryKey
) -> Holder:
    """Make a holder. 409 `holder_exists` where the ref is taken."""
    return _show(await create_holder(app, caller, ref=body.ref, name=body.name, retry=retry))


@router.get("", summary="List holders", response_description="A page of holders", response_model=HolderList)
async def list_(
    app: App, caller: Annotated[Caller, allowed("holders:read")], query: Annotated[HolderQuery, Query()]
) -> object:
    """The tenant's holders, newest first."""
    page = await list_holders(app, caller, query.after("holders", bytes), query.limit, ref=query.ref)
    return query.answer("holders", page, _show)


@router.get("/{id}", summary="Retrieve a holder", response_description="The holder")
async def get(app: App, caller: Annotated[Caller, allowed("holders:read")], id: str) -> Holder:  # noqa: A002
    """One holder."""
    return _show(await get_holder(app, caller, id_of("hold", "holder", id)))


@router.post("/{id}/clear-budget", summary="Clear a holder's guessing budget", response_description="The holder")
async def clear(
    app: App,
    caller: Annotated[Caller, allowed("holders:write")],
    id: str,  # noqa: A002
    body: Nothing | None = None,  # noqa: ARG001  so that a field sent here is refused
) -> Holder:
    """Forget the wrong codes that were tried for this holder's number: the desk's part when one is `throttled`."""
    return _show(await clear_budget(app, caller, id_of("hold", "holder", id)))


@router.post("/{id}/block", summary="Block a holder", response_description="The holder, blocked")
async def block(
    app: App,
    caller: Annotated[Caller, allowed("holders:write")],
    id: str,  # noqa: A002
    body: NewBlock,
) -> Holder:
    """Let nobody in as this holder, from the moment of the answer. The first block stays."""
    return _show(await block_holder(app, caller, id_of("hold", "holder", id), body.reason))


@router.post("/{id}/unblock", summary="Unblock a holder", response_description="The holder, no longer blocked")
async def unblock(
    app: App,
    caller: Annotated[Caller, allowed("holders:write")],
    id: str,  # noqa: A002
    body: Unblock | None = None,
) -> Holder:
    """Let the holder's passes count again."""
    return _show(await unblock_holder(app, caller, id_of("hold", "holder", id), body.reason if body else None))


@router.post("/{id}/reset-anti-passback", summary="Reset a holder's anti-passback", response_description="The holder")
async def reset(
    app: App,
    caller: Annotated[Caller, allowed("occupancy:write")],
    id: str,  # noqa: A002
    body: AntiPassbackReset,
) -> Holder:
    """Take the holder to be outside everywhere, and off the counts: the desk's part when one left unseen."""
    return _show(await reset_anti_passback(app, caller, id_of("hold", "holder", id), body.reason))


def _show(holder: HolderRecord) -> Holder:
    return Holder(
        id=show("hold", holder.id),
        ref=holder.ref,
        number=holder.number,
        name=holder.name,
        created_at=show_time(holder.created_at),
        blocked=show_block(holder.blocked_at, holder.blocked_reason),
    )
