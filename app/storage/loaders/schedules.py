"""Schedules: the hours in which passes may be used, as they are written. The calendar makes intervals of them."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, select

from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import schedules

NEVER = "{}"
"""The hours of a schedule that is gone: a pass that names it is never good."""


class SchedulesLoader:
    """Loads hours by schedule."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(schedules.c.tenant, schedules.c.id)
        statement = select(*asked.c, schedules.c.hours).join_from(
            asked, schedules, and_(schedules.c.tenant == asked.c.tenant, schedules.c.id == asked.c.id)
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(self, connection: Connection, asked: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The hours of those (tenant, schedule) that there are."""
        return {(row[0], row[1]): row[2] for row in self._statement.rows(connection, sorted(set(asked)))}
