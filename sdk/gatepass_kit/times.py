"""What time is known to have been. A clock that shows less than that is wrong, and nothing is decided by it.

`last_good` is the latest of the service's times that were seen and of the admissions that were decided here. An
admission raises it no further than its bundle was good: a clock that once ran ahead must not shut the gate for good.
`service` is the service's times alone: by it, and not by a clock that anybody can set, old uses are forgotten.
"""

import sqlite3

from .state import State, known, rise


class Times:
    """The known times, in microseconds UTC; 0 where there is none yet. They only rise."""

    def __init__(self, state: State) -> None:
        with state.transaction() as tx:
            self.last_good: int = known(tx, "last_good") or 0
            self.service: int = known(tx, "service_time") or 0

    def saw(self, at: int | None) -> None:
        """The service said that it is `at`."""
        if at is not None:
            self.service = max(self.service, at)
            self.last_good = max(self.last_good, at)

    def admitted(self, at: int, good_until: int) -> None:
        """Somebody was let in here at `at`, by a bundle that is good until then."""
        self.last_good = max(self.last_good, min(at, good_until))

    def keep(self, tx: sqlite3.Connection) -> None:
        """Write them down with whatever else is written; a later time of another program's stays, and counts here."""
        self.last_good = max(self.last_good, rise(tx, "last_good", self.last_good))
        self.service = max(self.service, rise(tx, "service_time", self.service))
