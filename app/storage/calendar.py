"""What the store needs to know of time zones. Times are microseconds UTC."""

from typing import Protocol


class Calendar(Protocol):
    """Tells what clocks on the wall show."""

    def local_day(self, now: int, time_zone: str) -> int:
        """The days from 1970-01-01 to the day it is in `time_zone` at `now`."""

    def windows(self, hours: str, time_zone: str, now: int) -> tuple[tuple[int, int], ...]:
        """The times [start, end) in which the schedule `hours` is open, in order; none touches the next.

        From the day before `now` until 35 days after it at least. A time that began before is cut off at its start, one
        that goes on behind at its end.
        """

    def last_reset(self, resets_at: str, time_zone: str, now: int) -> int:
        """The latest time, `now` at most, at which a clock showed `resets_at`, like "04:00".

        Where clocks jumped over it that is the jump; where they showed it twice, the first.
        """
