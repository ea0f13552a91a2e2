"""`/v1/schedules`."""

import json
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.services.credentials import Caller
from app.services.schedules import change_schedule, create_schedule, delete_schedule, get_schedule, list_schedules
from app.storage.records import ScheduleRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, Name, OwnId, ShownTime, show_time, text_id_of
from .lists import ListQuery

router = APIRouter(prefix="/v1/schedules", tags=["schedules"])


def _real(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", "Input should be a date that there is") from None
    return value


def _once(days: list[str]) -> list[str]:
    if len(set(days)) < len(days):
        raise PydanticCustomError("repeated", "Input should name no day twice")
    return days


From = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Until = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Date = Annotated[
    str,
    Field(pattern=r"^2([01][0-9]{2}|200)-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(_real),
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Weekdays = Annotated[
    list[Weekday],
    Field(min_length=1, max_length=7, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_once),
]


class Window(Body):
    """From a time on the clock until another; one that does not end later than it begins ends on the next day."""

    from_: From = Field(alias="from")
    until: Until


class WeeklyWindow(Window):
    """A window that begins on these days of the week."""

    days: Weekdays


Windows = Annotated[list[Window], Field(max_length=10)]


class DatedWindows(Body):
    """The windows that begin on this date, in place of all others. None: closed."""

    date: Date
    windows: Windows


def _each_date_once(exceptions: list[DatedWindows]) -> list[DatedWindows]:
    if len({exception.date for exception in exceptions}) < len(exceptions):
        raise PydanticCustomError("repeated", "Input should name no date twice")
    return exceptions


Weekly = Annotated[list[WeeklyWindow], Field(max_length=50)]
Holidays = Annotated[list[Date], Field(max_length=400)]
Exceptions = Annotated[list[DatedWindows], Field(max_length=400), AfterValidator(_each_date_once)]
Early = Annotated[int, Field(ge=0, le=7200)]


class NewSchedule(Body):
    """A schedule to make. A date has the windows of its exception, else of holidays if it is one, else of its weekday.

    Times are what clocks show at the gate. `early_s`: so many seconds before a window people are let in already.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Office hours",
                    "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "until": "18:00"}],
                    "holidays": ["2026-12-25"],
                    "early_s": 600,
                }
            ]
        }
    )

    id: OwnId | None = None
    name: Name
    weekly: Weekly = []
    holidays: Holidays = []
    on_holidays: Windows = []
    exceptions: Exceptions = []
    early_s: Early = 0


class ScheduleChange(Body):
    """What to change; what is not named stays, and a list takes the place of the one there was."""

    name: Name = "-"
    weekly: Weekly = []
    holidays: Holidays = []
    on_holidays: Windows = []
    exceptions: Exceptions = []
    early_s: Early = 0


class Schedule(Answer):
    """When passes may be used."""

    id: str
    name: str
    weekly: list[WeeklyWindow]
    holidays: list[Date]
    on_holidays: list[Window]
    exceptions: list[DatedWindows]
    early_s: int
    created_at: ShownTime


class ScheduleList(Answer):
    """A page of schedules, by id."""

    items: list[Schedule]
    next: str | None


Writer = Annotated[Caller, allowed("passes:write")]
Reader = Annotated[Caller, allowed("passes:read")]


@router.post("", status_code=201, summary="Create a schedule", response_description="The schedule")
async def create(app: App, caller: Writer, body: NewSchedule, retry: RetryKey) -> Schedule:
    """Make a schedule. Passes that name it may be used in its windows only."""
    return _show(await create_schedule(app, caller, body.model_dump(by_alias=True), retry))


@router.get("", summary="List schedules", response_description="A page of schedules", response_model=ScheduleList)
async def list_(app: App, caller: Reader, query: Annotated[ListQuery, Query()]) -> object:
    """The tenant's schedules, by id."""
    page = await list_schedules(app, caller, query.after("schedules", str), query.limit)
    return query.answer("schedules", page, _show)


@router.get("/{id}", summary="Retrieve a schedule", response_description="The schedule")
async def get(app: App, caller: Reader, id: str) -> Schedule:  # noqa: A002
    """One schedule."""
    return _show(await get_schedule(app, caller, text_id_of("schedule", id)))


@router.patch("/{id}", summary="Change a schedule", response_description="The schedule as it is now")
async def change(app: App, caller: Writer, id: str, body: ScheduleChange) -> Schedule:  # noqa: A002
    """Change what is named. It counts from the answer on, for every pass with this schedule."""
    wish = body.model_dump(by_alias=True, exclude_unset=True)
    return _show(await change_schedule(app, caller, text_id_of("schedule", id), wish))


@router.delete("/{id}", status_code=204, summary="Delete a schedule", response_description="It is gone")
async def delete(app: App, caller: Writer, id: str) -> None:  # noqa: A002
    """Take the schedule away. It cannot go while a pass names it."""
    await delete_schedule(app, caller, text_id_of("schedule", id))


def _show(schedule: ScheduleRecord) -> Schedule:
    return Schedule(
        id=schedule.id,
        name=schedule.name,
        **json.loads(schedule.hours),
        created_at=show_time(schedule.created_at),
    )
