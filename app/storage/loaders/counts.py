"""Entries on passes that are limited by the day, by the zone, or by the time between them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, select

from app.core.model import CountKey, EntryCount
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import entry_counts


class CountsLoader:
    """Loads counts by pass."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(entry_counts.c.tenant, entry_counts.c.pass_)
        each = entry_counts.c
        statement = select(*asked.c, each.zone, each.total, each.day, each.on_day, each.last_at).join_from(
            asked, entry_counts, and_(each.tenant == asked.c.tenant, each.pass_ == asked.c["pass_"])
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(
        self, connection: Connection, asked: Iterable[tuple[str, bytes]]
    ) -> Mapping[tuple[str, bytes], Mapping[CountKey, EntryCount]]:
        """The counts of each (tenant, pass) that has any."""
        found: defaultdict[tuple[str, bytes], dict[CountKey, EntryCount]] = defaultdict(dict)
        for tenant, pass_, zone, *count in self._statement.rows(connection, sorted(set(asked))):
            found[tenant, pass_][CountKey(pass_, zone)] = EntryCount(*count)
        return found
