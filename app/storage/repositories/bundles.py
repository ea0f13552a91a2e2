"""What bundles are made of: passes by their place in the status list, and tokens that were taken back."""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select

from app.core.model import PassStatus
from app.core.status_index import BLOCK
from app.storage.engine import Engine
from app.storage.loaders.gates import GatesLoader, Place
from app.storage.tables import holders, passes, schedules, tenants, tokens

from .repository import Repository


class PassRow(NamedTuple):
    """A pass without what names it. `scope` and `limits` are as in a `PassRecord`."""

    idx: int
    scope: str
    valid_from: int | None
    valid_until: int | None
    schedule: str | None
    limits: str | None
    max_entries: int | None
    entries: int
    status: str
    blocked_at: int | None


class Bundles(Repository):
    """Reads alone, none of them long: passes come a stretch of places at a time."""

    def place(self, tenant: str, gate: str) -> Place | None:
        """The gate with its zones, its time zone and the epoch."""
        return _gates(self._engine).load(self._connection, [(tenant, gate)]).get((tenant, gate))

    def schedules(self, tenant: str) -> list[tuple[str, str]]:
        """Every schedule and its hours, in the order in which they were made."""
        statement = select(schedules.c.id, schedules.c.hours).where(schedules.c.tenant == tenant)
        rows = self._connection.execute(statement.order_by(schedules.c.created_at, schedules.c.id))
        return [(id_, hours) for id_, hours in rows]

    def places_drawn(self, tenant: str) -> int:
        """Every pass of the tenant has a lower place than this."""
        block = self._connection.scalar(select(tenants.c.idx_block).where(tenants.c.id == tenant)) or 0
        return (block + 1) * BLOCK

    def passes_between(self, tenant: str, first: int, end: int, ended_by: int) -> list[PassRow]:
        """Those at the places from `first` until before `end`, but for good ones that had ended by then."""
        live = or_(passes.c.valid_until.is_(None), passes.c.valid_until > ended_by)
        told = or_(live, passes.c.status != PassStatus.ACTIVE, holders.c.blocked_at.is_not(None))
        return self._rows(_select(tenant).where(passes.c.idx >= first, passes.c.idx < end, told))

    def passes_changed(self, tenant: str, since: int, limit: int) -> list[PassRow]:
        """Those that changed at `since` or later, `limit` at most."""
        return self._rows(
            _select(tenant).where(passes.c.changed_at >= since).order_by(passes.c.changed_at).limit(limit)
        )

    def refused_tokens(self, tenant: str, expiring_after: int) -> list[bytes]:
        """The signed tokens that were revoked or blocked one by one, in order."""
        taken_back = or_(tokens.c.revoked_at.is_not(None), tokens.c.blocked_at.is_not(None))
        mine = and_(tokens.c.tenant == tenant, tokens.c.kind == _SIGNED, taken_back)
        rows = self._connection.execute(select(tokens.c.id).where(mine, tokens.c.expires_at > expiring_after))
        return sorted(rows.scalars())

    def _rows(self, statement: Select[Any]) -> list[PassRow]:
        return [PassRow._make(row) for row in self._connection.execute(statement)]


def _select(tenant: str) -> Select[Any]:
    columns = [holders.c.blocked_at if name == "blocked_at" else passes.c[name] for name in PassRow._fields]
    return (
        select(*columns)
        .join(holders, and_(holders.c.tenant == passes.c.tenant, holders.c.id == passes.c.holder))
        .where(passes.c.tenant == tenant)
    )


_SIGNED: ColumnElement[str] = literal_column("'signed'")
"""Written out: a parameter would keep the index of tokens taken back from being used."""


@lru_cache
def _gates(engine: Engine) -> GatesLoader:
    return GatesLoader(engine)
