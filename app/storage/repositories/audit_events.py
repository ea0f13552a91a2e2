"""Audit events: what people at the desk did by hand."""

from typing import Any, NamedTuple

from sqlalchemy import and_, select

from app.storage.records import AuditRecord
from app.storage.tables import audit_events, holders

from .repository import Repository

_E = audit_events.c


class AuditFilter(NamedTuple):
    """Which events; None asks for all."""

    holder: bytes | None = None
    zone: str | None = None
    action: str | None = None


class AuditEvents(Repository):
    """Never changed, and never taken away."""

    def insert(self, tenant: str, event: AuditRecord) -> None:
        values = {name: value for name, value in event._asdict().items() if name in _E}
        self._insert(audit_events, values | {"tenant": tenant})

    def page(self, tenant: str, after: bytes | None, limit: int, wanted: AuditFilter) -> list[AuditRecord]:
        """Newest first."""
        columns: list[Any] = [holders.c.ref if name == "ref" else _E[name] for name in AuditRecord._fields]
        statement = (
            select(*columns)
            .outerjoin(holders, and_(holders.c.tenant == _E.tenant, holders.c.id == _E.holder))
            .where(_E.tenant == tenant)
        )
        if wanted.holder is not None:
            statement = statement.where(_E.holder == wanted.holder)
        if wanted.zone is not None:
            statement = statement.where(_E.zone == wanted.zone)
        if wanted.action is not None:
            statement = statement.where(_E.action == wanted.action)
        return [AuditRecord(*row) for row in self._page(statement, _E.id, after, limit)]
