"""Limits of passes, as they are made and changed. What they refuse at the gate is tested with the rules."""

import ast
import json
from typing import Any
from unittest.mock import ANY

import pytest

from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import stored
from tests.service import Service

LIMITS: dict[str, Any] = {
    "schedule": "office",
    "max_entries_per_day": 2,
    "min_interval_s": 3600,
    "party_size": 5,
    "zone_limits": [
        {"zone": "canteen", "max_entries": 10, "max_entries_per_day": 1},
        {"zone": "pool", "max_entries": 3, "max_entries_per_day": None},
    ],
}
NONE: dict[str, Any] = {
    "schedule": None,
    "max_entries_per_day": None,
    "min_interval_s": None,
    "party_size": 1,
    "zone_limits": [],
}


async def site(service: Service) -> None:
    """A schedule, and the zones canteen and pool, in a house; gates lead into them by their names."""
    await service.create("/v1/schedules", id="office", name="Office hours")
    await service.create("/v1/zones", id="house", name="House")
    for zone in ("canteen", "pool"):
        await service.create("/v1/zones", id=zone, name=zone, within="house")
        await service.gate(zone, from_zone="house", into_zone=zone)
    await service.gate("main-door", into_zone="house")
    await service.gate("canteen-door", into_zone="canteen")
    await service.gate("yard")


async def enter(service: Service, pass_: dict[str, Any], *gates: str) -> list[str]:
    """Go in by these gates, with a token each. The ids of the verifications."""
    made = []
    for gate in gates:
        answer = await service.verify((await service.token(pass_))["token"], gate)
        assert answer["decision"] == "admit"
        made.append(answer["id"])
    return made


async def change(service: Service, pass_: dict[str, Any], **wish: Any) -> dict[str, Any]:
    answer = await service.call("PATCH", f"/v1/passes/{pass_['id']}", json=wish)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def counts(service: Service) -> dict[str, tuple[int, int]]:
    """What is counted on the tenant's one limited pass: people in all and on the day of the latest entry, by zone."""
    texts = [ast.literal_eval(row)[-2] for row in stored(service)["passes"]]
    rows = [item for text in texts if text is not None for item in json.loads(text).items()]
    return {zone: (total, on_day) for zone, (total, _, on_day, _) in rows}


async def test_limits_are_given_back_as_they_were_made(service: Service) -> None:
    await site(service)
    made = await service.pass_(**LIMITS)
    assert {name: made[name] for name in LIMITS} == LIMITS
    assert (await service.call("GET", f"/v1/passes/{made['id']}")).json() == made
    assert (await service.call("GET", "/v1/passes")).json()["items"] == [made]


async def test_a_pass_has_no_limits_unless_it_is_said(service: Service) -> None:
    made = await service.pass_()
    assert {name: made[name] for name in NONE} == NONE
    assert await service.pass_(**NONE) == {**made, "id": ANY, "created_at": ANY}
    assert all(ast.literal_eval(row)[-3:-1] == (None, None) for row in stored(service)["passes"])


async def test_a_change_sets_the_limits_that_it_names_and_null_takes_one_away(service: Service) -> None:
    await site(service)
    made = await service.pass_()
    for name, value in LIMITS.items():
        made[name] = value
        assert await change(service, made, **{name: value}) == made
    assert await change(service, made) == made
    for name, value in NONE.items():
        made[name] = value
        assert await change(service, made, **{name: value}) == made
    assert all(ast.literal_eval(row)[-3:-1] == (None, None) for row in stored(service)["passes"])


async def test_zone_limits_take_the_place_of_those_there_were(service: Service) -> None:
    await site(service)
    made = await service.pass_(**LIMITS)
    limits = [{"zone": "house", "max_entries": None, "max_entries_per_day": 4}]
    assert (await change(service, made, zone_limits=limits))["zone_limits"] == limits


async def test_what_a_limit_names_has_to_be_there(service: Service) -> None:
    made = await service.pass_()
    for wish in ({"schedule": "nowhere"}, {"zone_limits": [{"zone": "nowhere", "max_entries": 1}]}):
        assert_problem(await service.call("POST", "/v1/passes", json={"holder": "b", "gates": "all", **wish}), 404)
        assert_problem(await service.call("PATCH", f"/v1/passes/{made['id']}", json=wish), 404)
    assert len((await service.call("GET", "/v1/holders")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("schedule", ("", "a b", 1, True, [])),
        ("max_entries_per_day", (0, -1, 1_000_000_001, 1.5, "1", True)),
        ("min_interval_s", (0, -1, 31_536_001, 1.5, "1", True)),
        ("party_size", (0, -1, 1001, 1.5, "1", True, None)),
        ("zone_limits", (None, {}, "house", [{"zone": "house", "max_entries": 1}] * 2)),
        ("zone_limits", ([{"zone": f"zone-{number}", "max_entries": 1} for number in range(21)],)),
        ("zone_limits.0", ([{"zone": "house"}], [{"zone": "house", "max_entries": None}], [1])),
        ("zone_limits.0", ([{"zone": "house", "max_entries": 1, "color": "red"}],)),
        (
            "zone_limits.0.zone",
            ([{"max_entries": 1}], [{"zone": "", "max_entries": 1}], [{"zone": 1, "max_entries": 1}]),
        ),
        ("zone_limits.0.max_entries", ([{"zone": "house", "max_entries": 0}], [{"zone": "house", "max_entries": "1"}])),
        ("zone_limits.0.max_entries_per_day", ([{"zone": "house", "max_entries_per_day": 1_000_000_001}],)),
    ],
)
async def test_limits_that_cannot_be_are_refused(still_service: Service, name: str, values: tuple[Any, ...]) -> None:
    made = await still_service.pass_()
    for value in values:
        wish = {name.partition(".")[0]: value}
        for method, path, body in (
            ("POST", "/v1/passes", {"holder": "b", "gates": "all", **wish}),
            ("PATCH", f"/v1/passes/{made['id']}", wish),
        ):
            assert_problem(await still_service.call(method, path, json=body), 422, field=name)


@pytest.mark.parametrize(
    ("name", "value"),
    [("party_size", 1000), ("min_interval_s", 31_536_000), ("max_entries_per_day", 1_000_000_000)],
)
async def test_a_limit_may_be_so_large(still_service: Service, name: str, value: int) -> None:
    assert (await still_service.pass_(**{name: value}))[name] == value


async def test_a_new_limit_counts_the_entries_that_there_were(service: Service) -> None:
    await site(service)
    pass_ = await service.pass_()
    await enter(service, pass_, "main-door", "canteen", "yard")
    service.clock.advance(2 * 86_400)
    await enter(service, pass_, "canteen-door", "main-door")
    assert counts(service) == {}
    await change(service, pass_, max_entries_per_day=10)
    assert counts(service) == {"": (5, 2)}
    await change(service, pass_, zone_limits=[{"zone": "house", "max_entries": 10}])
    assert counts(service) == {"": (5, 2), "house": (3, 2)}
    await change(
        service, pass_, zone_limits=[{"zone": "canteen", "max_entries": 9}, {"zone": "pool", "max_entries": 9}]
    )
    assert counts(service) == {"": (5, 2), "house": (3, 2), "canteen": (2, 1)}


async def test_a_limit_that_is_taken_away_and_set_again_has_missed_nothing(service: Service) -> None:
    await site(service)
    limits = [{"zone": "house", "max_entries": 10}]
    pass_ = await service.pass_(zone_limits=limits, min_interval_s=1)
    await enter(service, pass_, "main-door")
    assert counts(service) == {"": (1, 1), "house": (1, 1)}
    await change(service, pass_, zone_limits=[], min_interval_s=None)
    await enter(service, pass_, "main-door")
    await change(service, pass_, zone_limits=limits, max_entries_per_day=10)
    assert counts(service) == {"": (2, 2), "house": (2, 2)}


async def test_a_day_is_one_where_the_gate_is(service: Service) -> None:
    for zone, time_zone in (("kiritimati", "Pacific/Kiritimati"), ("niue", "Pacific/Niue")):
        await service.create("/v1/zones", id=zone, name=zone, time_zone=time_zone)
        await service.gate(zone, into_zone=zone)
    pass_ = await service.pass_()
    await enter(service, pass_, "niue", "kiritimati")
    await change(service, pass_, max_entries_per_day=10)
    assert counts(service) == {"": (2, 1)}


async def test_an_entry_by_a_gate_that_is_gone_counts_for_no_zone(service: Service) -> None:
    await site(service)
    pass_ = await service.pass_()
    await enter(service, pass_, "main-door", "yard")
    await service.call("DELETE", "/v1/gates/main-door")
    await change(service, pass_, max_entries_per_day=10, zone_limits=[{"zone": "house", "max_entries": 10}])
    assert counts(service) == {"": (2, 2)}


async def test_a_refusal_an_exit_and_what_was_taken_back_are_no_entries(service: Service) -> None:
    await service.gate()
    await service.gate("way-out", direction="exit")
    pass_ = await service.pass_()
    token = (await service.token(pass_))["token"]
    for _ in range(2):
        await service.verify(token)
    await service.verify(token, "way-out")
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 1
    (undone,) = await enter(service, pass_, "main-door")
    answer = await service.call("POST", f"/v1/verifications/{undone}/undo")
    assert answer.status_code == 200, answer.text
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 1
    await change(service, pass_, max_entries_per_day=10)
    assert counts(service) == {"": (1, 1)}


async def test_entries_are_of_people(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(party_size=3)
    await service.verify((await service.token(pass_))["token"], people=3)
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 3
    assert (await change(service, pass_, max_entries=5, max_entries_per_day=5))["entries"] == 3
    assert counts(service) == {"": (3, 3)}
