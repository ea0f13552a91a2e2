"""Zones."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, select

from app.storage.records import ZoneRecord
from app.storage.tables import zones

from .repository import Repository

_COLUMNS = tuple(zones.c[name] for name in ZoneRecord._fields)


class Zones(Repository):
    """Areas with people in them."""

    def insert(self, tenant: str, zone: ZoneRecord) -> bool:
        """Whether the id was free."""
        return self._insert(zones, zone._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: str) -> ZoneRecord | None:
        return self._one(select(*_COLUMNS).where(zones.c.tenant == tenant, zones.c.id == id_), ZoneRecord)

    def of_root(self, tenant: str, root: str) -> list[ZoneRecord]:
        """The outermost zone `root`, and all within it."""
        statement = select(*_COLUMNS).where(zones.c.tenant == tenant, zones.c.root == root).order_by(zones.c.id)
        return [ZoneRecord(*row) for row in self._connection.execute(statement)]

    def lock_counts(self, tenant: str, roots: Collection[str]) -> None:
        """Hold what is counted within these outermost zones until the transaction ends."""
        self._engine.lock_zones(self._connection, [(tenant, root) for root in sorted(roots)])

    def lock(self, tenant: str, root: str) -> None:
        """Hold the outermost zone, whether or not anything within it is counted."""
        self.lock_counts(tenant, [root])
        outermost = select(zones.c.id).where(zones.c.tenant == tenant, zones.c.id == root)
        self._connection.execute(outermost.with_for_update(key_share=True)).all()

    def change(self, tenant: str, id_: str, values: Mapping[str, Any]) -> None:
        """Set columns of a zone whose outermost zone was locked."""
        self._update(zones, and_(zones.c.tenant == tenant, zones.c.id == id_), values)

    def page(self, tenant: str, after: str | None, limit: int) -> list[ZoneRecord]:
        statement = select(*_COLUMNS).where(zones.c.tenant == tenant)
        return [ZoneRecord(*row) for row in self._page(statement, zones.c.id, after, limit, newest_first=False)]
