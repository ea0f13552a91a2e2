"""Passes with their holders: the columns that every statement about them selects, and how a row becomes a `Pass`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Integer, and_, select

from app.core.model import (
    NO_COUNTS,
    NO_LIMITS,
    SECOND,
    CountKey,
    EntryCount,
    Holder,
    Limits,
    Pass,
    PassStatus,
    Scope,
    ZoneLimit,
)
from app.storage.bulk import BulkRead, incoming
from app.storage.counts import counts_of
from app.storage.engine import Engine
from app.storage.tables import holders, passes

N = Column("n", Integer)
"""Which attempt of a batch a row is about."""

_STATUS = {status.value: status for status in PassStatus}

PASS_COLUMNS: Sequence[ColumnElement[Any]] = (
    *(passes.c.id, passes.c.idx, passes.c.scope, passes.c.valid_from, passes.c.valid_until),
    *(passes.c.max_entries, passes.c.entries, passes.c.status, passes.c.limits, passes.c.counts),
    passes.c.schedule,
    *(holders.c.id, holders.c.ref, holders.c.number, holders.c.name, holders.c.blocked_at),
)


class StoredPass(NamedTuple):
    """A pass as it is stored, without the hours of its schedule; and the counts of its entries, if it has limits."""

    pass_: Pass
    schedule: str | None
    counts: Mapping[CountKey, EntryCount]


def stored_pass(columns: Sequence[Any]) -> StoredPass:
    """The pass in the values of `PASS_COLUMNS`."""
    id_, idx, scope, valid_from, valid_until, max_entries, entries, status, limits, counts, schedule = columns[:11]
    holder_id, ref, number, name, blocked_at = columns[11:]
    return StoredPass(
        Pass(
            id_,
            idx,
            Holder(holder_id, ref, number, name, blocked_at is not None),
            scope_of(scope),
            valid_from,
            valid_until,
            max_entries,
            entries,
            _STATUS[status],
            None,
            NO_LIMITS if limits is None else limits_of(limits),
        ),
        schedule,
        NO_COUNTS if counts is None else counts_of(id_, counts),
    )


@lru_cache(maxsize=4096)
def scope_of(text: str) -> Scope:
    """The scope that a pass's column holds: JSON {"gates": "all" or a list, "zones": a list}."""
    value = json.loads(text)
    if value["gates"] == "all":
        return Scope(every_gate=True, zones=frozenset(value["zones"]))
    return Scope(gates=frozenset(value["gates"]), zones=frozenset(value["zones"]))


@lru_cache(maxsize=4096)
def limits_of(text: str) -> Limits:
    """The limits that a pass's column holds: JSON, see `PassRecord`."""
    value = json.loads(text)
    zones = tuple(
        ZoneLimit(zone, limit.get("total"), limit.get("per_day"))
        for zone, limit in sorted(value.get("zones", {}).items())
    )
    return Limits(
        value.get("party_size", 1),
        value.get("max_entries_per_day"),
        value.get("min_interval_s", 0) * SECOND,
        zones,
    )


class PassesLoader:
    """Loads passes by their id, which only a simulation asks for."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(N, passes.c.tenant, passes.c.id)
        statement = (
            select(asked.c.n, *PASS_COLUMNS)
            .select_from(asked)
            .join(passes, and_(passes.c.tenant == asked.c.tenant, passes.c.id == asked.c.id))
            .join(holders, and_(holders.c.tenant == passes.c.tenant, holders.c.id == passes.c.holder))
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(self, connection: Connection, asked: Iterable[tuple[int, str, bytes]]) -> Mapping[int, StoredPass]:
        """The passes of those (n, tenant, pass) that there are, by n."""
        return {row[0]: stored_pass(row[1:]) for row in self._statement.rows(connection, list(asked))}
