"""What was known of a token at an earlier time: for admissions without the network, which become known only later."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, TableClause, and_, select

from app.core.model import Afterwards, Facts, PassStatus
from app.storage.attempt import Attempt
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import holders, passes, presences, tokens, zones

from .passes import N


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
        whose = incoming(N, presences.c.tenant, presences.c.holder)
        self._moved = BulkRead(engine, whose, _moved(whose))
        which = incoming(zones.c.tenant, zones.c.id)
        self._recounted = BulkRead(engine, which, _recounted(which))

    def as_of(
        self,
        connection: Connection,
        attempts: Sequence[Attempt],
        facts: Sequence[Facts | None],
        resets: Mapping[tuple[str, str], int],
    ) -> list[Facts | None]:
        """The facts, those of reported attempts as they were then as far as that is known.

        Of what was said more than once the last word counts: a pass that was suspended and resumed since was never
        suspended. `resets` is when the people in each zone, by tenant and id, were last counted anew.
        """
        reported = [
            (n, attempt, seen)
            for n, (attempt, seen) in enumerate(zip(attempts, facts, strict=True))
            if attempt.reported is not None and seen is not None
        ]
        asked = [(n, attempt.tenant, seen.token.id) for n, attempt, seen in reported if seen.token is not None]
        times = {row[0]: _Times(*row[1:]) for row in self._times.rows(connection, asked)}
        later = self._later(connection, reported, resets)
        as_it_was = {n: _as_it_was(seen, times.get(n), later.get(n, Afterwards())) for n, _, seen in reported}
        return [as_it_was.get(n, seen) for n, seen in enumerate(facts)]

    def _later(
        self,
        connection: Connection,
        reported: Sequence[tuple[int, Attempt, Facts]],
        resets: Mapping[tuple[str, str], int],
    ) -> Mapping[int, Afterwards]:
        """What is known of later, at gates around which people are counted."""
        whose = [
            (n, attempt.tenant, seen.pass_.holder.id) for n, attempt, seen in reported if seen.zones and seen.pass_
        ]
        moved: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for n, zone, at in self._moved.rows(connection, whose):
            moved[n][zone] = at
        which = sorted({(attempt.tenant, zone) for _, attempt, seen in reported for zone in seen.zones})
        recounted = {(tenant, zone): at for tenant, zone, at in self._recounted.rows(connection, which)}
        return {
            n: Afterwards(
                {zone: max(moved[n].get(zone, 0), resets.get((attempt.tenant, zone), 0)) for zone in seen.zones},
                frozenset(zone for zone in seen.zones if recounted.get((attempt.tenant, zone), 0) > seen.now),
            )
            for n, attempt, seen in reported
            if seen.zones
        }


def _as_it_was(facts: Facts, times: _Times | None, later: Afterwards) -> Facts:
    token, pass_, now = facts.token, facts.pass_, facts.now
    if times is None or token is None or pass_ is None:
        return facts._replace(afterwards=later)
    holder = pass_.holder._replace(blocked=_by(times.holder_blocked_at, now))
    status = pass_.status if times.status_at <= now else PassStatus.ACTIVE
    return facts._replace(
        afterwards=later,
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


def _moved(whose: TableClause) -> Select[Any]:
    """When the holders last came into zones or left them."""
    same = and_(presences.c.tenant == whose.c.tenant, presences.c.holder == whose.c.holder)
    return select(whose.c.n, presences.c.zone, presences.c.moved_at).join_from(whose, presences, same)


def _recounted(which: TableClause) -> Select[Any]:
    """When the people in zones were last counted by hand."""
    same = and_(zones.c.tenant == which.c.tenant, zones.c.id == which.c.id)
    return select(zones.c.tenant, zones.c.id, zones.c.recounted_at).join_from(which, zones, same)
