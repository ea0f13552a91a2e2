"""Admissions that were taken back."""

from app.storage.attempt import Undoing
from app.storage.tables import undos

from .repository import Repository


class Undos(Repository):
    """What was undone, recorded beside it."""

    def insert(self, undoing: Undoing) -> bool:
        """Whether nobody was first: the arbiter, as with redemptions."""
        values = {"verification": undoing.verification, "at": undoing.now, "credential": undoing.credential}
        return self._insert(undos, {"tenant": undoing.tenant, **values})
