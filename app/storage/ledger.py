"""Settling: a batch of attempts is decided and written in one transaction.

Each attempt is decided in order of arrival and sees what the ones before it changed. A batch of one runs the same code.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, func, select

from app.core.changes import Change, Move
from app.core.decision import Decision, Outcome, apply, decide, record
from app.core.model import Direction, Facts, Gate

from .attempt import Attempt, Settled, Unsettled
from .calendar import Calendar
from .engine import Engine
from .facts import FactsLoader
from .failures import Conflict
from .reconciler import Reconciler
from .recorder import Decided, Recorder, details_of, kind_of
from .request_ids import FirstAnswer, RequestIds, RequestKey, key_of
from .tables import verifications


class Ledger:
    """Decides and writes batches on one engine."""

    def __init__(self, engine: Engine, calendar: Calendar) -> None:
        self._engine = engine
        self._facts = FactsLoader(engine, calendar)
        self._request_ids = RequestIds(engine)
        self._recorder = Recorder(engine)
        self._reconciler = Reconciler(engine, calendar)
        self._seq = itertools.count(1)
        self.known_gates: dict[tuple[str, str], Gate] = {}

    def begin(self, connection: Connection) -> None:
        """Go on counting where the last process stopped. Called once, before the first batch."""
        if self._engine.one_writer:
            self._seq = itertools.count((connection.scalar(select(func.max(verifications.c.seq))) or 0) + 1)

    def facts(self, connection: Connection, attempt: Attempt) -> Facts | None:
        """The facts of one attempt, with nothing held and nothing decided: for a simulation."""
        return self._facts.load(connection, [attempt], hold=False)[0]

    def settle(self, connection: Connection, attempts: Sequence[Attempt]) -> list[Settled | Unsettled]:
        """Decide `attempts` and write what changes. The caller commits, and answers nobody before that.

        Raises `Conflict` where another process redeemed first: the caller rolls back and settles again, one by one.
        """
        answers = self._request_ids.first_answers(connection, attempts)
        facts = self._facts.load(connection, attempts)
        results: list[Settled | Unsettled] = []
        decided: list[Decided] = []
        first: list[tuple[RequestKey, FirstAnswer, int]] = []
        replayed: list[RequestKey] = []
        changed: defaultdict[tuple[str, Hashable], dict[Hashable, Change]] = defaultdict(dict)
        moved: defaultdict[str, dict[tuple[bytes, str], int]] = defaultdict(dict)
        for attempt, known in zip(attempts, facts, strict=True):
            key = key_of(attempt, answers)
            if key is not None and key in answers:
                again = _again(attempt, answers[key])
                results.append(again)
                if isinstance(again, Settled):
                    replayed.append(key)
                continue
            if known is None or known.direction == Direction.BOTH:
                results.append(Unsettled("no_such_gate" if known is None else "direction_needed"))
                continue
            self.known_gates[attempt.tenant, known.gate.id] = known.gate
            if changed:
                subjects = ((attempt.tenant, subject) for subject in _subjects(known))
                earlier = [change for each in subjects if each in changed for change in changed[each].values()]
                known = apply(known, earlier)  # noqa: PLW2901  the attempt is decided on these
            decision = _decision(attempt, known, moved[attempt.tenant])
            for change in decision.changes:
                about = changed[attempt.tenant, change.subject]
                about.pop(change.key, None)  # what was changed last is applied last
                about[change.key] = change
            settled = _settled(attempt, known, decision)
            decided.append(Decided(attempt, known, decision, next(self._seq)))
            results.append(settled)
            if key is not None:
                answers[key] = FirstAnswer(attempt.content, settled)
                first.append((key, answers[key], attempt.received_at))
        self._recorder.write(connection, decided)
        self._reconciler.reconcile(connection, decided)
        if not self._request_ids.keep(connection, first):
            raise Conflict
        self._request_ids.replayed(connection, replayed)
        return results


def _decision(attempt: Attempt, facts: Facts, moved: dict[tuple[bytes, str], int]) -> Decision:
    """What is decided, or was. `moved` is when others of the batch moved holders, by holder and zone."""
    reported = attempt.reported
    decision = decide(facts) if reported is None else record(_also_moved(facts, moved), *reported[:3])
    moved |= {(each.holder, each.zone): attempt.now for each in decision.changes if isinstance(each, Move)}
    return decision


def _also_moved(facts: Facts, moved: Mapping[tuple[bytes, str], int]) -> Facts:
    """The facts of a reported attempt, which knows of those that were moved since."""
    if facts.afterwards is None or facts.pass_ is None or not moved:
        return facts
    holder, known = facts.pass_.holder.id, facts.afterwards.moved
    later = {zone: max(known.get(zone, 0), moved.get((holder, zone), 0)) for zone in facts.zones}
    return facts._replace(afterwards=facts.afterwards._replace(moved=later))


def _subjects(facts: Facts) -> Iterator[Hashable]:
    """What the facts are about, as changes name it."""
    if facts.token is not None:
        yield facts.token.id
    if facts.pass_ is not None:
        yield facts.pass_.id
        if facts.zones or facts.gate.second_proof:
            yield facts.pass_.holder.id
    for pass_ in facts.other_passes:
        yield pass_.id
    yield from facts.zones
    yield from facts.budgets


def _again(attempt: Attempt, first: FirstAnswer) -> Settled | Unsettled:
    if first.content != attempt.content:
        return Unsettled("request_id_reused")
    # What a repeat window gave under this id is such a repeat for good: the relay was moved for another request.
    return first.settled._replace(repeated=first.settled.repeated or "request_id")


def _settled(attempt: Attempt, facts: Facts, decision: Decision) -> Settled:
    pass_ = decision.pass_
    repeats = facts.last_use if decision.repeats is not None else None
    people_left, not_before, override = details_of(attempt, decision)
    return Settled(
        repeats.verification if repeats else attempt.verification,
        decision.outcome,
        decision.reason,
        decision.flags,
        facts.gate.id,
        facts.direction,
        kind_of(facts),
        repeats.at if repeats else attempt.now,
        pass_.id if pass_ else None,
        pass_.holder.ref if pass_ else None,
        pass_.holder.name if pass_ else None,
        "window" if repeats else None,
        attempt.request_id,
        attempt.people if decision.outcome is Outcome.ADMIT else 0,
        people_left,
        not_before,
        override,
        attempt.credential,
        None,
    )
