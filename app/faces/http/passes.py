"""`/v1/passes`."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.core import model
from app.core.ids import show
from app.core.model import PassStatus
from app.services.credentials import Caller
from app.services.pass_limits import limits_of
from app.services.passes import PassWish, change_pass, create_pass, get_pass, list_passes, set_status
from app.storage.records import PassRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, Reason, Ref, ShownTime, Time, id_of, maybe_time, show_time
from .lists import ListQuery

router = APIRouter(prefix="/v1/passes", tags=["passes"])

Gates = Literal["all"] | Annotated[list[GateId], Field(max_length=200)]
Zones = Annotated[list[GateId], Field(max_length=200)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Interval = Annotated[int, Field(ge=1, le=31_536_000)]
PartySize = Annotated[int, Field(ge=1, le=1000)]


class NewZoneLimit(Body):
    """How many people may enter a zone on the pass, in all or on one day."""

    zone: GateId
    max_entries: Count | None = None
    max_entries_per_day: Count | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> "NewZoneLimit":
        if self.max_entries is None and self.max_entries_per_day is None:
            raise PydanticCustomError("no_limit", "Input should have max_entries or max_entries_per_day")
        return self


def _each_zone_once(limits: list[NewZoneLimit]) -> list[NewZoneLimit]:
    if len({limit.zone for limit in limits}) < len(limits):
        raise PydanticCustomError("repeated", "Input should name no zone twice")
    return limits


ZoneLimits = Annotated[list[NewZoneLimit], Field(max_length=20), AfterValidator(_each_zone_once)]


class PassTemplate(Body):
    """What a pass may do, whoever will hold it. Name gates or zones; to mean every gate, say `"all"`.

    Limits count people. `party_size`: how many people one token lets in, together or one after another.
    `min_interval_s`: the least time between two entries. No `max_entries` means no limit.
    """

    gates: Gates = []
    zones: Zones = []
    valid_from: Time | None = None
    valid_until: Time | None = None
    max_entries: Count | None = None
    schedule: GateId | None = None
    max_entries_per_day: Count | None = None
    min_interval_s: Interval | None = None
    party_size: PartySize = 1
    zone_limits: ZoneLimits = []

    def wish(self, holder: str) -> PassWish:
        """The pass, for that holder."""
        return PassWish(
            holder=holder,
            every_gate=self.gates == "all",
            gates=() if self.gates == "all" else self.gates,
            zones=self.zones,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            max_entries=self.max_entries,
            schedule=self.schedule,
            max_entries_per_day=self.max_entries_per_day,
            zone_limits=_limits(self.zone_limits),
            party_size=self.party_size,
            min_interval_s=self.min_interval_s,
        )


class NewPass(PassTemplate):
    """A pass to make. Name gates or zones; to mean every gate, say `"all"`. No `max_entries` means no limit.

    Limits count people. `party_size`: how many people one token lets in, together or one after another.
    `min_interval_s`: the least time between two entries.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"holder": "emp-1042", "gates": ["main-door"], "valid_until": "2027-01-01T00:00:00Z"}]
        }
    )

    holder: Ref


class PassChange(Body):
    """What to change; what is not named stays, and null takes a limit away."""

    gates: Gates = []
    zones: Zones = []
    valid_from: Time | None = None
    valid_until: Time | None = None
    max_entries: Count | None = None
    schedule: GateId | None = None
    max_entries_per_day: Count | None = None
    min_interval_s: Interval | None = None
    party_size: PartySize = 1
    zone_limits: ZoneLimits = []


class StatusChange(Body):
    """Why, in your own words. It is kept with the pass."""

    reason: Reason | None = None


class ZoneLimit(Answer):
    """How many people may enter a zone on the pass, in all and on one day."""

    zone: str
    max_entries: int | None
    max_entries_per_day: int | None


class Pass(Answer):
    """What a holder may do."""

    id: str
    holder: str
    gates: Literal["all"] | list[str]
    zones: list[str]
    valid_from: ShownTime | None
    valid_until: ShownTime | None
    max_entries: int | None
    schedule: str | None
    max_entries_per_day: int | None
    min_interval_s: int | None
    party_size: int
    zone_limits: list[ZoneLimit]
    entries: int
    status: Literal["active", "suspended", "revoked"]
    created_at: ShownTime


class PassList(Answer):
    """A page of passes, newest first."""

    items: list[Pass]
    next: str | None


class PassQuery(ListQuery):
    """Which passes: `holder` is a ref."""

    holder: Ref | None = None


Writer = Annotated[Caller, allowed("passes:write")]
Reader = Annotated[Caller, allowed("passes:read")]


@router.post("", status_code=201, summary="Create a pass", response_description="The pass")
async def create(app: App, caller: Writer, body: NewPass, retry: RetryKey) -> Pass:
    """Make a pass. A holder with a new ref is made on the way."""
    return _show(await create_pass(app, caller, body.wish(body.holder), retry))


@router.get("", summary="List passes", response_description="A page of passes", response_model=PassList)
async def list_(app: App, caller: Reader, query: Annotated[PassQuery, Query()]) -> object:
    """The tenant's passes, newest first."""
    page = await list_passes(app, caller, query.after("passes", bytes), query.limit, holder=query.holder)
    return query.answer("passes", page, _show)


@router.get("/{id}", summary="Retrieve a pass", response_description="The pass")
async def get(app: App, caller: Reader, id: str) -> Pass:  # noqa: A002
    """One pass."""
    return _show(await get_pass(app, caller, id_of("pass", "pass", id)))


@router.patch("/{id}", summary="Change a pass", response_description="The pass as it is now")
async def change(app: App, caller: Writer, id: str, body: PassChange) -> Pass:  # noqa: A002
    """Change the window, the scope or the limit. It counts from the answer on, for tokens already issued too."""
    wish: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "gates" in wish:
        wish["every_gate"] = wish["gates"] == "all"
        wish["gates"] = [] if wish["every_gate"] else wish["gates"]
    if "zone_limits" in wish:
        wish["zone_limits"] = _limits(body.zone_limits)
    return _show(await change_pass(app, caller, id_of("pass", "pass", id), wish))


@router.post("/{id}/revoke", summary="Revoke a pass", response_description="The pass, revoked")
async def revoke(app: App, caller: Writer, id: str, body: StatusChange | None = None) -> Pass:  # noqa: A002
    """Take the pass back for good. It is refused from the moment of the answer."""
    return await _set(app, caller, id, PassStatus.REVOKED, body)


@router.post("/{id}/suspend", summary="Suspend a pass", response_description="The pass, suspended")
async def suspend(app: App, caller: Writer, id: str, body: StatusChange | None = None) -> Pass:  # noqa: A002
    """Refuse the pass until it is resumed."""
    return await _set(app, caller, id, PassStatus.SUSPENDED, body)


@router.post("/{id}/resume", summary="Resume a pass", response_description="The pass, active")
async def resume(app: App, caller: Writer, id: str, body: StatusChange | None = None) -> Pass:  # noqa: A002
    """Let a suspended pass count again."""
    return await _set(app, caller, id, PassStatus.ACTIVE, body)


async def _set(app: App, caller: Caller, id_: str, status: PassStatus, body: StatusChange | None) -> Pass:
    reason = body.reason if body else None
    return _show(await set_status(app, caller, id_of("pass", "pass", id_), status, reason))


def _limits(limits: list[NewZoneLimit]) -> list[model.ZoneLimit]:
    return [model.ZoneLimit(limit.zone, limit.max_entries, limit.max_entries_per_day) for limit in limits]


def _show(pass_: PassRecord) -> Pass:
    scope = json.loads(pass_.scope)
    limits = limits_of(pass_.limits)
    return Pass(
        id=show("pass", pass_.id),
        holder=pass_.ref,
        gates=scope["gates"],
        zones=scope["zones"],
        valid_from=maybe_time(pass_.valid_from),
        valid_until=maybe_time(pass_.valid_until),
        max_entries=pass_.max_entries,
        schedule=pass_.schedule,
        max_entries_per_day=limits["max_entries_per_day"],
        min_interval_s=limits["min_interval_s"],
        party_size=limits["party_size"],
        zone_limits=[
            ZoneLimit(zone=zone, max_entries=limit.get("total"), max_entries_per_day=limit.get("per_day"))
            for zone, limit in sorted(limits["zones"].items())
        ],
        entries=pass_.entries,
        status=PassStatus(pass_.status).value,
        created_at=show_time(pass_.created_at),
    )
