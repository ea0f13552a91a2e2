"""`/v1/zones`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from app.services.credentials import Caller
from app.services.zones import change_zone, create_zone, get_zone, list_zones
from app.storage.records import ZoneRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, Name, OwnId, ShownTime, show_time, text_id_of
from .lists import ListQuery

router = APIRouter(prefix="/v1/zones", tags=["zones"])


AntiPassback = Literal["off", "soft", "hard"]
Capacity = Annotated[int, Field(ge=1, le=1_000_000)]
ForgiveSeconds = Annotated[int, Field(ge=1, le=31_536_000)]
LocalTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class NewZone(Body):
    """A zone to make. `counted` keeps a live count of its people, as a `capacity` and `anti_passback` do anyway.

    `anti_passback`: who is inside and enters again is let in with a flag (soft) or refused (hard), until
    `forgive_after_s` seconds after they entered. `resets_at` is the local time at which the zone is empty each night.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "hall", "name": "Hall", "capacity": 500, "resets_at": "04:00"}]}
    )

    id: OwnId | None = None
    name: Name
    within: GateId | None = None
    time_zone: Name | None = None
    counted: bool = False
    capacity: Capacity | None = None
    anti_passback: AntiPassback = "off"
    forgive_after_s: ForgiveSeconds | None = None
    resets_at: LocalTime | None = None


class ZoneChange(Body):
    """What to change; what is not named stays, and null takes away."""

    name: Name = "-"
    time_zone: Name | None = None
    counted: bool = False
    capacity: Capacity | None = None
    anti_passback: AntiPassback = "off"
    forgive_after_s: ForgiveSeconds | None = None
    resets_at: LocalTime | None = None


class Zone(Answer):
    """An area with people in it, perhaps within another."""

    id: str
    name: str
    within: str | None
    time_zone: str | None
    counted: bool
    capacity: int | None
    anti_passback: AntiPassback
    forgive_after_s: int | None
    resets_at: str | None
    created_at: ShownTime


class ZoneList(Answer):
    """A page of zones, by id."""

    items: list[Zone]
    next: str | None


@router.post("", status_code=201, summary="Create a zone", response_description="The zone")
async def create(app: App, caller: Annotated[Caller, allowed("gates:write")], body: NewZone, retry: RetryKey) -> Zone:
    """Make a zone, perhaps `within` another."""
    return _show(await create_zone(app, caller, body.model_dump(exclude_unset=True), retry))


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


@router.patch("/{id}", summary="Change a zone", response_description="The zone as it is now")
async def change(app: App, caller: Annotated[Caller, allowed("gates:write")], id: str, body: ZoneChange) -> Zone:  # noqa: A002
    """Change what is named. A zone that begins to be counted is empty."""
    return _show(await change_zone(app, caller, text_id_of("zone", id), body.model_dump(exclude_unset=True)))


def _show(zone: ZoneRecord) -> Zone:
    shown = {name: value for name, value in zone._asdict().items() if name in Zone.model_fields}
    return Zone(**shown | {"created_at": show_time(zone.created_at)})
