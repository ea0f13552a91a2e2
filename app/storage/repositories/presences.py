"""Presences: who is inside the zones that are counted. They are written by the ledger, and taken away here."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Delete, Select, and_, delete, select, tuple_

from app.storage.tables import presences, zones

from .repository import Repository

_AT_ONCE = 500
_KEY = (presences.c.tenant, presences.c.holder, presences.c.zone)


class PresenceRecord(NamedTuple):
    """How many of a holder's party are in a zone, since `since`. `root` is the outermost zone around it."""

    zone: str
    root: str
    people: int
    since: int


class Presences(Repository):
    """How many of a holder's party are inside, by zone."""

    def inside(self, tenant: str, holder: bytes) -> list[PresenceRecord]:
        """Where the holder is, by zone."""
        statement = (
            select(presences.c.zone, zones.c.root, presences.c.people, presences.c.since)
            .join(zones, and_(zones.c.tenant == presences.c.tenant, zones.c.id == presences.c.zone))
            .where(presences.c.tenant == tenant, presences.c.holder == holder, presences.c.people > 0)
            .order_by(presences.c.zone)
        )
        return [PresenceRecord(*row) for row in self._connection.execute(statement)]

    def leave(self, tenant: str, holder: bytes, zone: str, at: int) -> None:
        """Take the holder to be outside the zone from then on."""
        where = and_(presences.c.tenant == tenant, presences.c.holder == holder, presences.c.zone == zone)
        self._update(presences, where, {"people": 0, "moved_at": at})

    def forget_zone(self, tenant: str, zone: str) -> None:
        """Forget who is in the zone."""
        self._connection.execute(delete(presences).where(presences.c.tenant == tenant, presences.c.zone == zone))

    def purge(self, moved_before: int) -> None:
        """Forget where people were who left before then. What is being written just now is left for the next time."""
        gone = and_(presences.c.people == 0, presences.c.moved_at < moved_before)
        self._connection.execute(_delete(select(*_KEY).where(gone)))

    def purge_older(self, tenant: str, zones_: Sequence[str], before: int) -> None:
        """Forget who was in these zones before their latest nightly reset."""
        for start in range(0, len(zones_), _AT_ONCE):
            here = and_(presences.c.tenant == tenant, presences.c.zone.in_(zones_[start : start + _AT_ONCE]))
            self._connection.execute(_delete(select(*_KEY).where(here, presences.c.since < before)))


def _delete(wanted: Select[Any]) -> Delete:
    return delete(presences).where(tuple_(*_KEY).in_(wanted.with_for_update(skip_locked=True)))
