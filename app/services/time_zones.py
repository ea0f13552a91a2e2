"""Time zones, by their names in the IANA database."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.core.model import SECOND

from .mistakes import Invalid

_EPOCH_ORDINAL = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def check_time_zone(name: str) -> str:
    """`name`, if there is such a time zone. Raises `Invalid`."""
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):
        raise Invalid("time_zone", "There is no such time zone: use a name like Asia/Shanghai.") from None
    return name


def local_day(now: int, time_zone: str) -> int:
    """The days from 1970-01-01 to the day it is in `time_zone` at `now` (microseconds UTC)."""
    return datetime.fromtimestamp(now // SECOND, _zone(time_zone)).toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    if not name or name.startswith(("/", ".")):
        raise ValueError(name)
    return ZoneInfo(name)
