"""What was known of a token at an earlier time: for admissions without the network, which become known only later."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, Select, TableClause, and_, exists, select

from app.core.decision import Outcome
from app.core.ids import uuid7
from app.core.model import Facts, PassStatus
from app.storage.attempt import Attempt
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import holders, passes, tokens, verifications

from .passes import N

_EARLIEST = bytes(8)


class _Times(NamedTuple):
    """When what stands now was said (microseconds UTC); and whether the holder was let in or out at a later time."""

    revoked_at: int | None
    token_blocked_at: int | None
    status_at: int
    holder_blocked_at: int | None
    moved_since: bool


class AfterwardsLoader:
    """Makes the facts of reported attempts those of their own time."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(N, tokens.c.tenant, tokens.c.id, Column("at", BigInteger), Column("since", LargeBinary))
        self._statement = BulkRead(engine, asked, _times(asked))

    def as_of(
        self,
        connection: Connection,
        attempts: Sequence[Attempt],
        facts: Sequence[Facts | None],
        resets: Sequence[int],
    ) -> list[Facts | None]:
        """The facts, those of reported attempts as they were then as far as that is known.

        Of what was said more than once the last word counts: a pass that was suspended and resumed since was never
        suspended. `resets` is when the people around each gate were last counted anew.
        """
        asked = [
            (n, attempt.tenant, seen.token.id, attempt.now, uuid7(attempt.now, _EARLIEST))
            for n, (attempt, seen) in enumerate(zip(attempts, facts, strict=True))
            if attempt.reported is not None and seen is not None and seen.token is not None
        ]
        times = {row[0]: _Times(*row[1:]) for row in self._statement.rows(connection, asked)}
        return [
            _as_it_was(seen, times.get(n), resets[n]) if seen is not None and attempts[n].reported is not None else seen
            for n, seen in enumerate(facts)
        ]


def _as_it_was(facts: Facts, times: _Times | None, reset_at: int) -> Facts:
    facts = facts._replace(admitted=True)
    token, pass_, now = facts.token, facts.pass_, facts.now
    if times is None or token is None or pass_ is None:
        return facts
    holder = pass_.holder._replace(blocked=_by(times.holder_blocked_at, now))
    status = pass_.status if times.status_at <= now else PassStatus.ACTIVE
    return facts._replace(
        token=token._replace(revoked=_by(times.revoked_at, now), blocked=_by(times.token_blocked_at, now)),
        pass_=pass_._replace(holder=holder, status=status),
        moved_since=bool(times.moved_since) or reset_at > now,
    )


def _by(at: int | None, now: int) -> bool:
    """Whether it had been said by then."""
    return at is not None and at <= now


def _times(asked: TableClause) -> Select[Any]:
    """`since` is the least id that a verification of that time could have: their ids are in the order of recording."""
    here, v, theirs = asked.c.tenant, verifications.c, passes.alias()
    moved_since = exists().where(
        theirs.c.tenant == here,
        theirs.c.holder == passes.c.holder,
        v.tenant == here,
        v.pass_ == theirs.c.id,
        v.id >= asked.c.since,
        v.at > asked.c.at,
        v.decision == Outcome.ADMIT.value,
    )
    return (
        select(asked.c.n, tokens.c.revoked_at, tokens.c.blocked_at, passes.c.status_at, holders.c.blocked_at)
        .add_columns(moved_since.label("moved_since"))
        .select_from(asked)
        .join(tokens, and_(tokens.c.tenant == here, tokens.c.id == asked.c.id))
        .join(passes, and_(passes.c.tenant == here, passes.c.id == tokens.c.pass_))
        .join(holders, and_(holders.c.tenant == here, holders.c.id == passes.c.holder))
    )
