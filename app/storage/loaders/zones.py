"""Zones whose people are counted, and where holders are among them.

A nightly reset is no write: what was counted before the latest one does not count any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from app.core.model import SECOND, AntiPassback, Presence, Zone
from app.storage.bulk import BulkRead, incoming
from app.storage.calendar import Calendar
from app.storage.engine import Engine
from app.storage.tables import presences, tenants, zones

from .gates import path_of

_HOW = {how.value: how for how in AntiPassback}


class Counted(NamedTuple):
    """A zone, and the time of its latest reset (microseconds UTC): what is older does not count."""

    zone: Zone
    reset_at: int


_PLACE = itemgetter(0, 1, 2)  # tenant, root, id: PostgreSQL gives rows as they lie, and what is recorded follows them


class ZonesLoader:
    """Loads counted zones by their outermost zone, and presences by holder."""

    def __init__(self, engine: Engine, calendar: Calendar) -> None:
        self._calendar = calendar
        asked = incoming(zones.c.tenant, zones.c.root)
        statement = (
            select(zones.c.tenant, zones.c.root, zones.c.id, zones.c.path, zones.c.capacity, zones.c.anti_passback)
            .add_columns(zones.c.forgive_after_s, zones.c.people, zones.c.people_at, zones.c.local_resets_at)
            .add_columns(zones.c.local_time_zone, tenants.c.time_zone)
            .select_from(asked)
            .join(zones, and_(zones.c.tenant == asked.c.tenant, zones.c.root == asked.c.root))
            .join(tenants, tenants.c.id == zones.c.tenant)
            .where(zones.c.counted.is_(True))
        )
        self._zones = BulkRead(engine, asked, statement)
        whose = incoming(presences.c.tenant, presences.c.holder)
        self._presences = BulkRead(
            engine,
            whose,
            select(*whose.c, presences.c.zone, presences.c.people, presences.c.since).join_from(
                whose,
                presences,
                and_(presences.c.tenant == whose.c.tenant, presences.c.holder == whose.c.holder),
            ),
        )

    def load(
        self, connection: Connection, roots: Iterable[tuple[str, str]], now: int
    ) -> Mapping[tuple[str, str], Mapping[str, Counted]]:
        """The counted zones, by id and in its order, within each (tenant, outermost zone)."""
        found: defaultdict[tuple[str, str], dict[str, Counted]] = defaultdict(dict)
        for (
            tenant,
            root,
            id_,
            path,
            capacity,
            how,
            forgive_s,
            people,
            people_at,
            resets_at,
            *clocks,
        ) in sorted(self._zones.rows(connection, sorted(set(roots))), key=_PLACE):
            reset_at = self._calendar.last_reset(resets_at, clocks[0] or clocks[1], now) if resets_at else 0
            forgive_after = None if forgive_s is None else forgive_s * SECOND
            inside = people if people_at >= reset_at else 0
            zone = Zone(id_, path_of(path), inside, capacity, _HOW[how], forgive_after)
            found[tenant, root][id_] = Counted(zone, reset_at)
        return found

    def inside(
        self, connection: Connection, holders: Iterable[tuple[str, bytes]], counted: Mapping[tuple[str, str], Counted]
    ) -> Mapping[tuple[str, bytes], Mapping[str, Presence]]:
        """Where each (tenant, holder) is, by zone, as far as it is `counted`, by tenant and zone."""
        found: defaultdict[tuple[str, bytes], dict[str, Presence]] = defaultdict(dict)
        for tenant, holder, zone, people, since in self._presences.rows(connection, sorted(set(holders))):
            known = counted.get((tenant, zone))
            if known is not None and since >= known.reset_at:
                found[tenant, holder][zone] = Presence(people, since)
        return found
