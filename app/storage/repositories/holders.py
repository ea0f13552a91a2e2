"""Holders."""

from sqlalchemy import and_, select

from app.storage.records import HolderRecord
from app.storage.tables import holders

from .repository import Repository

_COLUMNS = tuple(holders.c[name] for name in HolderRecord._fields)


class Holders(Repository):
    """People who enter."""

    def insert(self, tenant: str, holder: HolderRecord) -> bool:
        """Whether the ref was free."""
        return self._insert(holders, holder._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: bytes) -> HolderRecord | None:
        return self._one(select(*_COLUMNS).where(holders.c.tenant == tenant, holders.c.id == id_), HolderRecord)

    def by_ref(self, tenant: str, ref: str) -> HolderRecord | None:
        return self._one(select(*_COLUMNS).where(holders.c.tenant == tenant, holders.c.ref == ref), HolderRecord)

    def rename(self, tenant: str, id_: bytes, ref: str) -> None:
        """Give the holder another ref, which has to be free."""
        self._update(holders, and_(holders.c.tenant == tenant, holders.c.id == id_), {"ref": ref})

    def name(self, tenant: str, id_: bytes, name: str) -> None:
        self._update(holders, and_(holders.c.tenant == tenant, holders.c.id == id_), {"name": name})

    def replace_live_code(self, tenant: str, id_: bytes, token: bytes) -> bytes | None:
        """Make `token` the one code of the holder that is good; the token that was it."""
        where = and_(holders.c.tenant == tenant, holders.c.id == id_)
        before = self._connection.scalar(select(holders.c.live_code).where(where).with_for_update())
        self._update(holders, where, {"live_code": token})
        return before

    def block(self, tenant: str, id_: bytes, at: int, reason: str) -> bool:
        """Let nobody in as this holder from now on. False where they were blocked before: the first block stays."""
        where = and_(holders.c.tenant == tenant, holders.c.id == id_, holders.c.blocked_at.is_(None))
        return self._update(holders, where, {"blocked_at": at, "blocked_reason": reason})

    def unblock(self, tenant: str, id_: bytes) -> bool:
        """Whether the holder was blocked."""
        where = and_(holders.c.tenant == tenant, holders.c.id == id_, holders.c.blocked_at.is_not(None))
        return self._update(holders, where, {"blocked_at": None, "blocked_reason": None})

    def page(self, tenant: str, after: bytes | None, limit: int, *, ref: str | None) -> list[HolderRecord]:
        """Newest first."""
        statement = select(*_COLUMNS).where(holders.c.tenant == tenant)
        if ref is not None:
            statement = statement.where(holders.c.ref == ref)
        return [HolderRecord(*row) for row in self._page(statement, holders.c.id, after, limit)]
