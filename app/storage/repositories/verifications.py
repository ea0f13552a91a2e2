"""Verifications, to be read. They are written by the ledger alone."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select

from app.storage.records import VerificationRecord
from app.storage.tables import holders, passes, undos, verifications

from .repository import Repository

_V = verifications.c


class VerificationFilter(NamedTuple):
    """Which verifications; None asks for all. `since` is included, `until` is not (microseconds)."""

    gate: str | None = None
    pass_: bytes | None = None
    holder: bytes | None = None
    decision: str | None = None
    since: int | None = None
    until: int | None = None


class Verifications(Repository):
    """Attempts and their decisions."""

    def get(self, tenant: str, id_: bytes) -> VerificationRecord | None:
        return self._one(_select(tenant).where(_V.id == id_), VerificationRecord)

    def page(
        self, tenant: str, after: bytes | None, limit: int, wanted: VerificationFilter
    ) -> list[VerificationRecord]:
        """Newest first."""
        statement = _select(tenant)
        if wanted.gate is not None:
            statement = statement.where(_V.gate == wanted.gate)
        if wanted.pass_ is not None:
            statement = statement.where(_V.pass_ == wanted.pass_)
        if wanted.holder is not None:
            theirs = select(passes.c.id).where(passes.c.tenant == tenant, passes.c.holder == wanted.holder)
            statement = statement.where(_V.pass_.in_(theirs))
        if wanted.decision is not None:
            statement = statement.where(_V.decision == wanted.decision)
        if wanted.since is not None:
            statement = statement.where(_V.at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(_V.at < wanted.until)
        return [VerificationRecord(*row) for row in self._page(statement, _V.id, after, limit)]


def _select(tenant: str) -> Select[Any]:
    elsewhere: Mapping[str, Any] = {"ref": holders.c.ref, "name": holders.c.name, "undone_at": undos.c.at}
    return (
        select(*(elsewhere.get(name, _V.get(name)) for name in VerificationRecord._fields))
        .outerjoin(holders, and_(holders.c.tenant == _V.tenant, holders.c.id == _V.holder))
        .outerjoin(undos, and_(undos.c.tenant == _V.tenant, undos.c.verification == _V.id))
        .where(_V.tenant == tenant)
    )
