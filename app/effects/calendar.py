"""The calendar: what clocks on the wall show, by the time zones of the IANA database.

The hours of a schedule are JSON:

    {"weekly": [{"days": ["mon", "tue"], "from": "08:00", "until": "18:00"}],
     "holidays": ["2026-12-25"],
     "on_holidays": [{"from": "10:00", "until": "12:00"}],
     "exceptions": [{"date": "2026-12-24", "windows": [{"from": "08:00", "until": "12:00"}]}],
     "early_s": 600}

All of it may be left out. A date has the windows of its exception; without one, those of holidays if it is a holiday;
else those of its weekday. A window belongs to the date on which it begins, and runs on into the next where it does not
end later than it begins: from 22:00 until 06:00, or all day from 00:00 until 00:00. `early_s` opens every window so
many seconds earlier.

A window is open while clocks show a time in it. Where clocks jump forward, the times jumped over are the jump. Where
they go back and show times twice, a window begins at the first and ends at the second, and stays open in between.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.core.model import MINUTE, SECOND

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_EPOCH_ORDINAL = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_DAYS_AHEAD = 36
_DAY = 24 * 60


class ZoneInfoCalendar:
    """Tells what clocks on the wall show."""

    def local_day(self, now: int, time_zone: str) -> int:
        """The days from 1970-01-01 to the day it is in `time_zone` at `now` (microseconds UTC)."""
        return _local_day(now // MINUTE, time_zone)  # since 1970 no day began within a minute

    def windows(self, hours: str, time_zone: str, now: int) -> tuple[tuple[int, int], ...]:
        """The times [start, end) in which the schedule `hours` is open, in order; none touches the next.

        From the day before `now` until 35 days after it at least. A time that began before is cut off at its start, one
        that goes on behind at its end.
        """
        return _windows(hours, time_zone, self.local_day(now, time_zone))

    def last_reset(self, resets_at: str, time_zone: str, now: int) -> int:
        """The latest time, `now` at most, at which a clock showed `resets_at`, like "04:00".

        Where clocks jumped over it that is the jump; where they showed it twice, the first.
        """
        return max(at for at in _resets(resets_at, time_zone, self.local_day(now, time_zone)) if at <= now)


@lru_cache(maxsize=512)
def zone_named(name: str) -> ZoneInfo:
    """The time zone. Raises `KeyError`, `ValueError` or `OSError` where there is none."""
    if not name or name.startswith(("/", ".")):
        raise ValueError(name)
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _local_day(minute: int, time_zone: str) -> int:
    return datetime.fromtimestamp(minute * 60, zone_named(time_zone)).toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=1024)
def _windows(hours: str, time_zone: str, today: int) -> tuple[tuple[int, int], ...]:
    zone = zone_named(time_zone)
    week = _Week.read(json.loads(hours))
    since, _ = _shown(today - 1, 0, zone)
    opened = []
    for day in range(today - 2, today + _DAYS_AHEAD + 1):  # the day before may have begun with a window of its eve
        for begin, end in week.on(day):
            (start, _), (_, stop) = _shown(day, begin, zone), _shown(day, end, zone)
            if start < stop and stop > since:
                opened.append((start - week.early, stop))
    return tuple(_merged(sorted(opened)))


@lru_cache(maxsize=1024)
def _resets(resets_at: str, time_zone: str, today: int) -> tuple[int, ...]:
    """Those that may be the latest. Clocks that go back at midnight have shown times of the day after already."""
    zone = zone_named(time_zone)
    return tuple(_shown(day, _minutes(resets_at), zone)[0] for day in range(today - 2, today + 2))


class _Week(NamedTuple):
    """A schedule as it was read. Windows are minutes of a day; the end may lie in the next."""

    by_weekday: Sequence[Sequence[tuple[int, int]]]
    by_date: Mapping[int, Sequence[tuple[int, int]]]
    early: int

    @classmethod
    def read(cls, hours: Mapping[str, Any]) -> "_Week":
        weekly = hours.get("weekly", ())
        on_holidays = _read(hours.get("on_holidays", ()))
        return cls(
            [_read([window for window in weekly if weekday in window["days"]]) for weekday in WEEKDAYS],
            {_day(holiday): on_holidays for holiday in hours.get("holidays", ())}
            | {_day(each["date"]): _read(each["windows"]) for each in hours.get("exceptions", ())},
            hours.get("early_s", 0) * SECOND,
        )

    def on(self, day: int) -> Sequence[tuple[int, int]]:
        """The windows that begin on that day."""
        windows = self.by_date.get(day)
        return self.by_weekday[(day + _EPOCH_ORDINAL - 1) % 7] if windows is None else windows


def _read(windows: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    read = [(_minutes(window["from"]), _minutes(window["until"])) for window in windows]
    return [(begin, end if end > begin else end + _DAY) for begin, end in read]


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL


def _shown(day: int, minutes: int, zone: ZoneInfo) -> tuple[int, int]:
    """When clocks show that time for the first and for the last time: twice the jump, if they jump over it."""
    wall = datetime.fromordinal(day + _EPOCH_ORDINAL) + timedelta(minutes=minutes)
    first, last = (int(wall.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    if last < first:  # how zoneinfo tells that the time is not shown: the jump is in between
        first = last = last + bisect_left(range(last, first), wall, key=lambda at: _wall(at, zone))
    return first * SECOND, last * SECOND


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def _merged(windows: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The windows, in order, as one where they touch."""
    start, end = windows[0] if windows else (0, 0)
    for each in windows:
        if each[0] > end:
            yield start, end
            start = each[0]
        end = max(end, each[1])
    if windows:
        yield start, end
