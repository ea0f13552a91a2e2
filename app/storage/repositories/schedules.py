"""Schedules."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, and_, delete, select

from app.storage.records import ScheduleRecord
from app.storage.tables import passes, schedules

from .repository import Repository

_COLUMNS = tuple(schedules.c[name] for name in ScheduleRecord._fields)


class Schedules(Repository):
    """When passes may be used."""

    def insert(self, tenant: str, schedule: ScheduleRecord) -> bool:
        """Whether the id was free."""
        return self._insert(schedules, schedule._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: str) -> ScheduleRecord | None:
        return self._one(_select(tenant, id_), ScheduleRecord)

    def lock(self, tenant: str, id_: str) -> ScheduleRecord | None:
        """The schedule, held until the transaction ends: nobody else changes it meanwhile, or begins to use it."""
        return self._one(_select(tenant, id_).with_for_update(), ScheduleRecord)

    def hold(self, tenant: str, id_: str) -> bool:
        """Whether there is such a schedule; if so, it is not deleted before the transaction ends."""
        return self._one(_select(tenant, id_).with_for_update(read=True, key_share=True), ScheduleRecord) is not None

    def change(self, tenant: str, id_: str, values: Mapping[str, Any]) -> None:
        """Set columns of a schedule that was locked."""
        self._update(schedules, and_(schedules.c.tenant == tenant, schedules.c.id == id_), values)

    def delete(self, tenant: str, id_: str) -> None:
        """Take away a schedule that was locked."""
        self._connection.execute(delete(schedules).where(schedules.c.tenant == tenant, schedules.c.id == id_))

    def in_use(self, tenant: str, id_: str) -> bool:
        """Whether a pass names it."""
        statement = select(passes.c.id).where(passes.c.tenant == tenant, passes.c.schedule == id_).limit(1)
        return self._connection.scalar(statement) is not None

    def page(self, tenant: str, after: str | None, limit: int) -> list[ScheduleRecord]:
        statement = select(*_COLUMNS).where(schedules.c.tenant == tenant)
        rows = self._page(statement, schedules.c.id, after, limit, newest_first=False)
        return [ScheduleRecord(*row) for row in rows]


def _select(tenant: str, id_: str) -> Select[Any]:
    return select(*_COLUMNS).where(schedules.c.tenant == tenant, schedules.c.id == id_)
