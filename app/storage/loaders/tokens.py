"""Stored tokens, each with its pass, its holder and its latest use."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from app.core.model import Token, Use
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import holders, passes, redemptions, tokens

from .passes import PASS_COLUMNS, N, StoredPass, stored_pass

_PASS = len(PASS_COLUMNS)


class Found(NamedTuple):
    """What the store knows of what was presented: a card may have several passes."""

    token: Token
    passes: tuple[StoredPass, ...]
    last_use: Use | None


class TokensLoader:
    """Loads tokens by id or lookup."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(N, tokens.c.tenant, redemptions.c.token, tokens.c.lookup)
        opaque, here = tokens.alias(), asked.c.tenant
        by_lookup = select(opaque.c.id).where(opaque.c.tenant == here, opaque.c.lookup == asked.c.lookup)
        same = tokens.c.id == func.coalesce(asked.c.token, by_lookup.scalar_subquery())
        let_in = case((and_(redemptions.c.use_no > 1, tokens.c.reusable.is_(False)), people_let_in()))
        statement = (
            select(
                asked.c.n,
                *PASS_COLUMNS,
                *use_columns(let_in),
                *(tokens.c.id, tokens.c.kind, tokens.c.issued_at, tokens.c.expires_at, tokens.c.gate),
                *(tokens.c.reusable, tokens.c.epoch, tokens.c.revoked_at, tokens.c.blocked_at),
            )
            .select_from(asked)
            .join(tokens, and_(tokens.c.tenant == here, same))
            .join(passes, and_(passes.c.tenant == here, passes.c.id == tokens.c.pass_))
            .join(holders, and_(holders.c.tenant == here, holders.c.id == passes.c.holder))
            .outerjoin(redemptions, latest_use(here, tokens.c.id))
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(
        self, connection: Connection, asked: Sequence[tuple[int, str, bytes | None, bytes | None]]
    ) -> Mapping[int, Found]:
        """What is known of those (n, tenant, token id, lookup) that are stored, by n."""
        return {row[0]: _found(row) for row in self._statement.rows(connection, asked)}


def latest_use(tenant: ColumnElement[str], token: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Of the redemptions of a token, the latest."""
    earlier = redemptions.alias()
    number = select(func.max(earlier.c.use_no)).where(earlier.c.tenant == tenant, earlier.c.token == token)
    return and_(
        redemptions.c.tenant == tenant, redemptions.c.token == token, redemptions.c.use_no == number.scalar_subquery()
    )


def use_columns(let_in: ColumnElement[Any]) -> Sequence[ColumnElement[Any]]:
    """The columns from which `use_of` makes a use."""
    use = redemptions.c
    return (
        *(use.use_no, use.verification, use.at, use.gate, use.credential, use.direction),
        *(use.voided_at, use.reserved_until, use.people, let_in.label("let_in")),
    )


USE = 10
"""How many they are."""


def people_let_in() -> ColumnElement[Any]:
    """How many people the uses of a token that stand have let in. One use says it of itself."""
    each = redemptions.alias()
    return (
        select(func.coalesce(func.sum(each.c.people), 0))
        .where(
            each.c.tenant == redemptions.c.tenant,
            each.c.token == redemptions.c.token,
            each.c.voided_at.is_(None),
            each.c.reserved_until.is_(None),
        )
        .scalar_subquery()
    )


def use_of(columns: Sequence[Any], pass_: bytes | None) -> Use | None:
    """The use in the values of `use_columns`, of that pass."""
    number, verification, at, gate, credential, direction, voided_at, reserved_until, people, let_in = columns
    if number is None:
        return None
    if let_in is None:
        let_in = people if voided_at is None and reserved_until is None else 0
    spent = (voided_at is not None, reserved_until, int(let_in), people, pass_)
    return Use(number, verification, at, gate, credential, direction, *spent)


def _found(row: Sequence[Any]) -> Found:
    id_, kind, issued_at, expires_at, gate, reusable, epoch, revoked_at, blocked_at = row[1 + _PASS + USE :]
    taken_back = (revoked_at is not None, blocked_at is not None)
    token = Token(id_, kind, issued_at, expires_at, gate, bool(reusable), epoch, *taken_back)
    pass_ = stored_pass(row[1 : 1 + _PASS])
    return Found(token, (pass_,), use_of(row[1 + _PASS : 1 + _PASS + USE], pass_.pass_.id))
