"""`/v1/audit-events`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.core.ids import show
from app.services.audit import Action, list_audit_events
from app.services.credentials import Caller
from app.storage.records import AuditRecord

from .caller import App, allowed
from .fields import Answer, GateId, Ref, ShownTime, show_time
from .lists import ListQuery

router = APIRouter(prefix="/v1/audit-events", tags=["audit-events"])

_SUBJECTS = {"token": "tok", "credential": "cred", "verification": "ver"}


class AuditEvent(Answer):
    """What somebody at the desk did by hand. `key` is the API key, or the first of its line of rolled keys.

    `subject` is the token, credential or verification concerned; `before` and `after` are counts of people.
    """

    id: str
    at: ShownTime
    action: Action
    key: str
    reason: str | None
    holder: str | None
    zone: str | None
    subject: str | None
    before: int | None
    after: int | None


class AuditEventList(Answer):
    """A page of audit events, newest first."""

    items: list[AuditEvent]
    next: str | None


class AuditEventQuery(ListQuery):
    """Which events: `holder` is a ref."""

    holder: Ref | None = None
    zone: GateId | None = None
    action: Action | None = None


@router.get(
    "", summary="List audit events", response_description="A page of audit events", response_model=AuditEventList
)
async def list_(
    app: App, caller: Annotated[Caller, allowed("audit:read")], query: Annotated[AuditEventQuery, Query()]
) -> object:
    """What was done by hand, newest first."""
    after = query.after("audit-events", bytes)
    page = await list_audit_events(
        app, caller, after, query.limit, holder=query.holder, zone=query.zone, action=query.action
    )
    return query.answer("audit-events", page, _show)


def _show(event: AuditRecord) -> dict[str, Any]:
    prefix = _SUBJECTS.get(event.action.partition("_")[0])
    return {
        "id": show("evt", event.id),
        "at": show_time(event.at),
        "action": event.action,
        "key": show("key", event.credential),
        "reason": event.reason,
        "holder": event.ref,
        "zone": event.zone,
        "subject": None if prefix is None or event.subject is None else show(prefix, event.subject),
        "before": event.before,
        "after": event.after,
    }
