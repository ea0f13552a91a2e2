"""Guessing budgets, as the desk sees them. The ledger spends them."""

from sqlalchemy import delete

from app.storage.tables import budgets

from .repository import Repository


class Budgets(Repository):
    """Wrong codes on a day."""

    def clear(self, tenant: str, number: int) -> None:
        """Forget the wrong codes that were tried for a holder number."""
        self._connection.execute(
            delete(budgets).where(budgets.c.tenant == tenant, budgets.c.kind == "number", budgets.c.name == str(number))
        )
