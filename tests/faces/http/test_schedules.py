"""`/v1/schedules`."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.service import Service

EMPTY: dict[str, Any] = {"weekly": [], "holidays": [], "on_holidays": [], "exceptions": [], "early_s": 0}
HOURS: dict[str, Any] = {
    "weekly": [
        {"days": ["mon", "tue"], "from": "08:00", "until": "18:00"},
        {"days": ["sat"], "from": "22:00", "until": "06:00"},
        {"days": ["sun"], "from": "00:00", "until": "24:00"},
    ],
    "holidays": ["2026-12-25", "2000-01-01", "2200-12-31", "2028-02-29"],
    "on_holidays": [{"from": "10:00", "until": "12:00"}],
    "exceptions": [
        {"date": "2026-12-24", "windows": [{"from": "08:00", "until": "12:00"}, {"from": "23:59", "until": "00:00"}]},
        {"date": "2026-12-31", "windows": []},
    ],
    "early_s": 600,
}


async def test_a_schedule_is_given_back_as_it_was_made(service: Service) -> None:
    made = await service.create("/v1/schedules", id="office", name="Office hours", **HOURS)
    assert (await service.call("GET", "/v1/schedules/office")).json() == made
    assert (await service.call("GET", "/v1/schedules")).json() == {"items": [made], "next": None}
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {"id": "office", "name": "Office hours", **HOURS}


async def test_only_a_schedules_name_is_needed(service: Service) -> None:
    made = await service.create("/v1/schedules", name="Never")
    assert shown_id("schedule").fullmatch(made["id"])
    assert TIME.fullmatch(made["created_at"])
    assert made == {"id": made["id"], "name": "Never", **EMPTY, "created_at": made["created_at"]}


async def test_an_id_is_taken_once(service: Service) -> None:
    await service.create("/v1/schedules", id="office", name="A")
    answer = await service.call("POST", "/v1/schedules", json={"id": "office", "name": "B"})
    assert_problem(answer, 409, "schedule_exists")


async def test_a_change_sets_what_it_names_and_leaves_the_rest(service: Service) -> None:
    made = await service.create("/v1/schedules", id="office", name="Office hours", **HOURS)
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"name": "Opening hours"},
        {"holidays": []},
        {"weekly": [{"days": ["fri"], "from": "09:00", "until": "09:00"}], "early_s": 0},
        {"exceptions": [], "on_holidays": []},
    )
    for change in changes:
        answer = await service.call("PATCH", "/v1/schedules/office", json=change)
        made |= change
        assert (answer.status_code, answer.json()) == (200, made)
        assert (await service.call("GET", "/v1/schedules/office")).json() == made


async def test_a_schedule_goes_unless_a_pass_names_it(service: Service) -> None:
    for id_ in ("office", "night"):
        await service.create("/v1/schedules", id=id_, name=id_)
    pass_ = await service.pass_(schedule="office")
    assert_problem(await service.call("DELETE", "/v1/schedules/office"), 409, "schedule_in_use")
    assert (await service.call("GET", "/v1/schedules/office")).status_code == 200
    changed = await service.call("PATCH", f"/v1/passes/{pass_['id']}", json={"schedule": "night"})
    assert changed.json()["schedule"] == "night"
    deleted = await service.call("DELETE", "/v1/schedules/office")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert_problem(await service.call(method, "/v1/schedules/office"), 404)
    assert_problem(await service.call("PATCH", "/v1/schedules/office", json={"name": "B"}), 404)
    assert_problem(await service.call("DELETE", "/v1/schedules/night"), 409, "schedule_in_use")


async def test_schedules_are_listed_by_id(service: Service) -> None:
    for id_ in ("b", "c", "a"):
        await service.create("/v1/schedules", id=id_, name="A schedule")
    listed = (await service.call("GET", "/v1/schedules?limit=2")).json()
    assert [schedule["id"] for schedule in listed["items"]] == ["a", "b"]
    rest = (await service.call("GET", f"/v1/schedules?cursor={listed['next']}")).json()
    assert [schedule["id"] for schedule in rest["items"]] == ["c"]


@pytest.mark.parametrize("id_", ["nowhere", "-", "%20", "a" * 65])
async def test_a_schedule_that_is_not_there_is_not_found(still_service: Service, id_: str) -> None:
    assert_problem(await still_service.call("GET", f"/v1/schedules/{id_}"), 404)


async def refused(service: Service, hours: dict[str, Any], field: str) -> None:
    """The hours are refused, at that place, and what was sent is not repeated."""
    for method, path in (("POST", "/v1/schedules"), ("PATCH", "/v1/schedules/office")):
        answer = await service.call(method, path, json={"name": "A schedule", **hours})
        problem = assert_problem(answer, 422)
        assert {error["field"] for error in problem["errors"]} == {field}
        assert "zebra" not in answer.text


@pytest.mark.parametrize(
    "time",
    [
        *(
            "",
            "8:00",
            "08:60",
            "24:01",
            "25:00",
            "zebra",
            "08:00:00",
            "08:00Z",
            " 08:00",
            "08:00\n",
            "08-00",
            "\uff10\uff18:00",
        ),
        *("-1:00", None, 8, 800, True, [], {}),
    ],
    ids=repr,
)
async def test_a_time_is_two_digits_a_colon_and_two_digits(still_service: Service, time: Any) -> None:
    await refused(still_service, {"on_holidays": [{"from": time, "until": "18:00"}]}, "on_holidays.0.from")
    await refused(still_service, {"on_holidays": [{"from": "08:00", "until": time}]}, "on_holidays.0.until")


async def test_a_window_may_end_but_not_begin_at_24(still_service: Service) -> None:
    await still_service.create("/v1/schedules", name="A", on_holidays=[{"from": "00:00", "until": "24:00"}])
    await refused(still_service, {"on_holidays": [{"from": "24:00", "until": "01:00"}]}, "on_holidays.0.from")


@pytest.mark.parametrize(
    "day",
    [
        *(
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "20260101",
            "2026-W01-1",
            "1999-12-31",
            "2201-01-01",
        ),
        *("zebra", "2026-01-01T00:00:00Z", "2026-01-01 ", "2026-01-01\n", "\uff12026-01-01", None, 20260101, 1.5),
    ],
    ids=repr,
)
async def test_a_date_is_a_real_one_from_2000_to_2200(still_service: Service, day: Any) -> None:
    await refused(still_service, {"holidays": ["2026-12-25", day]}, "holidays.1")
    await refused(still_service, {"exceptions": [{"date": day, "windows": []}]}, "exceptions.0.date")


@pytest.mark.parametrize(
    ("days", "place"),
    [([], ""), (["mon", "mon"], ""), (["Mon"], ".0"), (["mon", "zebra"], ".1"), ([1], ".0"), ("mon", "")],
)
async def test_days_are_named_once_each(still_service: Service, days: Any, place: str) -> None:
    window = {"days": days, "from": "08:00", "until": "18:00"}
    await refused(still_service, {"weekly": [window]}, f"weekly.0.days{place}")


@pytest.mark.parametrize("seconds", [-1, 7201, 1.5, "zebra", True, None])
async def test_early_is_two_hours_at_most(still_service: Service, seconds: Any) -> None:
    await refused(still_service, {"early_s": seconds}, "early_s")


async def test_no_date_has_two_exceptions(still_service: Service) -> None:
    twice = [{"date": "2026-12-24", "windows": []}, {"date": "2026-12-24", "windows": []}]
    await refused(still_service, {"exceptions": twice}, "exceptions")


async def test_there_may_be_so_many_and_no_more(still_service: Service) -> None:
    window = {"from": "08:00", "until": "18:00"}
    day = {"days": ["mon"], **window}
    dates = [(date(2026, 1, 1) + timedelta(days=days)).isoformat() for days in range(401)]
    most: dict[str, Any] = {
        "weekly": [day] * 50,
        "holidays": dates[:400],
        "on_holidays": [window] * 10,
        "exceptions": [{"date": each, "windows": [window]} for each in dates[:400]],
    }
    made = await still_service.create("/v1/schedules", name="A", **most)
    assert {name: made[name] for name in most} == most
    await refused(still_service, {"weekly": [day] * 51}, "weekly")
    await refused(still_service, {"holidays": dates}, "holidays")
    await refused(still_service, {"on_holidays": [window] * 11}, "on_holidays")
    await refused(still_service, {"exceptions": [{"date": each, "windows": []} for each in dates]}, "exceptions")
    crowded = [{"date": "2026-12-24", "windows": [window] * 11}]
    await refused(still_service, {"exceptions": crowded}, "exceptions.0.windows")


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({"weekly": [{"days": ["mon"], "from": "08:00"}]}, "weekly.0.until"),
        ({"weekly": [{"from": "08:00", "until": "18:00"}]}, "weekly.0.days"),
        ({"weekly": [{"days": ["mon"], "from": "08:00", "until": "18:00", "zebra": 1}]}, "weekly.0"),
        ({"on_holidays": [{"days": ["mon"], "from": "08:00", "until": "18:00"}]}, "on_holidays.0"),
        ({"on_holidays": [{"from_": "08:00", "from": "08:00", "until": "18:00"}]}, "on_holidays.0"),
        ({"exceptions": [{"date": "2026-12-24"}]}, "exceptions.0.windows"),
        ({"weekly": None}, "weekly"),
        ({"holidays": None}, "holidays"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"hours": "{}"}, ""),
    ],
    ids=str,
)
async def test_hours_that_cannot_be_are_refused(still_service: Service, hours: dict[str, Any], field: str) -> None:
    await refused(still_service, hours, field)


async def test_what_a_schedule_is_called_by_stays(still_service: Service) -> None:
    answer = await still_service.call("PATCH", "/v1/schedules/office", json={"id": "night"})
    assert_problem(answer, 422, field="")
