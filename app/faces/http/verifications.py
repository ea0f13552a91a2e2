"""`/v1/verifications`: the endpoint that every gate calls, and the list of what happened.

`post_verification` takes the bytes of a body and gives the bytes of an answer. `front.py` calls it directly: at a gate
every layer between the socket and the decision costs more than the decision. Its place in `openapi.yaml` is made from
the same models, in `openapi.py`.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from pydantic_core import to_json

from app.core.decision import REASONS
from app.core.ids import parse, show
from app.faces.problems import Problem
from app.services.context import Context
from app.services.credentials import Caller
from app.services.mistakes import Invalid
from app.services.undo import undo_verification
from app.services.verify import get_verification, list_verifications, verify
from app.storage.attempt import Override, Settled
from app.storage.details import unpacked_details
from app.storage.records import VerificationRecord
from app.storage.repositories.verifications import VerificationFilter

from .caller import App, allowed
from .fields import Answer, GateId, Nothing, Ref, ShownTime, Time, id_of, maybe_time, show_time_us
from .lists import ListQuery
from .presentation import read_presentation

router = APIRouter(prefix="/v1/verifications", tags=["verifications"])

PATH = "/v1/verifications"
SCOPE = "verifications:create"


class NamedHolder(Answer):
    """Who the token was genuine for."""

    ref: str
    name: str | None


class ShownOverride(Answer):
    """Somebody at the desk admitted against the rules, with this key. `needed` for this reason, or null for none.

    `flags` has every rule that refused.
    """

    reason: str
    needed: Annotated[str | None, Field(json_schema_extra={"enum": [*REASONS, None]})]
    key: str


class Verification(Answer):
    """One attempt and its decision. `pass` and `holder` are given only where the token was genuine.

    `repeated` tells that this answer was given before: only a replay of a `request_id` should move a relay again.
    `people` is how many go through now, `people_left` how many of the party may go in after that. `not_before` is when
    the rule that refused would no longer do so, as far as it knows: when the schedule opens next, for example.
    """

    id: str
    decision: Literal["admit", "deny"]
    reason: Annotated[str, Field(json_schema_extra={"enum": list(REASONS)})]
    flags: list[str]
    gate: str
    direction: Literal["entry", "exit", "both"]
    pass_: Annotated[str | None, Field(alias="pass")]
    holder: NamedHolder | None
    token_kind: str | None
    at: ShownTime
    repeated: Literal["request_id", "window"] | None
    request_id: str | None
    people: int
    people_left: int
    not_before: ShownTime | None
    override: ShownOverride | None
    undone_at: ShownTime | None


class VerificationList(Answer):
    """A page of verifications, newest first."""

    items: list[Verification]
    next: str | None


class VerificationQuery(ListQuery):
    """Which verifications: `pass` is an id, `holder` a ref; `since` is included, `until` is not."""

    gate: GateId | None = None
    pass_: Annotated[str | None, Field(alias="pass", max_length=64)] = None
    holder: Ref | None = None
    decision: Literal["admit", "deny"] | None = None
    since: Time | None = None
    until: Time | None = None


async def post_verification(app: Context, caller: Caller, content_type: str, body: bytes) -> bytes:
    """Verify what a request presents; the answer's JSON. Raises `Problem` and the services' mistakes."""
    if not caller.may(SCOPE):
        raise Problem(403, f"This key has not the scope {SCOPE}.")
    settled = await verify(app, caller, await read_presentation(content_type, body))
    return to_json(_answer(settled))


@router.get(
    "", summary="List verifications", response_description="A page of verifications", response_model=VerificationList
)
async def list_(
    app: App,
    caller: Annotated[Caller, allowed("verifications:read")],
    query: Annotated[VerificationQuery, Query()],
) -> object:
    """The tenant's verifications, newest first."""
    pass_ = None if query.pass_ is None else parse("pass", query.pass_)
    if query.pass_ is not None and pass_ is None:
        raise Invalid("pass", "That is no pass's id.")
    wanted = VerificationFilter(query.gate, pass_, None, query.decision, query.since, query.until)
    after = query.after("verifications", bytes)
    page = await list_verifications(app, caller, after, query.limit, wanted=wanted, holder=query.holder)
    return query.answer("verifications", page, show_verification)


@router.get("/{id}", summary="Retrieve a verification", response_description="The verification")
async def get(
    app: App,
    caller: Annotated[Caller, allowed("verifications:read")],
    id: str,  # noqa: A002
) -> Verification:
    """One verification."""
    found = await get_verification(app, caller, id_of("ver", "verification", id))
    return Verification.model_validate(show_verification(found))


@router.post("/{id}/undo", summary="Undo a verification", response_description="The verification, undone")
async def undo(
    app: App,
    caller: Annotated[Caller, allowed(SCOPE)],
    id: str,  # noqa: A002
    body: Nothing | None = None,  # noqa: ARG001  so that a field sent here is refused
) -> Verification:
    """Take an admission back, within 15 minutes and with the key that asked for it: the turnstile did not turn.

    The entry is given back and the token is good again until it expires; its `request_id` answers deny `undone`.
    """
    undone = await undo_verification(app, caller, id_of("ver", "verification", id))
    return Verification.model_validate(show_verification(undone))


def _answer(settled: Settled) -> dict[str, Any]:
    """What the gate is told, field by field: a model costs more than the decision."""
    pass_ = None if settled.pass_ is None else show("pass", settled.pass_)
    return {
        "id": show("ver", settled.verification),
        "decision": settled.outcome.value,
        "reason": settled.reason,
        "flags": settled.flags,
        "gate": settled.gate,
        "direction": settled.direction,
        "pass": pass_,
        "holder": None if pass_ is None else {"ref": settled.ref, "name": settled.name},
        "token_kind": settled.kind,
        "at": show_time_us(settled.at),
        "repeated": settled.repeated,
        "request_id": settled.request_id,
        "people": settled.people,
        "people_left": settled.people_left,
        "not_before": maybe_time(settled.not_before),
        "override": _override(settled.override, settled.credential),
        "undone_at": maybe_time(settled.undone_at),
    }


def show_verification(record: VerificationRecord) -> dict[str, Any]:
    """A verification on record, as lists and answers show it."""
    details = unpacked_details(record.details)
    return {
        "id": show("ver", record.id),
        "decision": record.decision,
        "reason": record.reason,
        "flags": record.flags.split(),
        "gate": record.gate,
        "direction": record.direction,
        "pass": None if record.pass_ is None else show("pass", record.pass_),
        "holder": None if record.ref is None else {"ref": record.ref, "name": record.name},
        "token_kind": record.kind,
        "at": show_time_us(record.at),
        "repeated": None,
        "request_id": record.request_id,
        "people": record.people,
        "people_left": details.people_left,
        "not_before": maybe_time(details.not_before),
        "override": _override(details.override, record.credential),
        "undone_at": maybe_time(record.undone_at),
    }


def _override(override: Override | None, credential: bytes) -> dict[str, Any] | None:
    if override is None:
        return None
    return {"reason": override.reason, "needed": override.of, "key": show("key", credential)}
