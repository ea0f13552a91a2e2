"""Tokens."""

from sqlalchemy import and_, select

from app.storage.records import TokenRecord
from app.storage.tables import tokens

from .repository import Repository

_COLUMNS = tuple(tokens.c[name] for name in TokenRecord._fields)


class Tokens(Repository):
    """Proofs of passes, never their text."""

    def insert(self, tenant: str, token: TokenRecord) -> bool:
        """Whether its id and its lookup were free."""
        return self._insert(tokens, token._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: bytes) -> TokenRecord | None:
        return self._one(select(*_COLUMNS).where(tokens.c.tenant == tenant, tokens.c.id == id_), TokenRecord)

    def find(self, tenant: str, ids: list[bytes], lookups: list[bytes]) -> list[TokenRecord]:
        """Those tokens that are stored, by id or by lookup."""
        where = (tokens.c.tenant == tenant, tokens.c.id.in_(ids) | tokens.c.lookup.in_(lookups))
        return [TokenRecord(*row) for row in self._connection.execute(select(*_COLUMNS).where(*where))]

    def revoke(self, tenant: str, id_: bytes, at: int) -> None:
        """Refuse the token from now on. The first revocation's time stays."""
        where = and_(tokens.c.tenant == tenant, tokens.c.id == id_, tokens.c.revoked_at.is_(None))
        self._update(tokens, where, {"revoked_at": at})

    def block(self, tenant: str, id_: bytes, at: int, reason: str) -> bool:
        """Refuse the token until it is unblocked. False where it was blocked before: the first block stays."""
        where = and_(tokens.c.tenant == tenant, tokens.c.id == id_, tokens.c.blocked_at.is_(None))
        return self._update(tokens, where, {"blocked_at": at, "blocked_reason": reason})

    def unblock(self, tenant: str, id_: bytes) -> bool:
        """Whether the token was blocked."""
        where = and_(tokens.c.tenant == tenant, tokens.c.id == id_, tokens.c.blocked_at.is_not(None))
        return self._update(tokens, where, {"blocked_at": None, "blocked_reason": None})
