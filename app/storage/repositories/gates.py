"""Gates."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, delete, select

from app.storage.records import GateRecord
from app.storage.tables import gates

from .repository import Repository

_COLUMNS = tuple(gates.c[name] for name in GateRecord._fields)


class Gates(Repository):
    """Check-in points."""

    def insert(self, tenant: str, gate: GateRecord) -> bool:
        """Whether the id was free."""
        return self._insert(gates, gate._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: str) -> GateRecord | None:
        return self._one(select(*_COLUMNS).where(gates.c.tenant == tenant, gates.c.id == id_), GateRecord)

    def change(self, tenant: str, id_: str, values: Mapping[str, Any]) -> bool:
        """Whether there is such a gate."""
        return self._update(gates, and_(gates.c.tenant == tenant, gates.c.id == id_), values)

    def delete(self, tenant: str, id_: str) -> bool:
        """Whether there was such a gate."""
        statement = delete(gates).where(gates.c.tenant == tenant, gates.c.id == id_)
        return bool(self._connection.execute(statement).rowcount)

    def page(self, tenant: str, after: str | None, limit: int) -> list[GateRecord]:
        statement = select(*_COLUMNS).where(gates.c.tenant == tenant)
        return [GateRecord(*row) for row in self._page(statement, gates.c.id, after, limit, newest_first=False)]
