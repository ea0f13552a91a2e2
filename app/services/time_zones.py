"""Time zones, by their names in the IANA database."""

from app.effects.calendar import ZoneInfoCalendar, zone_named

from .mistakes import Invalid

_calendar = ZoneInfoCalendar()


def check_time_zone(name: str) -> str:
    """`name`, if there is such a time zone. Raises `Invalid`."""
    try:
        zone_named(name)
    except (KeyError, ValueError, OSError):
        raise Invalid("time_zone", "There is no such time zone: use a name like Asia/Shanghai.") from None
    return name


def local_day(now: int, time_zone: str) -> int:
    """The days from 1970-01-01 to the day it is in `time_zone` at `now` (microseconds UTC)."""
    return _calendar.local_day(now, time_zone)
