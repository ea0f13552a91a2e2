"""Reconciling: what should not have been, once admissions without the network become known.

What is held against one another is read again each time, so that it does not matter who sent first: the uses of a
token, the entries on a pass with limits. `core/conflicts.py` finds the conflicts; here they are made those that stand.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from app.core.changes import Redeem
from app.core.conflicts import Admission, Conflict, beyond_the_limits, beyond_the_token, conflicts
from app.core.decision import OFFLINE, Outcome
from app.core.ids import uuid7
from app.core.model import NO_LIMITS, Pass

from .calendar import Calendar
from .engine import Engine
from .recorder import Decided
from .records import ConflictRecord
from .repositories.conflicts import Conflicts
from .repositories.entry_counts import EntryCounts
from .tables import redemptions, verifications


class _Subject(NamedTuple):
    """What conflicts are about: a token, a pass, or one verification."""

    tenant: str
    id: bytes


class Reconciler:
    """Finds conflicts within the transaction that records admissions."""

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
        found: dict[_Subject, frozenset[Conflict]] = {}
        passes: dict[_Subject, Pass] = {}
        tokens: dict[_Subject, Pass] = {}
        for each in known:
            attempt, pass_, token = each.attempt, each.decision.pass_, each.facts.token
            if each.decision.overridden is not None:
                alone = _Subject(attempt.tenant, attempt.verification)
                found[alone] = frozenset({Conflict(attempt.verification, each.decision.overridden)})
            if pass_ is None or token is None:
                continue
            if pass_.max_entries is not None or pass_.limits is not NO_LIMITS:
                passes[_Subject(attempt.tenant, pass_.id)] = pass_
            if not token.reusable and any(isinstance(c, Redeem) and c.use.number > 1 for c in each.decision.changes):
                tokens[_Subject(attempt.tenant, token.id)] = pass_
        for subject, pass_ in sorted(tokens.items()):
            beyond = beyond_the_token(pass_.limits.party_size)
            found[subject] = conflicts(_uses(connection, subject), beyond)
        for subject, pass_ in sorted(passes.items()):
            found[subject] = conflicts(
                self._entries(connection, subject), beyond_the_limits(pass_.max_entries, pass_.limits)
            )
        self._stand(connection, found, max(each.attempt.received_at for each in known))

    def _entries(self, connection: Connection, subject: _Subject) -> list[Admission]:
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
            for entry in EntryCounts(connection, self._engine).entries(subject.tenant, subject.id)
        ]

    def _stand(self, connection: Connection, found: dict[_Subject, frozenset[Conflict]], now: int) -> None:
        """Keep what was found before and still is, put what is new, take away what is none any more."""
        kept = Conflicts(connection, self._engine)
        for subject, now_found in sorted(found.items()):
            before = {(each.verification, each.reason): each for each in kept.about(*subject)}
            after = {(each.verification, each.reason): each for each in now_found}
            kept.delete(subject.tenant, [each.id for key, each in before.items() if key not in after])
            for key, each in sorted(after.items()):
                record = before.get(key)
                if record is None:
                    kept.insert(subject.tenant, _record(subject, each, now))
                elif record.other != each.other:
                    kept.change(subject.tenant, record.id, each.other)


def _uses(connection: Connection, subject: _Subject) -> list[Admission]:
    """What lets people in by a token, and was not given back."""
    use, v = redemptions.c, verifications.c
    rows = connection.execute(
        select(use.at, use.gate, use.credential, use.verification, use.people, v.flags)
        .join(verifications, and_(v.tenant == use.tenant, v.id == use.verification))
        .where(
            use.tenant == subject.tenant,
            use.token == subject.id,
            use.voided_at.is_(None),
            use.reserved_until.is_(None),
        )
    )
    return [Admission(*row[:5], offline=OFFLINE in row.flags.split()) for row in rows]


def _record(subject: _Subject, conflict: Conflict, now: int) -> ConflictRecord:
    content = hashlib.sha256(conflict.verification + conflict.reason.encode()).digest()
    return ConflictRecord(uuid7(now, content), conflict.verification, conflict.reason, conflict.other, subject.id, now)
