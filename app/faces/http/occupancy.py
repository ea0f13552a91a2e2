"""`/v1/zones/{id}/occupancy`."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from app.services.credentials import Caller
from app.services.occupancy import Occupancy, correct_occupancy, get_occupancy

from .caller import App, allowed
from .fields import Answer, Body, GivenReason, ShownTime, maybe_time, show_time, text_id_of

router = APIRouter(prefix="/v1/zones", tags=["zones"])


class OccupancyCorrection(Body):
    """How many people are in the zone, counted by hand, and how you know."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"people": 42, "reason": "counted at 14:00"}]})

    people: Annotated[int, Field(ge=0, le=1_000_000)]
    reason: GivenReason


class ZoneOccupancy(Answer):
    """The people in a zone at a time. `reset_at` is the last nightly reset."""

    zone: str
    people: int
    capacity: int | None
    counted: bool
    at: ShownTime
    reset_at: ShownTime | None


@router.get("/{id}/occupancy", summary="Retrieve a zone's occupancy", response_description="The people in it")
async def get(app: App, caller: Annotated[Caller, allowed("occupancy:read")], id: str) -> ZoneOccupancy:  # noqa: A002
    """How many people are in the zone now: 0 in one that is not `counted`."""
    return _show(await get_occupancy(app, caller, text_id_of("zone", id)))


@router.post("/{id}/occupancy", summary="Correct a zone's occupancy", response_description="The people in it")
async def correct(
    app: App,
    caller: Annotated[Caller, allowed("occupancy:write")],
    id: str,  # noqa: A002
    body: OccupancyCorrection,
) -> ZoneOccupancy:
    """Set the count to what was counted by hand. 409 `not_counted` for a zone that is not counted."""
    return _show(await correct_occupancy(app, caller, text_id_of("zone", id), body.people, body.reason))


def _show(occupancy: Occupancy) -> ZoneOccupancy:
    return ZoneOccupancy(
        zone=occupancy.zone,
        people=occupancy.people,
        capacity=occupancy.capacity,
        counted=occupancy.counted,
        at=show_time(occupancy.at),
        reset_at=maybe_time(occupancy.reset_at),
    )
