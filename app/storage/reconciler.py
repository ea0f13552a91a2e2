"""Reconciling: what should not have been, once admissions without the network become known, or one is taken back.

What is held against one another is read again each time, so that it does not matter who sent first: the uses of a
token, the entries on a pass with limits. `core/conflicts.py` finds the conflicts; here they are made those that stand.
No more is read than one more admission can change: what came before it stays as it was.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from app.core.changes import Redeem
from app.core.conflicts import Admission, Conflict, beyond_the_limits, beyond_the_token, conflicts
from app.core.decision import OFFLINE, Outcome
from app.core.ids import uuid7
from app.core.model import DAY, NO_LIMITS, Limits

from .calendar import Calendar
from .engine import Engine
from .loaders.passes import limits_of
from .recorder import Decided
from .records import ConflictRecord
from .repositories.conflicts import Conflicts
from .repositories.entry_counts import EntryCounts
from .tables import passes, redemptions, tokens, verifications


class Subject(NamedTuple):
    """What an admission was by: a token, and a pass. Both are held."""

    tenant: str
    token: bytes | None
    pass_: bytes | None


class _Limited(NamedTuple):
    """What limits the entries on a pass, how many there are, and from when on they are to be looked at."""

    max_entries: int | None
    limits: Limits
    entries: int
    at: int

    @property
    def in_all(self) -> bool:
        """Whether entries are limited in all, so that every one counts, however long ago."""
        return self.max_entries is not None or any(each.total is not None for each in self.limits.zones)

    @property
    def otherwise(self) -> bool:
        """Whether they are limited by anything but `max_entries`."""
        return bool(self.limits.per_day is not None or self.limits.min_interval or self.limits.zones)


class Reconciler:
    """Finds conflicts within the transaction that records admissions, or takes one back."""

    def __init__(self, engine: Engine, calendar: Calendar) -> None:
        self._engine = engine
        self._calendar = calendar

    def reconcile(self, connection: Connection, decided: Iterable[Decided]) -> None:
        """Have the conflicts stand that those of `decided` have part in which were decided without the network.

        The passes of their tokens are held, so that nobody is let in by them meanwhile.
        """
        known = [each for each in decided if each.attempt.reported and each.decision.outcome is Outcome.ADMIT]
        if not known:
            return
        now = max(each.attempt.received_at for each in known)
        used: dict[tuple[str, bytes], int] = {}
        limited: dict[tuple[str, bytes], _Limited] = {}
        for each in known:
            attempt, pass_, token = each.attempt, each.decision.pass_, each.facts.token
            alone = {each.decision.overridden} if each.decision.overridden else set()
            if pass_ is not None and token is not None:
                party = pass_.limits.party_size
                if token.reusable and attempt.people > party and not each.facts.exit_side:
                    alone.add("too_many_people")
                if not token.reusable and any(_is_much(change, party) for change in each.decision.changes):
                    used[attempt.tenant, token.id] = party
                if pass_.max_entries is not None or pass_.limits is not NO_LIMITS:
                    before = limited.get((attempt.tenant, pass_.id))
                    at = min(attempt.now, before.at) if before else attempt.now
                    entries = max(pass_.entries + attempt.people, before.entries if before else 0)
                    limited[attempt.tenant, pass_.id] = _Limited(pass_.max_entries, pass_.limits, entries, at)
            found = {Conflict(attempt.verification, reason) for reason in alone}
            if found:
                self._stand(connection, (attempt.tenant, attempt.verification), found, {attempt.verification}, now)
        for token_key, party in sorted(used.items()):
            self._used(connection, token_key, party, now)
        for pass_key, limits in sorted(limited.items()):
            self._entered(connection, pass_key, limits, now)

    def taken_back(self, connection: Connection, subject: Subject, at: int, now: int) -> None:
        """Have the conflicts stand that are left now that an admission at that time is none any more."""
        if subject.pass_ is None:
            return
        columns = (passes.c.max_entries, passes.c.limits, passes.c.entries, tokens.c.reusable)
        row = connection.execute(
            select(*columns)
            .outerjoin(tokens, and_(tokens.c.tenant == passes.c.tenant, tokens.c.id == subject.token))
            .where(passes.c.tenant == subject.tenant, passes.c.id == subject.pass_)
        ).first()
        if row is None:
            return
        limits = NO_LIMITS if row.limits is None else limits_of(row.limits)
        if subject.token is not None and row.reusable is False:
            self._used(connection, (subject.tenant, subject.token), limits.party_size, now)
        if row.max_entries is not None or limits is not NO_LIMITS:
            limited = _Limited(row.max_entries, limits, row.entries, at)
            self._entered(connection, (subject.tenant, subject.pass_), limited, now)

    def _used(self, connection: Connection, token: tuple[str, bytes], party_size: int, now: int) -> None:
        """The conflicts of all uses of a token that is good once."""
        uses = _uses(connection, *token)
        found = conflicts(uses, beyond_the_token(party_size))
        self._stand(connection, token, found, {each.verification for each in uses}, now)

    def _entered(self, connection: Connection, pass_: tuple[str, bytes], limited: _Limited, now: int) -> None:
        """The conflicts of the entries on a pass, from the time on at which there is one more or one less."""
        within = limited.max_entries is None or limited.entries <= limited.max_entries
        if within and not limited.otherwise and not Conflicts(connection, self._engine).about(*pass_):
            return
        since = 0 if limited.in_all else max(0, limited.at - max(2 * DAY, limited.limits.min_interval))
        entries = self._entries(connection, pass_, since)
        judged = {each.verification for each in entries if each.at >= limited.at}
        found = conflicts(entries, beyond_the_limits(limited.max_entries, limited.limits))
        self._stand(connection, pass_, {each for each in found if each.verification in judged}, judged, now)

    def _entries(self, connection: Connection, pass_: tuple[str, bytes], since: int) -> list[Admission]:
        return [
            Admission(
                at=entry.at,
                gate=entry.gate,
                credential=entry.credential,
                verification=entry.verification,
                people=entry.people,
                offline=OFFLINE in entry.flags.split(),
                token=entry.token,
                into=entry.into,
                day=self._calendar.local_day(entry.at, entry.time_zone),
            )
            for entry in EntryCounts(connection, self._engine).entries(*pass_, since)
        ]

    def _stand(
        self,
        connection: Connection,
        subject: tuple[str, bytes],
        found: Iterable[Conflict],
        judged: Collection[bytes],
        now: int,
    ) -> None:
        """Of those that were judged: keep what still is, put what is new, take away what is none any more."""
        kept, tenant = Conflicts(connection, self._engine), subject[0]
        stood = [each for each in kept.about(*subject) if each.verification in judged]
        before = {(each.verification, each.reason): each for each in stood}
        after = {(each.verification, each.reason): each for each in found}
        kept.delete(tenant, [each.id for key, each in before.items() if key not in after])
        for key, each in sorted(after.items()):
            record = before.get(key)
            if record is None:
                kept.insert(tenant, _record(subject[1], each, now))
            elif record.other != each.other:
                kept.change(tenant, record.id, each.other)


def _is_much(change: object, party_size: int) -> bool:
    """Whether it is a use that can be more than the token allows."""
    return isinstance(change, Redeem) and (change.use.number > 1 or change.use.people > party_size)


def _uses(connection: Connection, tenant: str, token: bytes) -> list[Admission]:
    """What lets people in by a token, and was not given back."""
    use, v = redemptions.c, verifications.c
    rows = connection.execute(
        select(use.at, use.gate, use.credential, use.verification, use.people, v.flags)
        .join(verifications, and_(v.tenant == use.tenant, v.id == use.verification))
        .where(
            use.tenant == tenant,
            use.token == token,
            use.voided_at.is_(None),
            use.reserved_until.is_(None),
        )
    )
    return [Admission(*row[:5], offline=OFFLINE in row.flags.split()) for row in rows]


def _record(subject: bytes, conflict: Conflict, now: int) -> ConflictRecord:
    content = hashlib.sha256(conflict.verification + conflict.reason.encode()).digest()
    return ConflictRecord(uuid7(now, content), conflict.verification, conflict.reason, conflict.other, subject, now)
