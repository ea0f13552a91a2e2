"""Cards that holders carry already, each with the passes of its holder."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, and_, cast, func, null, select

from app.core.model import PassStatus, Token
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import credentials, holders, passes, redemptions, verifications

from .passes import PASS_COLUMNS, N, stored_pass
from .tokens import USE, Found, latest_use, use_columns, use_of

_PASS = len(PASS_COLUMNS)
_MOST_PASSES = 20
_ALWAYS = 1 << 62


class CardsLoader:
    """Loads cards by their lookup."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(N, credentials.c.tenant, credentials.c.lookup, passes.c.created_at)
        here = asked.c.tenant
        # The newest of those that may be good now come first: a visitor may have had a hundred.
        place = func.row_number().over(
            partition_by=(asked.c.n, credentials.c.id),
            order_by=(
                passes.c.status != PassStatus.ACTIVE.value,
                func.coalesce(passes.c.valid_until, _ALWAYS) <= asked.c.created_at,
                func.coalesce(passes.c.valid_from, 0) > asked.c.created_at,
                passes.c.id.desc(),
            ),
        )
        ranked = (
            select(asked.c.n, credentials.c.tenant, credentials.c.id, credentials.c.kind, credentials.c.created_at)
            .add_columns(credentials.c.blocked_at, passes.c.id.label("pass_"), place.label("place"))
            .select_from(asked)
            .join(credentials, and_(credentials.c.tenant == here, credentials.c.lookup == asked.c.lookup))
            .outerjoin(passes, and_(passes.c.tenant == here, passes.c.holder == credentials.c.holder))
            .subquery()
        )
        statement = (
            select(
                ranked.c.n,
                *PASS_COLUMNS,
                *use_columns(cast(null(), Integer)),
                *(ranked.c.id, ranked.c.kind, ranked.c.created_at, ranked.c.blocked_at),
                verifications.c.pass_,
            )
            .select_from(ranked)
            .outerjoin(passes, and_(passes.c.tenant == ranked.c.tenant, passes.c.id == ranked.c.pass_))
            .outerjoin(holders, and_(holders.c.tenant == passes.c.tenant, holders.c.id == passes.c.holder))
            .outerjoin(redemptions, latest_use(ranked.c.tenant, ranked.c.id))
            .outerjoin(
                verifications,
                and_(verifications.c.tenant == ranked.c.tenant, verifications.c.id == redemptions.c.verification),
            )
            .where(ranked.c.place <= _MOST_PASSES)
            .order_by(ranked.c.n, ranked.c.place)
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(
        self, connection: Connection, asked: Sequence[tuple[int, str, bytes, int]], epochs: Mapping[int, int]
    ) -> Mapping[int, Found]:
        """What is known of those (n, tenant, lookup, now) that are enrolled, by n."""
        found: dict[int, Found] = {}
        for row in self._statement.rows(connection, asked):
            n, pass_ = row[0], row[1 : 1 + _PASS]
            *card, used = row[1 + _PASS + USE :]
            had = found.get(n) or Found(_card(card, epochs[n]), (), use_of(row[1 + _PASS :][:USE], used))
            found[n] = had if pass_[0] is None else had._replace(passes=(*had.passes, stored_pass(pass_)))
        return found


def _card(columns: Sequence[Any], epoch: int) -> Token:
    """A card is a token that is good again and again, until it is blocked."""
    id_, kind, created_at, blocked_at = columns
    return Token(id_, kind, created_at, _ALWAYS, None, True, epoch, False, blocked_at is not None)
