"""`/v1/verifications/sync`, and `/v1/conflicts`: what was decided without the network, told afterwards."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from app.core.decision import REASONS, Outcome
from app.core.ids import show
from app.core.model import Direction
from app.services.credentials import Caller
from app.services.sync import KnownConflict, Queued, Synced, is_a_reason, list_conflicts, sync
from app.storage.repositories.conflicts import ConflictFilter

from .caller import App, allowed
from .fields import Answer, Body, GateId, ShownTime, Side, Time, show_time, show_time_us
from .lists import ListQuery
from .presentation import People, Text
from .verifications import Verification, show_verification

router = APIRouter(tags=["verifications"])

PATH = "/v1/verifications/sync"
MAX_BODY = 2 * 1024 * 1024
"""A thousand verifications, with tokens of the greatest length."""

MOST = 1000
_REQUEST_ID = r"[A-Za-z0-9._-]{1,64}"

Flag = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class QueuedVerification(Body):
    """A verification that a device decided without the network. `at` is the device's time.

    `token` is needed where somebody was let in. `exit` is true where nobody was held back: at an exit gate, or by a
    device bound to the exit side; without it that is as gate and device are now. What is sent under one `request_id`
    online has to be the same here.
    """

    request_id: Annotated[str, Field(pattern=f"^{_REQUEST_ID}$")]
    gate: GateId
    at: Time
    decision: Literal["admit", "deny"]
    reason: Annotated[str, Field(max_length=40)]
    token: Text | None = None
    direction: Side | None = None
    people: People = 1
    flags: Annotated[list[Flag], Field(max_length=16)] = []
    exit: bool | None = None


def _or_rejected(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """What cannot be read is rejected alone: a queue must never stand still for one of its rows."""
    try:
        return read(value)
    except ValidationError:
        request_id = value.get("request_id") if isinstance(value, dict) else None
        return request_id if isinstance(request_id, str) and re.fullmatch(_REQUEST_ID, request_id) else None


class Queue(Body):
    """Up to 1,000 verifications, in any order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "verifications": [
                        {
                            "request_id": "k-7Hq2",
                            "gate": "main-door",
                            "at": "2026-11-22T09:30:00.123456Z",
                            "decision": "admit",
                            "reason": "ok",
                            "token": "GP1:6BFOXN*TS0BI$ZD...",
                        }
                    ]
                }
            ]
        }
    )

    verifications: Annotated[
        list[Annotated[QueuedVerification, WrapValidator(_or_rejected)]], Field(min_length=1, max_length=MOST)
    ]


class SyncedVerification(Answer):
    """What became of one: `recorded` now, `known` from before, or `rejected` for good, for the reason in `error`.

    `decision` is what stands on record; `conflicts` what speaks against it.
    """

    request_id: str | None
    status: Literal["recorded", "known", "rejected"]
    error: Literal["invalid", "gate_not_found", "direction_needed", "request_id_reused"] | None
    verification: str | None
    decision: Literal["admit", "deny"] | None
    conflicts: list[str]


class SyncedQueue(Answer):
    """What became of each, in the order in which they were sent, and the service's time."""

    results: list[SyncedVerification]
    now: ShownTime


class Conflict(Answer):
    """An admission that should not have been, as it turned out. `other` is the admission that came first, if any."""

    id: str
    reason: Annotated[str, Field(json_schema_extra={"enum": list(REASONS)})]
    verification: Verification
    other: str | None
    found_at: ShownTime


class ConflictList(Answer):
    """A page of conflicts, newest first."""

    items: list[Conflict]
    next: str | None


class ConflictQuery(ListQuery):
    """Which conflicts."""

    gate: GateId | None = None
    reason: Annotated[str, Field(max_length=40)] | None = None


@router.post(PATH, summary="Sync verifications", response_description="What became of each", response_model=SyncedQueue)
async def post(app: App, caller: Annotated[Caller, allowed("verifications:sync")], body: Queue) -> object:
    """Record what a device decided without the network. The same queue sent twice changes nothing.

    Everything that is answered is final, and durable: its row can leave the queue.
    """
    read = [_queued(each) for each in body.verifications]
    synced = iter(await sync(app, caller, [each for each in read if each is not None]))
    results = [Synced("rejected", "invalid") if each is None else next(synced) for each in read]
    shown = [_show(_request_id(each), result) for each, result in zip(body.verifications, results, strict=True)]
    return {"results": shown, "now": show_time_us(app.clock.now())}


@router.get(
    "/v1/conflicts", summary="List conflicts", response_description="A page of conflicts", response_model=ConflictList
)
async def list_(
    app: App, caller: Annotated[Caller, allowed("conflicts:read")], query: Annotated[ConflictQuery, Query()]
) -> object:
    """Admissions without the network that should not have been: one token at two gates, a pass revoked before."""
    wanted = ConflictFilter(query.gate, query.reason)
    page = await list_conflicts(app, caller, query.after("conflicts", bytes), query.limit, wanted)
    return query.answer("conflicts", page, _show_conflict)


def _queued(item: object) -> Queued | None:
    """The verification; None for one that cannot be recorded."""
    if not isinstance(item, QueuedVerification):
        return None
    outcome = Outcome(item.decision)
    if not is_a_reason(outcome, item.reason):
        return None
    direction = None if item.direction is None else Direction(item.direction)
    decided = (outcome, item.reason, item.token, direction, item.people, tuple(item.flags), item.exit)
    return Queued(item.request_id, item.gate, item.at, *decided)


def _request_id(item: object) -> str | None:
    return item.request_id if isinstance(item, QueuedVerification) else item if isinstance(item, str) else None


def _show(request_id: str | None, synced: Synced) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "status": synced.status,
        "error": synced.error,
        "verification": None if synced.verification is None else show("ver", synced.verification),
        "decision": None if synced.outcome is None else synced.outcome.value,
        "conflicts": list(synced.conflicts),
    }


def _show_conflict(conflict: KnownConflict) -> dict[str, Any]:
    record = conflict.record
    return {
        "id": show("con", record.id),
        "reason": record.reason,
        "verification": show_verification(conflict.verification),
        "other": None if record.other is None else show("ver", record.other),
        "found_at": show_time(record.found_at),
    }
