"""Loading what rules need to know, for a whole batch of attempts at once."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

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
from app.core.rule import Need
from app.core.rules import RULES

from .attempt import Attempt
from .bulk import BulkRead, incoming
from .engine import Engine, Row
from .tables import budgets, gates, holders, passes, redemptions, tenants, tokens, zones

_N = Column("n", Integer)


class Place(NamedTuple):
    """A gate, and the epoch of its tenant."""

    gate: Gate
    epoch: int


class FactsLoader:
    """Loads facts with a fixed number of statements a batch, compiled once for an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gates = _gates(engine)
        self._tokens = _tokens(engine)
        self._budgets = _budgets(engine)
        self._needs = frozenset().union(*(rule.needs for rule in RULES))

    def load(self, connection: Connection, attempts: Sequence[Attempt]) -> list[Facts | None]:
        """The facts of each attempt; None where there is no such gate. What they hang on is locked first."""
        gates_ = sorted({(attempt.tenant, attempt.gate) for attempt in attempts})
        places = {(row[0], row[2]): Place(_gate(*row[2:]), row[1]) for row in self._gates.rows(connection, gates_)}
        stored = self._load_tokens(connection, attempts) if Need.TOKEN in self._needs else {}
        spent = self._load_budgets(connection, attempts) if Need.BUDGETS in self._needs else NO_BUDGETS
        return [
            _facts(attempt, place, stored.get(n), spent)
            if (place := places.get((attempt.tenant, attempt.gate)))
            else None
            for n, attempt in enumerate(attempts)
        ]

    def _load_tokens(self, connection: Connection, attempts: Sequence[Attempt]) -> Mapping[int, Row]:
        shown = [(n, attempt.tenant, *key) for n, attempt in enumerate(attempts) for key in _keys(attempt)]
        self._engine.lock_passes(connection, [row[1:] for row in shown])
        return {row[0]: row for row in self._tokens.rows(connection, shown)}

    def _load_budgets(self, connection: Connection, attempts: Sequence[Attempt]) -> Mapping[BudgetKey, Budget]:
        keys = sorted({key for attempt in attempts for key in _budget_keys(attempt)})
        if not keys:
            return NO_BUDGETS
        self._engine.lock_budgets(connection, keys)
        return {BudgetKey(*row[:3]): Budget(*row[3:]) for row in self._budgets.rows(connection, keys)}


def _keys(attempt: Attempt) -> Sequence[tuple[bytes | None, bytes | None]]:
    """How the token of an attempt may be stored: by its id, or by a lookup under each pepper."""
    claims = attempt.presented
    if not isinstance(claims, Claims):
        return ()
    if claims.token is not None:
        return ((claims.token.id, None),)
    return [(None, lookup) for lookup in claims.lookups]


def _budget_keys(attempt: Attempt) -> tuple[BudgetKey, ...]:
    claims = attempt.presented
    if not isinstance(claims, Claims) or claims.number is None:
        return ()
    return (
        BudgetKey(attempt.tenant, "gate", attempt.gate),
        BudgetKey(attempt.tenant, "number", str(claims.number)),
    )


def _facts(attempt: Attempt, place: Place, row: Row | None, spent: Mapping[BudgetKey, Budget]) -> Facts:
    gate = place.gate
    exit_side = is_exit_side(gate, exit_bound=attempt.exit_bound)
    direction = Direction.EXIT if exit_side else gate.direction
    if direction == Direction.BOTH:
        direction = attempt.direction or Direction.BOTH
    return Facts(
        now=attempt.now,
        today=attempt.today,
        epoch=place.epoch,
        gate=gate,
        direction=direction,
        exit_side=exit_side,
        credential=attempt.credential,
        verification=attempt.verification,
        presented=attempt.presented,
        token=None if row is None else _token(row[_TOKEN]),
        pass_=None if row is None else _pass(row[_PASS]),
        last_use=None if row is None else _use(row[_USE]),
        budgets={key: spent.get(key, Budget()) for key in _budget_keys(attempt)} or NO_BUDGETS,
    )


@lru_cache(maxsize=4096)
def _gate(id_: str, direction: str, repeat_window_s: int, from_path: str | None, into_path: str | None) -> Gate:
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


_TOKEN, _PASS, _USE = slice(1, 9), slice(9, 21), slice(21, 28)
"""Where each part stands in a row of the statement in `_tokens`."""

_STATUS = {status.value: status for status in PassStatus}


def _token(columns: Sequence[Any]) -> Token:
    id_, kind, issued_at, expires_at, gate, reusable, epoch, revoked_at = columns
    return Token(id_, kind, issued_at, expires_at, gate, bool(reusable), epoch, revoked_at is not None)


def _pass(columns: Sequence[Any]) -> Pass:
    id_, idx, scope, valid_from, valid_until, max_entries, entries, status, *holder = columns
    limits = (valid_from, valid_until, max_entries, entries)
    return Pass(id_, idx, Holder(*holder), scope_of(scope), *limits, _STATUS[status])


def _use(columns: Sequence[Any]) -> Use | None:
    number, verification, at, gate, credential, direction, voided_at = columns
    return None if number is None else Use(number, verification, at, gate, credential, direction, voided_at is not None)


def _gates(engine: Engine) -> BulkRead:
    """The tenant and its epoch, and the gate with the zones that it leads between."""
    asked = incoming(gates.c.tenant, gates.c.id)
    from_zone, into_zone, here = zones.alias(), zones.alias(), asked.c.tenant
    statement = (
        select(gates.c.tenant, tenants.c.epoch, gates.c.id, gates.c.direction, gates.c.repeat_window_s)
        .add_columns(from_zone.c.path, into_zone.c.path)
        .select_from(asked)
        .join(gates, and_(gates.c.tenant == here, gates.c.id == asked.c.id))
        .join(tenants, tenants.c.id == gates.c.tenant)
        .outerjoin(from_zone, and_(from_zone.c.tenant == here, from_zone.c.id == gates.c.from_zone))
        .outerjoin(into_zone, and_(into_zone.c.tenant == here, into_zone.c.id == gates.c.into_zone))
    )
    return BulkRead(engine, asked, statement)


def _tokens(engine: Engine) -> BulkRead:
    """The stored token with its pass, holder and latest use."""
    asked = incoming(_N, tokens.c.tenant, redemptions.c.token, tokens.c.lookup)
    opaque, earlier, use, here = tokens.alias(), redemptions.alias(), redemptions, asked.c.tenant
    by_lookup = select(opaque.c.id).where(opaque.c.tenant == here, opaque.c.lookup == asked.c.lookup)
    latest = select(func.max(earlier.c.use_no)).where(
        earlier.c.tenant == tokens.c.tenant, earlier.c.token == tokens.c.id
    )
    statement = (
        select(
            asked.c.n,
            *(tokens.c.id, tokens.c.kind, tokens.c.issued_at, tokens.c.expires_at),
            *(tokens.c.gate, tokens.c.reusable, tokens.c.epoch, tokens.c.revoked_at),
            *(passes.c.id, passes.c.idx, passes.c.scope, passes.c.valid_from, passes.c.valid_until),
            *(passes.c.max_entries, passes.c.entries, passes.c.status),
            *(holders.c.id, holders.c.ref, holders.c.number, holders.c.name),
            *(use.c.use_no, use.c.verification, use.c.at, use.c.gate, use.c.credential, use.c.direction),
            use.c.voided_at,
        )
        .select_from(asked)
        .join(
            tokens,
            and_(tokens.c.tenant == here, tokens.c.id == func.coalesce(asked.c.token, by_lookup.scalar_subquery())),
        )
        .join(passes, and_(passes.c.tenant == here, passes.c.id == tokens.c.pass_))
        .join(holders, and_(holders.c.tenant == here, holders.c.id == passes.c.holder))
        .outerjoin(
            use, and_(use.c.tenant == here, use.c.token == tokens.c.id, use.c.use_no == latest.scalar_subquery())
        )
    )
    return BulkRead(engine, asked, statement)


def _budgets(engine: Engine) -> BulkRead:
    asked = incoming(budgets.c.tenant, budgets.c.kind, budgets.c.name)
    statement = select(*asked.c, budgets.c.day, budgets.c.spent, budgets.c.last_at).join_from(
        asked,
        budgets,
        and_(budgets.c.tenant == asked.c.tenant, budgets.c.kind == asked.c.kind, budgets.c.name == asked.c.name),
    )
    return BulkRead(engine, asked, statement)
