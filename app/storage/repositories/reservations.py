"""First proofs that waited for a second. The ledger writes them."""

from sqlalchemy import delete, select, tuple_

from app.storage.tables import reservations

from .repository import Repository

_KEY = (reservations.c.tenant, reservations.c.gate, reservations.c.holder)


class Reservations(Repository):
    """First proofs at gates that want two."""

    def purge(self, before: int) -> None:
        """Forget those whose time was over before that time (microseconds)."""
        over = select(*_KEY).where(reservations.c.until < before).with_for_update(skip_locked=True)
        self._connection.execute(delete(reservations).where(tuple_(*_KEY).in_(over)))
