"""`/v1/gates`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from app.services.credentials import Caller
from app.services.gates import change_gate, create_gate, delete_gate, get_gate, list_gates
from app.storage.records import GateRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, Direction, GateId, Name, OwnId, ShownTime, show_time, text_id_of
from .lists import ListQuery

router = APIRouter(prefix="/v1/gates", tags=["gates"])

Seconds = Annotated[int, Field(ge=0, le=3600)]
ProofSeconds = Annotated[int, Field(ge=0, le=120)]
StaleSeconds = Annotated[int, Field(ge=60, le=604_800)]
Offline = Literal["refuse", "bound_tokens", "admit_and_reconcile"]


class NewGate(Body):
    """A gate to make. `repeat_window_s`: how long the same token is let in again, for cameras that poll.

    `second_proof_s`: how long a first proof waits for a second of the same holder; with 0 one proof is enough.
    `offline`: whom a kiosk lets in while it has no network, going by a bundle of at most `offline_max_stale_s`: nobody;
    tokens bound to the gate; every signed token that it can verify.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "main-door", "name": "Main door"}]})

    id: OwnId | None = None
    name: Name
    direction: Direction = "entry"
    from_zone: GateId | None = None
    into_zone: GateId | None = None
    repeat_window_s: Seconds = 0
    second_proof_s: ProofSeconds = 0
    offline: Offline = "refuse"
    offline_max_stale_s: StaleSeconds = 14_400


class GateChange(Body):
    """What to change; what is not named stays."""

    name: Name = "-"
    direction: Direction = "entry"
    from_zone: GateId | None = None
    into_zone: GateId | None = None
    repeat_window_s: Seconds = 0
    second_proof_s: ProofSeconds = 0
    offline: Offline = "refuse"
    offline_max_stale_s: StaleSeconds = 14_400


class Gate(Answer):
    """A check-in point."""

    id: str
    name: str
    direction: Direction
    from_zone: str | None
    into_zone: str | None
    repeat_window_s: int
    second_proof_s: int
    offline: Offline
    offline_max_stale_s: int
    created_at: ShownTime


class GateList(Answer):
    """A page of gates, by id."""

    items: list[Gate]
    next: str | None


@router.post("", status_code=201, summary="Create a gate", response_description="The gate")
async def create(app: App, caller: Annotated[Caller, allowed("gates:write")], body: NewGate, retry: RetryKey) -> Gate:
    """Make a gate that leads from one zone into another."""
    return _show(await create_gate(app, caller, body.model_dump(), retry))


@router.get("", summary="List gates", response_description="A page of gates", response_model=GateList)
async def list_(
    app: App, caller: Annotated[Caller, allowed("gates:read")], query: Annotated[ListQuery, Query()]
) -> object:
    """The tenant's gates, by id."""
    page = await list_gates(app, caller, query.after("gates", str), query.limit)
    return query.answer("gates", page, _show)


@router.get("/{id}", summary="Retrieve a gate", response_description="The gate")
async def get(app: App, caller: Annotated[Caller, allowed("gates:read")], id: str) -> Gate:  # noqa: A002
    """One gate."""
    return _show(await get_gate(app, caller, text_id_of("gate", id)))


@router.patch("/{id}", summary="Change a gate", response_description="The gate as it is now")
async def change(app: App, caller: Annotated[Caller, allowed("gates:write")], id: str, body: GateChange) -> Gate:  # noqa: A002
    """Change what is named. It counts from the answer on."""
    values = {name: getattr(body, name) for name in body.model_fields_set}
    return _show(await change_gate(app, caller, text_id_of("gate", id), values))


@router.delete("/{id}", status_code=204, summary="Delete a gate", response_description="It is gone")
async def delete(app: App, caller: Annotated[Caller, allowed("gates:write")], id: str) -> None:  # noqa: A002
    """Take the gate away. What happened at it stays on record."""
    await delete_gate(app, caller, text_id_of("gate", id))


def _show(gate: GateRecord) -> Gate:
    return Gate(**gate._asdict() | {"created_at": show_time(gate.created_at)})
