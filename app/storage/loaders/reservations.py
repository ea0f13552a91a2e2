"""First proofs that wait at gates which want two."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from app.core.model import PassStatus, Reservation
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import credentials, passes, redemptions, reservations, tokens

_ACTIVE = PassStatus.ACTIVE.value


class Waiting(NamedTuple):
    """Where a first proof waits, and whose."""

    tenant: str
    gate: str
    holder: bytes


class ReservationsLoader:
    """Loads reservations by gate and holder.

    One whose token was used since, or taken back, or whose pass was, is none.
    """

    def __init__(self, engine: Engine) -> None:
        each = reservations.c
        asked = incoming(each.tenant, each.gate, each.holder)
        taken_back = func.coalesce(tokens.c.revoked_at, tokens.c.blocked_at, credentials.c.blocked_at)
        latest = select(func.max(redemptions.c.use_no)).where(
            redemptions.c.tenant == each.tenant, redemptions.c.token == each.token
        )
        statement = (
            select(*asked.c, each.token, each.use_no, each.kind, each.until, each.people, each.let_in)
            .select_from(asked)
            .join(
                reservations,
                and_(each.tenant == asked.c.tenant, each.gate == asked.c.gate, each.holder == asked.c.holder),
            )
            .outerjoin(tokens, and_(tokens.c.tenant == each.tenant, tokens.c.id == each.token))
            .outerjoin(credentials, and_(credentials.c.tenant == each.tenant, credentials.c.id == each.token))
            .outerjoin(passes, and_(passes.c.tenant == each.tenant, passes.c.id == tokens.c.pass_))
            .where(
                taken_back.is_(None),
                func.coalesce(tokens.c.id, credentials.c.id).is_not(None),
                func.coalesce(passes.c.status, _ACTIVE) == _ACTIVE,
                each.use_no == latest.scalar_subquery(),
            )
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(self, connection: Connection, asked: Iterable[Waiting]) -> Mapping[Waiting, Reservation]:
        """The reservations there are."""
        rows = self._statement.rows(connection, sorted(set(asked)))
        return {Waiting(*row[:3]): Reservation(*row[3:]) for row in rows}
