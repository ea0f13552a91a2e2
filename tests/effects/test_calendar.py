"""Windows and resets, by examples and against the clock on the wall."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.model import SECOND
from app.effects.calendar import WEEKDAYS, ZoneInfoCalendar
from app.storage.calendar import Calendar

BERLIN, NEW_YORK, LORD_HOWE, APIA = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"
ZONES = (
    BERLIN, NEW_YORK, LORD_HOWE, APIA, "UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/St_Johns",
    "America/Sao_Paulo", "America/Havana", "Africa/Casablanca", "Europe/Dublin", "Antarctica/Troll",
)  # fmt: skip
DAY = 86_400

calendar: Calendar = ZoneInfoCalendar()


def micros(text: str) -> int:
    """Microseconds of a time in UTC like 2026-03-29 01:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def daily(begin: str, end: str, *days: str) -> dict[str, Any]:
    return {"days": list(days or WEEKDAYS), "from": begin, "until": end}


def opened(zone: str, day: str, *weekly: dict[str, Any], **more: Any) -> list[str]:
    """The windows that are open on that day in UTC, as UTC; those that end elsewhere have its date."""
    hours = json.dumps({"weekly": weekly, **more})
    since = micros(f"{day} 00:00")
    return [
        f"{_shown(start, day)} to {_shown(end, day)}"
        for start, end in calendar.windows(hours, zone, since)
        if start < since + DAY * SECOND and end > since
    ]


def _shown(at: int, day: str) -> str:
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    return moment.strftime("%H:%M" if moment.strftime("%Y-%m-%d") == day else "%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("zone", "now", "day"),
    [
        ("UTC", "1970-01-01 23:59", 0),
        ("UTC", "1970-01-02 00:00", 1),
        ("Asia/Shanghai", "1970-01-01 15:59", 0),
        ("Asia/Shanghai", "1970-01-01 16:00", 1),
        (NEW_YORK, "1970-01-01 04:59", -1),
        (APIA, "2011-12-30 09:59", 15337),
        (APIA, "2011-12-30 10:00", 15339),
    ],
)
def test_the_day_is_the_one_on_the_wall(zone: str, now: str, day: int) -> None:
    assert calendar.local_day(micros(now), zone) == day


def test_an_empty_schedule_is_never_open() -> None:
    assert calendar.windows("{}", BERLIN, micros("2026-11-22 12:00")) == ()


def test_a_weekday_is_open_in_its_window() -> None:
    work = daily("08:00", "18:00", "mon", "tue", "wed", "thu", "fri")
    assert opened(BERLIN, "2026-11-20", work) == ["07:00 to 17:00"]
    assert opened(BERLIN, "2026-11-21", work) == []
    assert opened("Asia/Shanghai", "2026-11-20", work) == ["00:00 to 10:00"]
    assert opened(BERLIN, "2026-07-20", work) == ["06:00 to 16:00"]


def test_a_day_has_as_many_windows_as_it_likes() -> None:
    morning, evening = daily("08:00", "12:00"), daily("13:00", "17:00", "fri")
    assert opened("UTC", "2026-11-20", evening, morning) == ["08:00 to 12:00", "13:00 to 17:00"]
    assert opened("UTC", "2026-11-21", evening, morning) == ["08:00 to 12:00"]


def test_a_window_that_does_not_end_later_than_it_begins_runs_on_into_the_next_day() -> None:
    night = daily("22:00", "06:00", "fri")
    assert opened("UTC", "2026-11-20", night) == ["22:00 to 2026-11-21 06:00"]
    assert opened("UTC", "2026-11-21", night) == ["2026-11-20 22:00 to 06:00"]
    for begin, end in (("00:00", "00:00"), ("00:00", "24:00")):
        assert opened("UTC", "2026-11-20", daily(begin, end, "fri")) == ["00:00 to 2026-11-21 00:00"]
    assert opened("UTC", "2026-11-20", daily("18:00", "24:00", "fri")) == ["18:00 to 2026-11-21 00:00"]
    assert opened("UTC", "2026-11-20", daily("09:30", "09:30", "fri")) == ["09:30 to 2026-11-21 09:30"]


def test_windows_that_touch_or_overlap_are_one() -> None:
    assert opened("UTC", "2026-11-20", daily("08:00", "12:00"), daily("12:00", "14:00"), daily("13:00", "13:30")) == [
        "08:00 to 14:00"
    ]
    assert opened("UTC", "2026-11-20", daily("22:00", "24:00", "fri"), daily("00:00", "02:00", "sat")) == [
        "22:00 to 2026-11-21 02:00"
    ]
    (whole,) = calendar.windows(json.dumps({"weekly": [daily("00:00", "24:00")]}), BERLIN, micros("2026-11-22 12:00"))
    assert whole[0] <= micros("2026-11-20 23:00")
    assert whole[1] >= micros("2026-12-27 12:00")


def test_a_holiday_has_the_windows_of_holidays() -> None:
    week = daily("08:00", "18:00")
    assert opened("UTC", "2026-12-25", week, holidays=["2026-12-25"]) == []
    few = {"holidays": ["2026-12-25"], "on_holidays": [{"from": "10:00", "until": "12:00"}]}
    assert opened("UTC", "2026-12-25", week, **few) == ["10:00 to 12:00"]
    assert opened("UTC", "2026-12-26", week, **few) == ["08:00 to 18:00"]


def test_a_window_belongs_to_the_date_on_which_it_begins() -> None:
    night = daily("22:00", "06:00")
    assert opened("UTC", "2026-12-25", night, holidays=["2026-12-25"]) == ["2026-12-24 22:00 to 06:00"]
    assert opened("UTC", "2026-12-26", night, holidays=["2026-12-25"]) == ["22:00 to 2026-12-27 06:00"]


def test_an_exception_counts_before_a_holiday_and_the_week() -> None:
    def on(day: str, *windows: tuple[str, str]) -> list[dict[str, Any]]:
        return [{"date": day, "windows": [{"from": begin, "until": end} for begin, end in windows]}]

    week = daily("08:00", "18:00")
    rest: dict[str, Any] = {"holidays": ["2026-12-24"], "on_holidays": [{"from": "10:00", "until": "11:00"}]}
    assert opened("UTC", "2026-12-24", week, **rest, exceptions=on("2026-12-24", ("08:00", "12:00"))) == [
        "08:00 to 12:00"
    ]
    assert opened("UTC", "2026-12-24", week, **rest, exceptions=on("2026-12-24")) == []
    assert opened("UTC", "2026-12-23", week, **rest, exceptions=on("2026-12-24")) == ["08:00 to 18:00"]


def test_early_opens_before_a_window_and_closes_no_later() -> None:
    assert opened("UTC", "2026-11-20", daily("08:00", "18:00"), early_s=600) == ["07:50 to 18:00"]
    assert opened("UTC", "2026-11-20", daily("08:00", "12:00"), daily("12:10", "13:00"), early_s=600) == [
        "07:50 to 13:00"
    ]
    assert opened(BERLIN, "2026-03-29", daily("03:30", "05:00"), early_s=3600) == ["00:30 to 03:00"]


def test_a_time_that_clocks_jump_over_is_the_jump() -> None:
    assert opened(BERLIN, "2026-03-29", daily("02:30", "05:00")) == ["01:00 to 03:00"]
    assert opened(BERLIN, "2026-03-29", daily("00:30", "02:30", "sun")) == ["2026-03-28 23:30 to 01:00"]
    assert opened(NEW_YORK, "2026-03-08", daily("02:30", "05:00")) == ["07:00 to 09:00"]
    assert opened(LORD_HOWE, "2026-10-03", daily("02:15", "05:00", "sun")) == ["15:30 to 18:00"]


def test_a_window_that_clocks_jump_over_does_not_open() -> None:
    assert opened(BERLIN, "2026-03-29", daily("02:10", "02:50", "sun"), early_s=7200) == []
    assert opened(LORD_HOWE, "2026-10-03", daily("02:00", "02:30", "sun")) == []
    assert opened(APIA, "2011-12-30", daily("08:00", "18:00")) == [
        "2011-12-29 18:00 to 04:00",
        "18:00 to 2011-12-31 04:00",
    ]


def test_a_window_begins_at_the_first_showing_and_ends_at_the_second() -> None:
    assert opened(BERLIN, "2026-10-25", daily("02:30", "05:00", "sun")) == ["00:30 to 04:00"]
    assert opened(BERLIN, "2026-10-25", daily("01:00", "02:30", "sun")) == ["2026-10-24 23:00 to 01:30"]
    assert opened(BERLIN, "2026-10-25", daily("02:10", "02:50", "sun")) == ["00:10 to 01:50"]
    assert opened(NEW_YORK, "2026-11-01", daily("01:30", "03:00", "sun")) == ["05:30 to 08:00"]
    assert opened(LORD_HOWE, "2026-04-04", daily("01:45", "03:00", "sun")) == ["14:45 to 16:30"]
    assert opened(LORD_HOWE, "2026-04-04", daily("00:00", "01:45", "sun")) == ["13:00 to 15:15"]


def test_the_hour_shown_twice_begins_twice_and_ends_once() -> None:
    assert opened(BERLIN, "2026-10-25", daily("00:00", "02:00", "sun")) == ["2026-10-24 22:00 to 01:00"]
    assert opened(BERLIN, "2026-10-25", daily("02:00", "04:00", "sun")) == ["00:00 to 03:00"]
    assert opened(BERLIN, "2026-10-25", daily("03:00", "05:00", "sun")) == ["02:00 to 04:00"]
    assert opened(BERLIN, "2026-10-25", daily("01:00", "03:00", "sun")) == ["2026-10-24 23:00 to 02:00"]


def test_a_night_shift_is_an_hour_shorter_or_longer_when_clocks_change() -> None:
    night = daily("22:00", "06:00", "sat")
    assert opened(BERLIN, "2026-03-29", night) == ["2026-03-28 21:00 to 04:00"]
    assert opened(BERLIN, "2026-10-25", night) == ["2026-10-24 20:00 to 05:00"]
    assert opened(NEW_YORK, "2026-03-08", night) == ["03:00 to 10:00"]
    assert opened(NEW_YORK, "2026-11-01", night) == ["02:00 to 11:00"]
    assert opened(LORD_HOWE, "2026-04-04", night) == ["11:00 to 19:30"]
    assert opened(LORD_HOWE, "2026-10-03", night) == ["11:30 to 19:00"]


def test_clocks_may_change_at_midnight() -> None:
    assert opened("America/Sao_Paulo", "2018-11-04", daily("00:00", "24:00", "sun")) == ["03:00 to 2018-11-05 02:00"]
    assert opened("America/Sao_Paulo", "2018-02-18", daily("22:00", "23:30", "sat")) == ["00:00 to 02:30"]


@pytest.mark.parametrize(
    ("zone", "now", "reset"),
    [
        (BERLIN, "2026-11-22 03:00", "2026-11-22 03:00"),
        (BERLIN, "2026-11-22 02:59", "2026-11-21 03:00"),
        (BERLIN, "2026-11-22 23:30", "2026-11-22 03:00"),
        ("Asia/Shanghai", "2026-11-22 03:00", "2026-11-21 20:00"),
        (NEW_YORK, "2026-11-22 03:00", "2026-11-21 09:00"),
        (APIA, "2011-12-30 12:00", "2011-12-30 10:00"),
        (APIA, "2011-12-30 09:59", "2011-12-29 14:00"),
        (APIA, "2011-12-30 14:00", "2011-12-30 14:00"),
    ],
)
def test_the_last_reset_is_the_latest_at_which_clocks_showed_four(zone: str, now: str, reset: str) -> None:
    assert calendar.last_reset("04:00", zone, micros(now)) == micros(reset)


def test_a_reset_that_clocks_jump_over_is_the_jump_and_one_shown_twice_is_the_first() -> None:
    for now, reset in (("2026-03-29 00:59", "2026-03-28 01:30"), ("2026-03-29 01:00", "2026-03-29 01:00")):
        assert calendar.last_reset("02:30", BERLIN, micros(now)) == micros(reset)
    for now, reset in (("2026-10-25 00:29", "2026-10-24 00:30"), ("2026-10-25 01:31", "2026-10-25 00:30")):
        assert calendar.last_reset("02:30", BERLIN, micros(now)) == micros(reset)


def test_a_reset_at_midnight_counts_when_clocks_go_back_behind_it() -> None:
    now = micros("1990-10-28 03:00")  # 23:30 again: at 00:01 clocks were put back to 23:01
    assert calendar.last_reset("00:00", "America/St_Johns", now) == micros("1990-10-28 02:30")


clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
spans = st.fixed_dictionaries({"from": clock_times, "until": clock_times | st.just("24:00")})
days = st.lists(st.sampled_from(WEEKDAYS), unique=True, min_size=1)
weekly = st.lists(st.builds(lambda span, days: {**span, "days": days}, spans, days), max_size=3)


@cache
def changes(zone: str, year: int) -> list[int]:
    """The hours of the year in which clocks change, from 1970 in seconds."""
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    hours = range(begin, begin + 365 * DAY, 3600)
    offsets = [datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() for at in hours]
    return [at for at, before, after in zip(hours, offsets, offsets[1:], strict=False) if before != after]


@st.composite
def instants(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a second, which is often one near a change of clocks."""
    zone = draw(st.sampled_from(ZONES))
    year = draw(st.sampled_from([1990, 2011, 2018, 2026, 2027, 2055]))
    near = draw(st.sampled_from(changes(zone, year) or [int(datetime(year, 11, 22, tzinfo=UTC).timestamp())]))
    apart = draw(st.integers(-6 * 60, 6 * 60).map(lambda minutes: minutes * 60) | st.integers(-60 * DAY, 60 * DAY))
    return zone, near + apart


def wall(zone: str, at: int) -> datetime:
    """What clocks show."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None)


def shown_twice(zone: str, at: int) -> bool:
    moment = datetime.fromtimestamp(at, ZoneInfo(zone))
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def windows_of(hours: dict[str, Any], day: date) -> Iterable[dict[str, Any]]:
    for exception in hours["exceptions"]:
        if exception["date"] == day.isoformat():
            windows: list[dict[str, Any]] = exception["windows"]
            return windows
    if day.isoformat() in hours["holidays"]:
        holidays: list[dict[str, Any]] = hours["on_holidays"]
        return holidays
    return [window for window in hours["weekly"] if day.strftime("%a").lower() in window["days"]]


def clock(day: date, time: str) -> datetime:
    hour, minute = map(int, time.split(":"))
    return datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minute)  # noqa: DTZ001


def open_on(hours: dict[str, Any], zone: str, at: int) -> bool:
    """By the clock alone. Shown twice: from the first time that clocks show the begin until the last time they show the end."""
    shown = wall(zone, at)
    for back in (-1, 0, 1, 2):
        day = shown.date() - timedelta(days=back)
        for window in windows_of(hours, day):
            begin, end = clock(day, window["from"]), clock(day, window["until"])
            end += timedelta(days=1 if end <= begin else 0)
            if not shown_twice(zone, at):
                if begin <= shown < end:
                    return True
            elif any(wall(zone, at - minutes * 60) >= begin for minutes in range(200)) and any(
                wall(zone, (at // 60 + 1 + minutes) * 60) <= end for minutes in range(200)
            ):
                return True
    return False


@given(instants(), weekly, st.data(), st.integers(0, 35))
@settings(max_examples=400, deadline=None)
def test_a_schedule_is_open_when_the_clock_on_the_wall_says_so(
    instant: tuple[str, int], weekly: list[dict[str, Any]], data: st.DataObject, ahead: int
) -> None:
    zone, at = instant
    dates = st.integers(-2, 2).map(lambda days: (wall(zone, at).date() + timedelta(days=days)).isoformat())
    exceptions = st.lists(
        st.fixed_dictionaries({"date": dates, "windows": st.lists(spans, max_size=2)}),
        max_size=2,
        unique_by=lambda exception: exception["date"],
    )
    hours = {
        "weekly": weekly,
        "holidays": data.draw(st.lists(dates, max_size=2)),
        "on_holidays": data.draw(st.lists(spans, max_size=2)),
        "exceptions": data.draw(exceptions),
    }
    windows = calendar.windows(json.dumps(hours), zone, (at - ahead * DAY) * SECOND)
    assert any(start <= at * SECOND < end for start, end in windows) == open_on(hours, zone, at)
    assert all(start < end for start, end in windows)
    assert all(first[1] < second[0] for first, second in pairwise(windows))


@given(instants(), weekly, st.integers(0, 7200))
@settings(max_examples=100, deadline=None)
def test_early_is_open_when_it_is_open_or_will_be_in_time(
    instant: tuple[str, int], weekly: list[dict[str, Any]], early_s: int
) -> None:
    zone, at = instant
    early = calendar.windows(json.dumps({"weekly": weekly, "early_s": early_s}), zone, at * SECOND)
    plain = calendar.windows(json.dumps({"weekly": weekly}), zone, at * SECOND)
    assert any(start <= at * SECOND < end for start, end in early) == any(
        start <= (at + early_s) * SECOND and at * SECOND < end for start, end in plain
    )


@given(instants(), clock_times)
@settings(max_examples=200, deadline=None)
def test_the_last_reset_is_what_a_look_back_at_the_clock_finds(instant: tuple[str, int], resets_at: str) -> None:
    zone, at = instant
    minute = at // 60 * 60
    found = next(each for each in range(minute, minute - 3 * DAY, -60) if _resets(zone, each, resets_at))
    assert calendar.last_reset(resets_at, zone, at * SECOND) == found * SECOND


def _resets(zone: str, minute: int, resets_at: str) -> bool:
    """Whether clocks show it in that minute for the first time, or have just jumped over it."""
    before, shown = wall(zone, minute - 60), wall(zone, minute)
    if shown - before > timedelta(minutes=1):
        over = before + timedelta(minutes=1)
        return any(
            over <= clock(day, resets_at) < shown or clock(day, resets_at) == shown
            for day in (over.date(), shown.date())
        )
    again = datetime.fromtimestamp(minute, ZoneInfo(zone)).fold == 1
    return shown.strftime("%H:%M") == resets_at and not again
