"""Audit: what people at the desk did by hand, by whose key, and why."""

from typing import Literal

from app.storage.records import AuditRecord
from app.storage.repositories.audit_events import AuditFilter
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .pages import Page, page

Action = Literal[
    "holder_blocked",
    "holder_unblocked",
    "token_blocked",
    "token_unblocked",
    "credential_blocked",
    "credential_unblocked",
    "credential_deleted",
    "anti_passback_reset",
    "occupancy_corrected",
]


def record(
    app: Context,
    tx: Transaction,
    caller: Caller,
    action: Action,
    *,
    reason: str | None = None,
    holder: bytes | None = None,
    zone: str | None = None,
    subject: bytes | None = None,
    before: int | None = None,
    after: int | None = None,
) -> None:
    """Record it with what was done, in the same transaction."""
    tx.audit_events.insert(
        caller.tenant,
        AuditRecord(
            id=app.new_id(),
            at=app.clock.now(),
            action=action,
            credential=caller.line,
            reason=reason,
            holder=holder,
            ref=None,
            zone=zone,
            subject=subject,
            before=before,
            after=after,
        ),
    )


async def list_audit_events(
    app: Context,
    caller: Caller,
    after: bytes | None,
    limit: int,
    *,
    holder: str | None,
    zone: str | None,
    action: Action | None,
) -> Page[AuditRecord]:
    """The tenant's events, newest first, or those of one holder, zone or action."""

    def work(tx: Transaction) -> Page[AuditRecord]:
        whose = None
        if holder is not None:
            found = tx.holders.by_ref(caller.tenant, holder)
            if found is None:
                return Page((), None)
            whose = found.id
        wanted = AuditFilter(whose, zone, action)
        return page(
            lambda count: tx.audit_events.page(caller.tenant, after, count, wanted), lambda event: event.id, limit
        )

    return await app.store.read(work)
