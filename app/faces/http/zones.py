"""`/v1/zones`."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.services.credentials import Caller
from app.services.zones import create_zone, get_zone, list_zones
from app.storage.records import ZoneRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, Name, OwnId, ShownTime, show_time, text_id_of
from .lists import ListQuery

router = APIRouter(prefix="/v1/zones", tags=["zones"])


class NewZone(Body):
    """A zone to make."""

    id: OwnId | None = None
    name: Name
    within: GateId | None = None
    time_zone: Name | None = None


class Zone(Answer):
    """An area with people in it, perhaps within another."""

    id: str
    name: str
    within: str | None
    time_zone: str | None
    created_at: ShownTime


class ZoneList(Answer):
    """A page of zones, by id."""

    items: list[Zone]
    next: str | None


@router.post("", status_code=201, summary="Create a zone", response_description="The zone")
async def create(app: App, caller: Annotated[Caller, allowed("gates:write")], body: NewZone, retry: RetryKey) -> Zone:
    """Make a zone, perhaps `within` another."""
    zone = await create_zone(
        app, caller, id_=body.id, name=body.name, within=body.within, time_zone=body.time_zone, retry=retry
    )
    return _show(zone)


@router.get("", summary="List zones", response_description="A page of zones", response_model=ZoneList)
async def list_(
    app: App, caller: Annotated[Caller, allowed("gates:read")], query: Annotated[ListQuery, Query()]
) -> object:
    """The tenant's zones, by id."""
    page = await list_zones(app, caller, query.after("zones", str), query.limit)
    return query.answer("zones", page, _show)


@router.get("/{id}", summary="Retrieve a zone", response_description="The zone")
async def get(app: App, caller: Annotated[Caller, allowed("gates:read")], id: str) -> Zone:  # noqa: A002
    """One zone."""
    return _show(await get_zone(app, caller, text_id_of("zone", id)))


def _show(zone: ZoneRecord) -> Zone:
    return Zone(
        id=zone.id,
        name=zone.name,
        within=zone.within,
        time_zone=zone.time_zone,
        created_at=show_time(zone.created_at),
    )
