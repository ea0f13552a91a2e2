"""Passes."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, and_, func, select

from app.core.model import PassStatus
from app.storage.records import PassRecord
from app.storage.tables import holders, passes, verifications

from .entry_counts import is_entry
from .repository import Repository


class Passes(Repository):
    """What holders may do."""

    def insert(self, tenant: str, pass_: PassRecord) -> None:
        values = {name: value for name, value in pass_._asdict().items() if name in passes.c}
        times = dict.fromkeys(("status_at", "changed_at"), pass_.created_at)
        self._insert(passes, values | {"tenant": tenant} | times)

    def get(self, tenant: str, id_: bytes) -> PassRecord | None:
        return self._one(_select(tenant).where(passes.c.id == id_), PassRecord)

    def lock(self, tenant: str, id_: bytes) -> PassRecord | None:
        """The pass, held until the transaction ends: nobody is let in by it meanwhile."""
        return self._one(
            _select(tenant).where(passes.c.id == id_).with_for_update(of=passes, key_share=True), PassRecord
        )

    def lock_of_holder(self, tenant: str, holder: bytes) -> None:
        """Hold all passes of the holder until the transaction ends: nobody is let in by them meanwhile."""
        theirs = select(passes.c.id).where(passes.c.tenant == tenant, passes.c.holder == holder)
        self._connection.execute(theirs.order_by(passes.c.id).with_for_update(key_share=True)).all()

    def revoke(self, tenant: str, ids: Collection[bytes], at: int, reason: str) -> None:
        """Revoke those that are not yet; all are held until the transaction ends, taken in one order."""
        these = and_(passes.c.tenant == tenant, passes.c.id.in_(ids))
        held = select(passes.c.id).where(these).order_by(passes.c.id).with_for_update(key_share=True)
        self._connection.execute(held).all()
        change = {"status": PassStatus.REVOKED, "status_reason": reason, "status_at": at, "changed_at": at}
        self._update(passes, and_(these, passes.c.status != PassStatus.REVOKED), change)

    def change(self, tenant: str, id_: bytes, values: Mapping[str, Any], at: int) -> None:
        """Set columns of a pass that was locked."""
        self._update(passes, and_(passes.c.tenant == tenant, passes.c.id == id_), {**values, "changed_at": at})

    def holder_changed(self, tenant: str, holder: bytes, at: int) -> None:
        """Note it on the holder's passes, which were locked."""
        self._update(passes, and_(passes.c.tenant == tenant, passes.c.holder == holder), {"changed_at": at})

    def count_entries(self, tenant: str, id_: bytes) -> int:
        """The people who entered on a pass that has no limit, which nothing counts while it happens."""
        people = func.coalesce(func.sum(verifications.c.people), 0)
        return self._connection.scalar(select(people).where(is_entry(tenant, id_))) or 0

    def page(self, tenant: str, after: bytes | None, limit: int, *, holder: bytes | None) -> list[PassRecord]:
        """Newest first."""
        statement = _select(tenant)
        if holder is not None:
            statement = statement.where(passes.c.holder == holder)
        return [PassRecord(*row) for row in self._page(statement, passes.c.id, after, limit)]


def _select(tenant: str) -> Select[Any]:
    columns = [holders.c[name] if name in ("ref", "number") else passes.c[name] for name in PassRecord._fields]
    return (
        select(*columns)
        .join(holders, and_(holders.c.tenant == passes.c.tenant, holders.c.id == passes.c.holder))
        .where(passes.c.tenant == tenant)
    )
