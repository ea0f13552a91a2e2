"""`outside_schedule`: the pass has a schedule, and it is not open now.

Wall-clock times, holidays and daylight saving were made intervals in UTC before they came here (`effects/calendar.py`).
"""

from ..model import Direction, Facts
from ..rule import rule


def next_opening(facts: Facts) -> int | None:
    """When the schedule opens next; None where it does not within the days that are known."""
    hours = facts.pass_.hours if facts.pass_ else None
    return next((start for start, _ in hours or () if start > facts.now), None)


@rule("outside_schedule", offline=True, timeless=True, not_before=next_opening)
def outside_schedule(facts: Facts) -> bool:
    """Refuse an entry while the schedule is closed. Nobody is kept inside by the clock."""
    if facts.pass_ is None or facts.pass_.hours is None or facts.direction == Direction.EXIT:
        return False
    for start, end in facts.pass_.hours:
        if facts.now < end:
            return facts.now < start
    return True
