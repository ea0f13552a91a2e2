"""Writing what a batch of decisions changed: one statement for each kind of change."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Integer, and_, select, update

from app.core.decision import CountEntry, Decision, Redeem, SpendBudget
from app.core.model import BudgetKey, Facts

from .attempt import Attempt
from .bulk import BulkWrite, all_of, incoming
from .engine import Engine, Row
from .failures import Conflict
from .tables import budgets, passes, redemptions, verifications


class Decided(NamedTuple):
    """An attempt and what was decided of it, to be written."""

    attempt: Attempt
    facts: Facts
    decision: Decision
    seq: int


class Recorder:
    """Statements that write changes, compiled for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._redeem = _redeem(engine)
        self._count_entries = _count_entries(engine)
        self._spend = _spend(engine)
        self._repeat = _repeat(engine)
        self._record = _record(engine)

    def write(self, connection: Connection, decided: Sequence[Decided]) -> None:
        """Write the changes and the verifications. Raises `Conflict` where another process redeemed a token first."""
        redemptions_: list[tuple[Any, ...]] = []
        entries: Counter[tuple[str, bytes]] = Counter()
        spent: dict[BudgetKey, tuple[str | int, ...]] = {}
        repeats: Counter[tuple[str, bytes, int]] = Counter()
        records: list[Row] = []
        for attempt, facts, decision, seq in decided:
            tenant = attempt.tenant
            if decision.repeats is not None:
                if facts.token is not None and facts.last_use is not None:
                    repeats[tenant, facts.token.id, facts.last_use.number] += 1
                continue
            records.append(_verification(attempt, facts, decision, seq))
            for change in decision.changes:
                if isinstance(change, Redeem):
                    use = change.use
                    redemptions_.append(
                        (
                            tenant,
                            change.key,
                            use.number,
                            use.verification,
                            use.at,
                            use.gate,
                            use.credential,
                            use.direction,
                            0,
                        )
                    )
                elif isinstance(change, CountEntry):
                    entries[tenant, change.key] += 1
                elif isinstance(change, SpendBudget):
                    spent[change.key] = (*change.key, *change.budget)
        self._record.write(connection, records)
        if self._redeem.write(connection, sorted(redemptions_)) != len(redemptions_):
            raise Conflict
        self._count_entries.write(connection, sorted([(*key, count) for key, count in entries.items()]))
        self._spend.write(connection, sorted(spent.values()))
        self._repeat.write(connection, sorted((*key, count) for key, count in repeats.items()))


def _verification(attempt: Attempt, facts: Facts, decision: Decision, seq: int) -> Row:
    token, pass_ = (facts.token, facts.pass_) if decision.genuine else (None, None)
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
        getattr(attempt.presented, "kind", None),
        token and token.id,
        pass_ and pass_.id,
        pass_ and pass_.holder.id,
        attempt.credential,
        attempt.request_id,
    )


def _redeem(engine: Engine) -> BulkWrite:
    """The arbiter: of two that redeem the same use, one writes its row and the other writes nothing."""
    names = ("tenant", "token", "use_no", "verification", "at", "gate", "credential", "direction", "repeats")
    rows = incoming(*(redemptions.c[name] for name in names))
    return BulkWrite(
        engine,
        rows,
        engine.insert(redemptions).from_select(list(names), all_of(rows)).on_conflict_do_nothing(),
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


def _count_entries(engine: Engine) -> BulkWrite:
    rows = incoming(passes.c.tenant, passes.c.id, Column("n", Integer))
    return BulkWrite(
        engine,
        rows,
        update(passes)
        .values(entries=passes.c.entries + rows.c.n)
        .where(passes.c.tenant == rows.c.tenant, passes.c.id == rows.c.id),
    )


def _repeat(engine: Engine) -> BulkWrite:
    """A small write for each repeat, so that its commit shows that the admission it repeats is durable."""
    rows = incoming(redemptions.c.tenant, redemptions.c.token, redemptions.c.use_no, Column("n", Integer))
    return BulkWrite(
        engine,
        rows,
        update(redemptions)
        .values(repeats=redemptions.c.repeats + rows.c.n)
        .where(
            and_(
                redemptions.c.tenant == rows.c.tenant,
                redemptions.c.token == rows.c.token,
                redemptions.c.use_no == rows.c.use_no,
            )
        ),
    )


def _spend(engine: Engine) -> BulkWrite:
    rows = incoming(*budgets.c)
    insert = engine.insert(budgets).from_select([column.key for column in budgets.c], all_of(rows))
    return BulkWrite(
        engine,
        rows,
        insert.on_conflict_do_update(
            index_elements=["tenant", "kind", "name"],
            set_={name: insert.excluded[name] for name in ("day", "spent", "last_at")},
        ),
    )
