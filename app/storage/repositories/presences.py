"""Presences: who is inside the zones that are counted. They are written by the ledger, and taken away here."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, select, tuple_

from app.storage.tables import presences, zones

from .repository import Repository


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

    def leave(self, tenant: str, holder: bytes, zone: str) -> None:
        """Take the holder to be outside the zone."""
        where = and_(presences.c.tenant == tenant, presences.c.holder == holder, presences.c.zone == zone)
        self._update(presences, where, {"people": 0})

    def forget_zone(self, tenant: str, zone: str) -> None:
        """Forget who is in the zone."""
        self._connection.execute(delete(presences).where(presences.c.tenant == tenant, presences.c.zone == zone))

    def purge(self) -> None:
        """Forget where people were who are outside."""
        self._purge(presences.c.people == 0)

    def purge_older(self, tenant: str, zone: str, before: int) -> None:
        """Forget who was in the zone before its latest nightly reset."""
        self._purge(and_(presences.c.tenant == tenant, presences.c.zone == zone, presences.c.since < before))

    def _purge(self, where: ColumnElement[bool]) -> None:
        """What is being written just now is left for the next time."""
        key = (presences.c.tenant, presences.c.holder, presences.c.zone)
        wanted = select(*key).where(where).with_for_update(skip_locked=True)
        self._connection.execute(delete(presences).where(tuple_(*key).in_(wanted)))
