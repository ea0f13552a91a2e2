"""Counts of entries on limited passes. The ledger keeps them; where a limit is new they are counted from the log."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, select

from app.core.crossing import crossed
from app.core.decision import Outcome
from app.core.ids import uuid7
from app.core.model import CountKey, Direction, EntryCount
from app.storage.counts import counts_of, counts_text
from app.storage.loaders.gates import path_of
from app.storage.tables import gates, passes, tenants, undos, verifications, zones

from .repository import Repository

_V = verifications.c
_LEAST = bytes(8)


class Entry(NamedTuple):
    """People who entered on a pass. `into` are the zones they came into by the gate as it is now; `time_zone` its.

    `flags` are separated by spaces.
    """

    at: int
    people: int
    into: tuple[str, ...]
    time_zone: str
    gate: str
    credential: bytes
    verification: bytes
    token: bytes | None
    flags: str


class EntryCounts(Repository):
    """Entries on passes that are limited beyond `max_entries`."""

    def entries(self, tenant: str, pass_: bytes, since: int = 0) -> list[Entry]:
        """The entries on a pass from then on, oldest first. Those by a gate that is gone came into no zone."""
        from_zone, into_zone = zones.alias(), zones.alias()
        time_zone = func.coalesce(into_zone.c.local_time_zone, from_zone.c.local_time_zone, tenants.c.time_zone)
        statement = (
            select(_V.at, _V.people, from_zone.c.path, into_zone.c.path, time_zone)
            .add_columns(_V.gate, _V.credential, _V.id, _V.token, _V.flags)
            .join(tenants, tenants.c.id == _V.tenant)
            .outerjoin(gates, and_(gates.c.tenant == _V.tenant, gates.c.id == _V.gate))
            .outerjoin(from_zone, and_(from_zone.c.tenant == _V.tenant, from_zone.c.id == gates.c.from_zone))
            .outerjoin(into_zone, and_(into_zone.c.tenant == _V.tenant, into_zone.c.id == gates.c.into_zone))
            .where(is_entry(tenant, pass_, since), _V.at >= since)
            .order_by(_V.at, _V.id)
        )
        return [
            Entry(at, people, crossed(path_of(before), path_of(after))[0], *rest)
            for at, people, before, after, *rest in self._connection.execute(statement)
        ]

    def replace(self, tenant: str, pass_: bytes, of: Collection[str], counts: Mapping[str, EntryCount]) -> None:
        """Put `counts` in place of those of the zones `of`, on a pass that was locked."""
        mine = and_(passes.c.tenant == tenant, passes.c.id == pass_)
        stored = counts_of(pass_, self._connection.scalar(select(passes.c.counts).where(mine)))
        kept = {key: count for key, count in stored.items() if key.zone not in of}
        added = {CountKey(pass_, zone): count for zone, count in counts.items()}
        self._update(passes, mine, {"counts": counts_text({**kept, **added}) if kept or added else None})


def is_entry(tenant: str, pass_: bytes, since: int = 0) -> ColumnElement[bool]:
    """That a verification is an entry on the pass, recorded since then, and was not taken back.

    Their ids are read of the index alone first: without statistics SQLite would read all verifications of the tenant.
    """
    on_it = verifications.alias()
    ids = select(on_it.c.id).where(on_it.c.tenant == tenant, on_it.c.pass_ == pass_)
    if since:
        ids = ids.where(on_it.c.id >= uuid7(since, _LEAST))
    return and_(
        _V.tenant == tenant,
        _V.id.in_(ids),
        _V.decision == Outcome.ADMIT,
        _V.direction == Direction.ENTRY,
        ~exists().where(undos.c.tenant == _V.tenant, undos.c.verification == _V.id),
    )
