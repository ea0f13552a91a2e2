"""Zones."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, func, select

from app.storage.records import ZoneRecord
from app.storage.tables import tenants, zones

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

    def that_reset(self) -> list[tuple[str, str, str, str]]:
        """`(tenant, zone, local_resets_at, time zone)` of every counted zone of every tenant that resets at night."""
        time_zone = func.coalesce(zones.c.local_time_zone, tenants.c.time_zone)
        rows = self._connection.execute(
            select(zones.c.tenant, zones.c.id, zones.c.local_resets_at, time_zone)
            .join(tenants, tenants.c.id == zones.c.tenant)
            .where(zones.c.counted.is_(True), zones.c.local_resets_at.is_not(None))
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

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
