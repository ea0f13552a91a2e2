"""Zones."""

from sqlalchemy import select

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

    def page(self, tenant: str, after: str | None, limit: int) -> list[ZoneRecord]:
        statement = select(*_COLUMNS).where(zones.c.tenant == tenant)
        return [ZoneRecord(*row) for row in self._page(statement, zones.c.id, after, limit, newest_first=False)]
