"""Writing what a batch of decisions changed: one statement for each kind of change.

A change says what stands after it, and what it stands on is held: so the last one of a batch is what is written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Integer, Table, and_, select, update

from app.core.changes import Change, CountEntry, CountLimited, Move, Occupy, Redeem, Reserve, SpendBudget
from app.core.decision import Decision, Outcome
from app.core.model import Claims, CountKey, EntryCount, Facts, Use

from .attempt import Attempt, Override
from .bulk import BulkWrite, all_of, incoming
from .changes import packed
from .counts import counts_text
from .details import Details
from .engine import Engine, Row
from .failures import Conflict
from .tables import (
    budgets,
    passes,
    presences,
    redemptions,
    reservations,
    verifications,
    zones,
)

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
"""What stands in a table, by key."""


class Decided(NamedTuple):
    """An attempt and what was decided of it, to be written."""

    attempt: Attempt
    facts: Facts
    decision: Decision
    seq: int


class Standing(NamedTuple):
    """What stands after a batch, by table."""

    entries: Rows
    counts: dict[tuple[str, bytes], dict[CountKey, EntryCount]]
    presences: Rows
    people: Rows
    reservations: Rows
    budgets: Rows


class Recorder:
    """Statements that write changes, compiled for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._record = _record(engine)
        self._redeem = _redeem(engine)
        self._repeat = _repeat(engine)
        self._standing = {
            "entries": _set(engine, passes, ("tenant", "id"), ("entries", "changed_at")),
            "counts": _set(engine, passes, ("tenant", "id"), ("counts",)),
            "presences": _put(engine, presences, ("tenant", "holder", "zone")),
            "people": _set(engine, zones, ("tenant", "id"), ("people", "people_at")),
            "reservations": _put(engine, reservations, ("tenant", "gate", "holder")),
            "budgets": _put(engine, budgets, ("tenant", "kind", "name")),
        }

    def write(self, connection: Connection, decided: Sequence[Decided]) -> None:
        """Write the changes and the verifications. Raises `Conflict` where another process redeemed a token first."""
        standing = Standing({}, {}, {}, {}, {}, {})
        redeemed: list[tuple[Any, ...]] = []
        repeats: Counter[tuple[str, bytes, int]] = Counter()
        records: list[Row] = []
        for attempt, facts, decision, seq in decided:
            if decision.repeats is not None:
                if facts.token is not None and facts.last_use is not None:
                    repeats[attempt.tenant, facts.token.id, facts.last_use.number] += 1
                continue
            records.append(_verification(attempt, facts, decision, seq))
            for change in decision.changes:
                if isinstance(change, Redeem):
                    redeemed.append(_redemption(attempt.tenant, change.token, change.use))
                else:
                    stand(standing, attempt.tenant, attempt.received_at, change, facts.counts, at=attempt.now)
        self._record.write(connection, records)
        if self._redeem.write(connection, sorted(redeemed, key=itemgetter(0, 1, 2))) != len(redeemed):
            raise Conflict
        self.put(connection, standing)
        self._repeat.write(connection, sorted((*key, count) for key, count in repeats.items()))

    def put(self, connection: Connection, standing: Standing) -> None:
        """Write what stands, in the order of the keys."""
        counts: Rows = {key: (counts_text(each),) for key, each in standing.counts.items()}
        for name, rows in (standing._asdict() | {"counts": counts}).items():
            self._standing[name].write(connection, [(*key, *rows[key]) for key in sorted(rows)])


def stand(
    standing: Standing,
    tenant: str,
    now: int,
    change: Change,
    counts: Mapping[CountKey, EntryCount],
    *,
    at: int | None = None,
) -> None:
    """Note what stands after `change`, unless it is the use of a token. `counts` are those that stood before it.

    `at` is when people moved, where they did not only move back.
    """
    if isinstance(change, CountEntry):
        standing.entries[tenant, change.pass_] = (change.entries, now)
    elif isinstance(change, CountLimited):
        of, pass_ = change.count_key, change.count_key.pass_
        if (tenant, pass_) not in standing.counts:
            standing.counts[tenant, pass_] = {key: count for key, count in counts.items() if key.pass_ == pass_}
        standing.counts[tenant, pass_][of] = change.after
    elif isinstance(change, Move):
        moved_at = change.after.since if at is None else at
        standing.presences[tenant, change.holder, change.zone] = (*change.after, moved_at)
    elif isinstance(change, Occupy):
        standing.people[tenant, change.zone] = (change.people, now)
    elif isinstance(change, SpendBudget):
        standing.budgets[change.budget_key] = change.budget
    elif isinstance(change, Reserve):
        standing.reservations[tenant, change.gate, change.holder] = change.reservation or (b"", 0, "", 0, 0, 0)


def _redemption(tenant: str, token: bytes, use: Use) -> tuple[Any, ...]:
    use_columns = (use.number, use.verification, use.at, use.gate, use.credential, use.direction)
    return (tenant, token, *use_columns, 0, use.people, use.reserved_until)


def details_of(attempt: Attempt, decision: Decision) -> Details:
    """What the answer has beside what every answer has."""
    override = None if attempt.override is None else Override(attempt.override, decision.overridden)
    return Details(decision.people_left, decision.not_before, override)


def kind_of(facts: Facts) -> str | None:
    """The kind of token that was presented, or None for what is no token."""
    if facts.token is not None:
        return facts.token.kind
    return facts.presented.known_kind if isinstance(facts.presented, Claims) else None


def _verification(attempt: Attempt, facts: Facts, decision: Decision, seq: int) -> Row:
    pass_ = decision.pass_
    token = facts.token if pass_ else None
    return (
        attempt.tenant,
        attempt.verification,
        seq,
        attempt.now,
        facts.gate.id,
        facts.direction,
        decision.outcome,
        decision.reason,
        " ".join(decision.flags),
        kind_of(facts),
        token and token.id,
        pass_ and pass_.id,
        pass_ and pass_.holder.id,
        attempt.credential,
        attempt.request_id,
        attempt.people if decision.outcome is Outcome.ADMIT else 0,
        details_of(attempt, decision).packed(),
        packed(decision.changes) if decision.outcome is Outcome.ADMIT else None,
    )


def _record(engine: Engine) -> BulkWrite:
    names = [column.key for column in verifications.c if column.key != "xact"]
    rows = incoming(*(verifications.c[name] for name in names))
    values = {name: rows.c[name] for name in names} | {
        "seq": engine.verification_seq(rows.c.seq),
        "xact": engine.transaction_number(),
    }
    return BulkWrite(
        engine,
        rows,
        engine.insert(verifications).from_select(
            list(values), select(*values.values()).where(rows.c.tenant.is_not(None))
        ),
    )


def _redeem(engine: Engine) -> BulkWrite:
    """The arbiter: of two that redeem the same use, one writes its row and the other writes nothing."""
    names = (
        *("tenant", "token", "use_no", "verification", "at", "gate", "credential", "direction"),
        *("repeats", "people", "reserved_until"),
    )
    rows = incoming(*(redemptions.c[name] for name in names))
    return BulkWrite(
        engine,
        rows,
        engine.insert(redemptions).from_select(list(names), all_of(rows)).on_conflict_do_nothing(),
    )


def _repeat(engine: Engine) -> BulkWrite:
    """A small write for each repeat, so that its commit shows that the admission it repeats is durable."""
    rows = incoming(redemptions.c.tenant, redemptions.c.token, redemptions.c.use_no, Column("n", Integer))
    return BulkWrite(
        engine,
        rows,
        update(redemptions)
        .values(repeats=redemptions.c.repeats + rows.c.n)
        .where(_same(redemptions, rows, ("tenant", "token", "use_no"))),
    )


def _set(engine: Engine, table: Table, key: Sequence[str], columns: Sequence[str]) -> BulkWrite:
    """Set columns of rows that are there."""
    rows = incoming(*(table.c[name] for name in (*key, *columns)))
    values: Mapping[str, Any] = {name: rows.c[name] for name in columns}
    return BulkWrite(engine, rows, update(table).values(**values).where(_same(table, rows, key)))


def _put(engine: Engine, table: Table, key: Sequence[str]) -> BulkWrite:
    """Set the rows with a key, whether they are there yet or not."""
    rows = incoming(*table.c)
    insert = engine.insert(table).from_select([column.key for column in table.c], all_of(rows))
    return BulkWrite(
        engine,
        rows,
        insert.on_conflict_do_update(
            index_elements=[table.c[name] for name in key],
            set_={column: insert.excluded[column.key] for column in table.c if column.key not in key},
        ),
    )


def _same(table: Table, rows: Any, key: Sequence[str]) -> Any:  # noqa: ANN401  SQLAlchemy's own
    return and_(*(table.c[name] == rows.c[name] for name in key))
