"""What services may ask of the store: values in, values out, no word of SQL.

A `Store` settles attempts at gates in batches, and runs a service's read or write as one transaction.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from app.core.model import Facts, Gate

from .attempt import Attempt, NotUndone, Settled, Undoing, Unsettled
from .transaction import Transaction

Result = TypeVar("Result")


class Store(Protocol):
    """A database, as services use it. Every method may raise `failures.Unavailable`."""

    async def settle(self, attempt: Attempt) -> Settled | Unsettled:
        """Decide and record one attempt. Returns only when the decision is durable."""

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run `work` in a transaction that writes nothing."""

    async def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Run `work` in a transaction and return once it is durable. An exception from `work` undoes all it did."""

    async def undo(self, undoing: Undoing) -> NotUndone | None:
        """Take an admission back. None means that this is done, and durable."""

    async def simulate(self, attempt: Attempt) -> Facts | None:
        """The facts on which the attempt would be decided, None where there is no such gate. Nothing is held."""

    def known_gate(self, tenant: str, gate: str) -> Gate | None:
        """The gate as it was last seen, without asking the database: for the way out, when there is none."""

    async def missing(self) -> list[str]:
        """What stands in the way of serving, in words; empty when all is well."""
