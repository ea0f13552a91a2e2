"""Credentials: objects that holders carry already."""

from collections.abc import Sequence

from sqlalchemy import and_, delete, select

from app.storage.records import CredentialRecord
from app.storage.tables import credentials

from .repository import Repository

_COLUMNS = tuple(credentials.c[name] for name in CredentialRecord._fields)


class Credentials(Repository):
    """Cards and tags, never what is read from them."""

    def insert(self, tenant: str, credential: CredentialRecord) -> bool:
        """Whether its lookup was free."""
        return self._insert(credentials, credential._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: bytes) -> CredentialRecord | None:
        return self._one(
            select(*_COLUMNS).where(credentials.c.tenant == tenant, credentials.c.id == id_), CredentialRecord
        )

    def is_taken(self, tenant: str, lookups: Sequence[bytes]) -> bool:
        """Whether one of the lookups is somebody's."""
        where = and_(credentials.c.tenant == tenant, credentials.c.lookup.in_(lookups))
        return self._connection.execute(select(credentials.c.id).where(where).limit(1)).first() is not None

    def block(self, tenant: str, id_: bytes, at: int, reason: str) -> bool:
        """Refuse it from now on. False where it was blocked before: the first block stays."""
        where = and_(credentials.c.tenant == tenant, credentials.c.id == id_, credentials.c.blocked_at.is_(None))
        return self._update(credentials, where, {"blocked_at": at, "blocked_reason": reason})

    def unblock(self, tenant: str, id_: bytes) -> bool:
        """Whether it was blocked."""
        where = and_(credentials.c.tenant == tenant, credentials.c.id == id_, credentials.c.blocked_at.is_not(None))
        return self._update(credentials, where, {"blocked_at": None, "blocked_reason": None})

    def delete(self, tenant: str, id_: bytes) -> bool:
        """Whether there was such a credential."""
        statement = delete(credentials).where(credentials.c.tenant == tenant, credentials.c.id == id_)
        return bool(self._connection.execute(statement).rowcount)

    def page(self, tenant: str, holder: bytes, after: bytes | None, limit: int) -> list[CredentialRecord]:
        """The holder's, newest first."""
        statement = select(*_COLUMNS).where(credentials.c.tenant == tenant, credentials.c.holder == holder)
        return [CredentialRecord(*row) for row in self._page(statement, credentials.c.id, after, limit)]
