"""Tokens."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Column, LargeBinary, and_, func, or_, select

from app.core.model import PassStatus
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.records import TokenRecord
from app.storage.tables import holders, passes, tokens

from .repository import Repository

_COLUMNS = tuple(tokens.c[name] for name in TokenRecord._fields)


class OwnedToken(NamedTuple):
    """A token, by the key that it was asked for, and whose it is.

    `refused`: it was taken back or blocked, its pass is not active, or its holder is blocked.
    """

    key: bytes
    id: bytes
    holder: bytes
    issued_at: int
    expires_at: int
    reusable: bool
    refused: bool


class Tokens(Repository):
    """Proofs of passes, never their text."""

    def insert(self, tenant: str, token: TokenRecord) -> bool:
        """Whether its id and its lookup were free."""
        return self._insert(tokens, token._asdict() | {"tenant": tenant})

    def get(self, tenant: str, id_: bytes) -> TokenRecord | None:
        return self._one(select(*_COLUMNS).where(tokens.c.tenant == tenant, tokens.c.id == id_), TokenRecord)

    def owned(self, tenant: str, keys: Sequence[bytes]) -> list[OwnedToken]:
        """Those tokens that are stored under the keys, which are ids or lookups."""
        rows = _owned(self._engine).rows(self._connection, [(tenant, key) for key in keys])
        return [OwnedToken._make((*row[:5], bool(row[5]), bool(row[6]))) for row in rows]

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


@lru_cache
def _owned(engine: Engine) -> BulkRead:
    """Compiled once: a camera asks for it at every look."""
    asked = incoming(tokens.c.tenant, Column("key", LargeBinary))
    opaque, here, key = tokens.alias(), asked.c.tenant, asked.c.key
    by_lookup = select(opaque.c.id).where(opaque.c.tenant == here, opaque.c.lookup == key).scalar_subquery()
    taken_back = or_(tokens.c.revoked_at.is_not(None), tokens.c.blocked_at.is_not(None))
    refused = or_(taken_back, passes.c.status != PassStatus.ACTIVE, holders.c.blocked_at.is_not(None))
    return BulkRead(
        engine,
        asked,
        select(key, tokens.c.id, passes.c.holder, tokens.c.issued_at, tokens.c.expires_at, tokens.c.reusable, refused)
        .select_from(asked)
        .join(tokens, and_(tokens.c.tenant == here, tokens.c.id == func.coalesce(by_lookup, key)))
        .join(passes, and_(passes.c.tenant == here, passes.c.id == tokens.c.pass_))
        .join(holders, and_(holders.c.tenant == here, holders.c.id == passes.c.holder)),
    )
