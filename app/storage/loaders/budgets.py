"""Guessing budgets that codes draw on."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, select

from app.core.model import NO_BUDGETS, Budget, BudgetKey
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import budgets


class BudgetsLoader:
    """Loads budgets by key."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        asked = incoming(budgets.c.tenant, budgets.c.kind, budgets.c.name)
        statement = select(*asked.c, budgets.c.day, budgets.c.spent, budgets.c.last_at).join_from(
            asked,
            budgets,
            and_(budgets.c.tenant == asked.c.tenant, budgets.c.kind == asked.c.kind, budgets.c.name == asked.c.name),
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(self, connection: Connection, asked: Iterable[BudgetKey], *, hold: bool) -> Mapping[BudgetKey, Budget]:
        """Those budgets that were ever drawn on."""
        keys = sorted(set(asked))
        if not keys:
            return NO_BUDGETS
        if hold:
            self._engine.lock_budgets(connection, keys)
        return {BudgetKey(*row[:3]): Budget(*row[3:]) for row in self._statement.rows(connection, keys)}
