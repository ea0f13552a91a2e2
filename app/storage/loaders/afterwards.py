"""What was known of a token at an earlier time: for admissions without the network, which become known only later."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, Select, TableClause, and_, literal, select

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
    """When what stands now was said (microseconds UTC)."""

    revoked_at: int | None
    token_blocked_at: int | None
    status_at: int
    holder_blocked_at: int | None


class AfterwardsLoader:
    """Makes the facts of reported attempts those of their own time."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(N, tokens.c.tenant, tokens.c.id)
        self._times = BulkRead(engine, asked, _times(asked))
        whose = incoming(N, passes.c.tenant, passes.c.holder, Column("at", BigInteger), Column("since", LargeBinary))
        self._moved = BulkRead(engine, whose, _moved_since(whose))

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
        reported = [
            (n, attempt, seen)
            for n, (attempt, seen) in enumerate(zip(attempts, facts, strict=True))
            if attempt.reported is not None and seen is not None
        ]
        asked = [(n, attempt.tenant, seen.token.id) for n, attempt, seen in reported if seen.token is not None]
        whose = [
            (n, attempt.tenant, seen.pass_.holder.id, attempt.now, uuid7(attempt.now, _EARLIEST))
            for n, attempt, seen in reported
            if seen.zones and seen.pass_ is not None
        ]
        times = {row[0]: _Times(*row[1:]) for row in self._times.rows(connection, asked)}
        moved = {n for n, later in self._moved.rows(connection, whose) if later}
        as_it_was = {
            n: _as_it_was(seen, times.get(n), moved_since=n in moved or resets[n] > seen.now) for n, _, seen in reported
        }
        return [as_it_was.get(n, seen) for n, seen in enumerate(facts)]


def _as_it_was(facts: Facts, times: _Times | None, *, moved_since: bool) -> Facts:
    token, pass_, now = facts.token, facts.pass_, facts.now
    if times is None or token is None or pass_ is None:
        return facts._replace(admitted=True)
    holder = pass_.holder._replace(blocked=_by(times.holder_blocked_at, now))
    status = pass_.status if times.status_at <= now else PassStatus.ACTIVE
    return facts._replace(
        admitted=True,
        moved_since=moved_since,
        token=token._replace(revoked=_by(times.revoked_at, now), blocked=_by(times.token_blocked_at, now)),
        pass_=pass_._replace(holder=holder, status=status),
    )


def _by(at: int | None, now: int) -> bool:
    """Whether it had been said by then."""
    return at is not None and at <= now


def _times(asked: TableClause) -> Select[Any]:
    here = asked.c.tenant
    return (
        select(asked.c.n, tokens.c.revoked_at, tokens.c.blocked_at, passes.c.status_at, holders.c.blocked_at)
        .select_from(asked)
        .join(tokens, and_(tokens.c.tenant == here, tokens.c.id == asked.c.id))
        .join(passes, and_(passes.c.tenant == here, passes.c.id == tokens.c.pass_))
        .join(holders, and_(holders.c.tenant == here, holders.c.id == passes.c.holder))
    )


def _moved_since(whose: TableClause) -> Select[Any]:
    """For each pass of a holder, whether they were let in or out on it at a later time.

    `since` is the least id that a verification of that time could have: ids are in the order of recording.
    """
    v, here, on_it = verifications.c, whose.c.tenant, verifications.alias()
    since = (
        select(on_it.c.id)  # of the index alone: SQLite would read what was recorded since, of everybody
        .where(on_it.c.tenant == here, on_it.c.pass_ == passes.c.id, on_it.c.id >= whose.c.since)
        .correlate(whose, passes)
    )
    later = (
        select(literal(1))
        .where(v.tenant == here, v.id.in_(since), v.at > whose.c.at, v.decision == Outcome.ADMIT.value)
        .correlate(whose, passes)
    )
    return (
        select(whose.c.n, later.exists().label("moved"))
        .select_from(whose)
        .join(passes, and_(passes.c.tenant == here, passes.c.holder == whose.c.holder))
    )
