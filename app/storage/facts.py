"""Loading what rules need to know, for a whole batch of attempts at once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Integer, and_, func, select

from app.core.decision import is_exit_side
from app.core.model import (
    NO_BUDGETS,
    SECOND,
    Budget,
    BudgetKey,
    Claims,
    Direction,
    Facts,
    Gate,
    Holder,
    Pass,
    PassStatus,
    Scope,
    Token,
    Use,
)

from .attempt import Attempt
from .bulk import Bulk, Row, incoming
from .engine import Engine
from .tables import budgets, gates, holders, passes, redemptions, tenants, tokens, zones

_N = Column("n", Integer)


class FactsLoader:
    """Loads facts with a fixed number of statements a batch, compiled once for an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._presented = _presented(engine)
        self._budgets = _budgets(engine)

    def load(self, connection: Connection, attempts: Sequence[Attempt]) -> list[Facts | None]:
        """The facts of each attempt; None where there is no such gate. What they hang on is locked first."""
        wanted = list(_wanted(attempts))
        self._engine.lock_passes(connection, [(tenant, token, lookup) for _, tenant, _, token, lookup in wanted])
        rows: list[Row | None] = [None] * len(attempts)
        for row in self._presented.run(connection, wanted):
            if rows[row[0]] is None or row[_TOKEN] is not None:
                rows[row[0]] = row
        spent = self._load_budgets(connection, attempts)
        return [
            None if row is None or row[_GATE] is None else _facts(attempt, row, spent)
            for attempt, row in zip(attempts, rows, strict=True)
        ]

    def _load_budgets(self, connection: Connection, attempts: Sequence[Attempt]) -> Mapping[BudgetKey, Budget]:
        keys = sorted({key for attempt in attempts for key in _budget_keys(attempt)})
        if not keys:
            return NO_BUDGETS
        self._engine.lock_budgets(connection, keys)
        return {BudgetKey(*row[:3]): Budget(*row[3:]) for row in self._budgets.run(connection, keys)}


def _wanted(attempts: Sequence[Attempt]) -> Iterable[Row]:
    """One row for each way in which the token of an attempt may be stored: by its id, or by a hash under a pepper."""
    for n, attempt in enumerate(attempts):
        claims = attempt.presented
        if not isinstance(claims, Claims):
            yield n, attempt.tenant, attempt.gate, None, None
        elif claims.token is not None:
            yield n, attempt.tenant, attempt.gate, claims.token.id, None
        else:
            for lookup in claims.lookups:
                yield n, attempt.tenant, attempt.gate, None, lookup


def _budget_keys(attempt: Attempt) -> tuple[BudgetKey, ...]:
    claims = attempt.presented
    if not isinstance(claims, Claims) or claims.number is None:
        return ()
    return (
        BudgetKey(attempt.tenant, "gate", attempt.gate),
        BudgetKey(attempt.tenant, "number", str(claims.number)),
    )


def _facts(attempt: Attempt, row: Row, spent: Mapping[BudgetKey, Budget]) -> Facts:
    gate = _gate(row[_GATE : _GATE + 5])
    direction = gate.direction if gate.direction != Direction.BOTH else attempt.direction or Direction.BOTH
    exit_side = is_exit_side(gate, exit_bound=attempt.exit_bound)
    if exit_side:
        direction = Direction.EXIT
    token = pass_ = use = None
    if row[_TOKEN] is not None:
        id_, kind, issued_at, expires_at, bound_to, reusable, epoch, revoked_at = row[_TOKEN : _TOKEN + 8]
        token = Token(id_, kind, issued_at, expires_at, bound_to, bool(reusable), epoch, revoked_at is not None)
        pass_ = _pass(row[_PASS : _PASS + 13])
        if row[_USE] is not None:
            number, verification, at, gate_id, credential, way, voided_at = row[_USE : _USE + 7]
            use = Use(number, verification, at, gate_id, credential, way, voided_at is not None)
    budgets_ = {key: spent.get(key, Budget()) for key in _budget_keys(attempt)} or NO_BUDGETS
    return Facts(
        attempt.now,
        attempt.today,
        row[_EPOCH],
        gate,
        direction,
        exit_side,
        attempt.credential,
        attempt.verification,
        attempt.presented,
        token,
        pass_,
        use,
        budgets_,
    )


@lru_cache(maxsize=4096)
def _gate(columns: tuple[Any, ...]) -> Gate:
    id_, direction, repeat_window_s, from_path, into_path = columns
    return Gate(id_, Direction(direction), _path(from_path), _path(into_path), repeat_window_s * SECOND)


def _path(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


@lru_cache(maxsize=4096)
def scope_of(text: str) -> Scope:
    """The scope that a pass's column holds: JSON {"gates": "all" or a list, "zones": a list}."""
    value = json.loads(text)
    if value["gates"] == "all":
        return Scope(every_gate=True, zones=frozenset(value["zones"]))
    return Scope(gates=frozenset(value["gates"]), zones=frozenset(value["zones"]))


def _pass(columns: Sequence[Any]) -> Pass:
    id_, idx, scope, valid_from, valid_until, max_entries, entries, status, *holder = columns
    return Pass(
        id_,
        idx,
        Holder(*holder[:4]),
        scope_of(scope),
        valid_from,
        valid_until,
        max_entries,
        entries,
        PassStatus(status),
    )


_EPOCH, _GATE, _TOKEN, _PASS, _USE = 1, 2, 7, 15, 27
"""Where each part begins in a row of the statement below."""


def _presented(engine: Engine) -> Bulk:
    """For each row: the tenant's epoch, the gate with its zones, and the token with its pass, holder and latest use."""
    asked = incoming(_N, tokens.c.tenant, redemptions.c.gate, redemptions.c.token, tokens.c.lookup)
    from_zone, into_zone, opaque, earlier = zones.alias(), zones.alias(), tokens.alias(), redemptions.alias()
    token_id = func.coalesce(
        asked.c.token,
        select(opaque.c.id)
        .where(opaque.c.tenant == asked.c.tenant, opaque.c.lookup == asked.c.lookup)
        .scalar_subquery(),
    )
    latest = (
        select(func.max(earlier.c.use_no))
        .where(earlier.c.tenant == tokens.c.tenant, earlier.c.token == tokens.c.id)
        .scalar_subquery()
    )
    here, use = asked.c.tenant, redemptions
    statement = (
        select(
            asked.c.n,
            tenants.c.epoch,
            *(gates.c.id, gates.c.direction, gates.c.repeat_window_s, from_zone.c.path, into_zone.c.path),
            *(tokens.c.id, tokens.c.kind, tokens.c.issued_at, tokens.c.expires_at),
            *(tokens.c.gate, tokens.c.reusable, tokens.c.epoch, tokens.c.revoked_at),
            *(passes.c.id, passes.c.idx, passes.c.scope, passes.c.valid_from, passes.c.valid_until),
            *(passes.c.max_entries, passes.c.entries, passes.c.status),
            *(holders.c.id, holders.c.ref, holders.c.number, holders.c.name),
            *(use.c.use_no, use.c.verification, use.c.at, use.c.gate, use.c.credential, use.c.direction),
            use.c.voided_at,
        )
        .select_from(asked)
        .join(tenants, tenants.c.id == here)
        .outerjoin(gates, and_(gates.c.tenant == here, gates.c.id == asked.c.gate))
        .outerjoin(from_zone, and_(from_zone.c.tenant == here, from_zone.c.id == gates.c.from_zone))
        .outerjoin(into_zone, and_(into_zone.c.tenant == here, into_zone.c.id == gates.c.into_zone))
        .outerjoin(tokens, and_(tokens.c.tenant == here, tokens.c.id == token_id))
        .outerjoin(passes, and_(passes.c.tenant == here, passes.c.id == tokens.c.pass_))
        .outerjoin(holders, and_(holders.c.tenant == here, holders.c.id == passes.c.holder))
        .outerjoin(use, and_(use.c.tenant == here, use.c.token == tokens.c.id, use.c.use_no == latest))
        .where(asked.c.n.is_not(None))
    )
    return Bulk(engine, asked, statement)


def _budgets(engine: Engine) -> Bulk:
    asked = incoming(budgets.c.tenant, budgets.c.kind, budgets.c.name)
    statement = select(*asked.c, budgets.c.day, budgets.c.spent, budgets.c.last_at).join_from(
        asked,
        budgets,
        and_(budgets.c.tenant == asked.c.tenant, budgets.c.kind == asked.c.kind, budgets.c.name == asked.c.name),
    )
    return Bulk(engine, asked, statement)
