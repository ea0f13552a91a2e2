"""Conflicts: admissions that should not have been, found once they became known."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, select

from app.storage.records import ConflictRecord
from app.storage.tables import conflicts, undos, verifications

from .repository import Repository

_C = conflicts.c
_COLUMNS = tuple(_C[name] for name in ConflictRecord._fields)


class ConflictFilter(NamedTuple):
    """Which conflicts; None asks for all."""

    gate: str | None = None
    reason: str | None = None


class Conflicts(Repository):
    """Written by the reconciler alone. An admission that was taken back is in none any more."""

    def insert(self, tenant: str, conflict: ConflictRecord) -> bool:
        """Whether it was not known."""
        return self._insert(conflicts, conflict._asdict() | {"tenant": tenant})

    def change(self, tenant: str, id_: bytes, other: bytes | None) -> None:
        """Another admission came first than was known."""
        self._update(conflicts, and_(_C.tenant == tenant, _C.id == id_), {"other": other})

    def delete(self, tenant: str, ids: Collection[bytes]) -> None:
        """Those that are none any more."""
        if ids:
            self._connection.execute(delete(conflicts).where(_C.tenant == tenant, _C.id.in_(ids)))

    def about(self, tenant: str, subject: bytes) -> list[ConflictRecord]:
        """All that are about a token, a pass or a verification."""
        rows = self._connection.execute(select(*_COLUMNS).where(_C.tenant == tenant, _C.subject == subject))
        return [ConflictRecord(*row) for row in rows]

    def of(self, tenant: str, verifications_: Sequence[bytes]) -> list[ConflictRecord]:
        """Those that the verifications are in."""
        where = and_(_C.tenant == tenant, _C.verification.in_(verifications_), _stands())
        return [ConflictRecord(*row) for row in self._connection.execute(select(*_COLUMNS).where(where))]

    def page(self, tenant: str, after: bytes | None, limit: int, wanted: ConflictFilter) -> list[ConflictRecord]:
        """Newest first."""
        statement = select(*_COLUMNS).where(_C.tenant == tenant, _stands())
        if wanted.reason is not None:
            statement = statement.where(_C.reason == wanted.reason)
        if wanted.gate is not None:
            there = and_(verifications.c.tenant == tenant, verifications.c.id == _C.verification)
            statement = statement.where(exists().where(there, verifications.c.gate == wanted.gate))
        return [ConflictRecord(*row) for row in self._page(statement, _C.id, after, limit)]


def _stands() -> ColumnElement[bool]:
    return ~exists().where(undos.c.tenant == _C.tenant, undos.c.verification == _C.verification)
