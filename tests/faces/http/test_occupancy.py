"""`/v1/zones/{id}/occupancy`, and taking holders to be outside."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.model import SECOND
from app.services.purge import purge
from tests.faces.http.answers import TIME, assert_problem
from tests.faces.http.presences import enter, inside
from tests.service import Service

HOUR = 3600 * SECOND


async def occupancy(service: Service, zone: str = "hall") -> dict[str, Any]:
    answer = await service.call("GET", f"/v1/zones/{zone}/occupancy")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def correct(service: Service, people: int, zone: str = "hall") -> dict[str, Any]:
    body = {"people": people, "reason": "counted at 14:00"}
    answer = await service.call("POST", f"/v1/zones/{zone}/occupancy", json=body)
    assert answer.status_code == 200, answer.text
    corrected: dict[str, Any] = answer.json()
    return corrected


def wall(at: int) -> str:
    """The time in UTC, like 04:00."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%H:%M")


async def test_a_zone_that_is_counted_begins_empty(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall", capacity=500)
    found = await occupancy(service)
    assert TIME.fullmatch(found.pop("at"))
    assert found == {"zone": "hall", "people": 0, "capacity": 500, "counted": True, "reset_at": None}


async def test_a_zone_that_is_not_counted_says_so(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall")
    found = await occupancy(service)
    assert (found["counted"], found["people"], found["capacity"]) == (False, 0, None)
    answer = await service.call("POST", "/v1/zones/hall/occupancy", json={"people": 1, "reason": "x"})
    assert_problem(answer, 409, "not_counted")


async def test_the_count_is_corrected_by_hand_and_kept_with_its_reason(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall", counted=True)
    assert (await correct(service, 42))["people"] == 42
    corrected = await correct(service, 40)
    found = await occupancy(service)
    assert {**found, "at": ""} == {**corrected, "at": ""}
    assert (found["zone"], found["people"]) == ("hall", 40)
    events = (await service.call("GET", "/v1/audit-events")).json()["items"]
    assert [(each["before"], each["after"]) for each in events] == [(42, 40), (0, 42)]
    assert {(each["action"], each["zone"], each["reason"]) for each in events} == {
        ("occupancy_corrected", "hall", "counted at 14:00")
    }


async def test_of_corrections_at_once_each_follows_another(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall", counted=True)
    await asyncio.gather(*(correct(service, people) for people in range(1, 7)))
    events = (await service.call("GET", "/v1/audit-events")).json()["items"]
    followed = {each["before"]: each["after"] for each in events}
    chain = [0]
    while chain[-1] in followed:
        chain.append(followed[chain[-1]])
    assert len(chain) == 7
    assert (await occupancy(service))["people"] == chain[-1]


@pytest.mark.parametrize("people", [-1, 1_000_001, 1.0, "1", True, None])
async def test_a_count_is_a_whole_number_of_people(still_service: Service, people: Any) -> None:
    answer = await still_service.call("POST", "/v1/zones/hall/occupancy", json={"people": people, "reason": "x"})
    assert_problem(answer, 422, field="people")


@pytest.mark.parametrize("reason", ["", "a" * 501, None, 1, "a\nb"])
async def test_a_correction_needs_a_reason(still_service: Service, reason: Any) -> None:
    answer = await still_service.call("POST", "/v1/zones/hall/occupancy", json={"people": 1, "reason": reason})
    assert_problem(answer, 422, field="reason")


async def test_a_zone_that_is_not_there_has_no_occupancy(service: Service) -> None:
    body = {"people": 1, "reason": "x"}
    for id_ in ("hall", "-", "%00"):
        assert_problem(await service.call("GET", f"/v1/zones/{id_}/occupancy"), 404)
        assert_problem(await service.call("POST", f"/v1/zones/{id_}/occupancy", json=body), 404)


async def test_a_zone_is_empty_after_its_nightly_reset(service: Service) -> None:
    resets_at = wall(service.clock.now() + 2 * HOUR)
    await service.create("/v1/zones", id="hall", name="Hall", counted=True, resets_at=resets_at)
    await correct(service, 42)
    found = await occupancy(service)
    assert found["people"] == 42
    first = datetime.fromisoformat(found["reset_at"])
    assert first.strftime("%H:%M") == resets_at
    service.clock.advance(2 * 3600)
    found = await occupancy(service)
    assert found["people"] == 0
    assert (datetime.fromisoformat(found["reset_at"]) - first).days == 1
    await correct(service, 3)
    (event, _) = (await service.call("GET", "/v1/audit-events")).json()["items"]
    assert (event["before"], event["after"]) == (0, 3)
    assert (await occupancy(service))["people"] == 3


async def test_a_reset_is_by_the_clocks_at_the_zone(service: Service) -> None:
    await service.create("/v1/zones", id="site", name="Site", time_zone="Asia/Kolkata")
    await service.create("/v1/zones", id="hall", name="Hall", within="site", counted=True, resets_at="04:00")
    assert (await occupancy(service))["reset_at"][10:] == "T22:30:00Z"
    await service.call("PATCH", "/v1/zones/site", json={"time_zone": "Asia/Tokyo"})
    assert (await occupancy(service))["reset_at"][10:] == "T19:00:00Z"
    await service.call("PATCH", "/v1/zones/site", json={"time_zone": None})
    assert (await occupancy(service))["reset_at"][10:] == "T04:00:00Z"


async def reset(service: Service, holder: dict[str, Any]) -> None:
    answer = await service.call(
        "POST", f"/v1/holders/{holder['id']}/reset-anti-passback", json={"reason": "left by the back door"}
    )
    assert (answer.status_code, answer.json()) == (200, holder)


async def test_a_reset_takes_a_holder_to_be_outside_everywhere(service: Service) -> None:
    await service.create("/v1/zones", id="site", name="Site", anti_passback="hard")
    await service.create("/v1/zones", id="hall", name="Hall", within="site", counted=True)
    await service.create("/v1/zones", id="annex", name="Annex", counted=True)
    ada, bob = [await service.create("/v1/holders", ref=ref) for ref in ("ada", "bob")]
    await enter(service, ada["id"], "site", "hall", people=3)
    await enter(service, ada["id"], "annex")
    await enter(service, bob["id"], "site", "hall")
    await reset(service, ada)
    assert await inside(service, ada["id"]) == {"site": 0, "hall": 0, "annex": 0}
    assert await inside(service, bob["id"]) == {"site": 1, "hall": 1}
    assert [(await occupancy(service, zone))["people"] for zone in ("site", "hall", "annex")] == [1, 1, 0]
    (event,) = (await service.call("GET", "/v1/audit-events")).json()["items"]
    assert (event["action"], event["holder"], event["reason"]) == (
        "anti_passback_reset",
        "ada",
        "left by the back door",
    )
    assert (event["before"], event["after"], event["zone"], event["subject"]) == (7, 0, None, None)
    await reset(service, ada)
    assert [(await occupancy(service, zone))["people"] for zone in ("site", "hall", "annex")] == [1, 1, 0]
    (event, _) = (await service.call("GET", "/v1/audit-events")).json()["items"]
    assert (event["before"], event["after"]) == (0, 0)


async def test_a_reset_never_counts_below_nobody(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall", counted=True)
    ada = await service.create("/v1/holders", ref="ada")
    await enter(service, ada["id"], "hall", people=3)
    await correct(service, 1)
    await reset(service, ada)
    assert (await occupancy(service))["people"] == 0


async def test_a_reset_takes_nobody_off_the_count_who_came_before_the_night(service: Service) -> None:
    resets_at = wall(service.clock.now() + 2 * HOUR)
    await service.create("/v1/zones", id="hall", name="Hall", counted=True, resets_at=resets_at)
    ada = await service.create("/v1/holders", ref="ada")
    await enter(service, ada["id"], "hall")
    service.clock.advance(2 * 3600)
    await correct(service, 5)
    await reset(service, ada)
    assert (await occupancy(service))["people"] == 5
    assert await inside(service, ada["id"]) == {"hall": 0}


async def test_a_reset_needs_a_holder_and_a_reason(service: Service) -> None:
    ada = await service.create("/v1/holders", ref="ada")
    for body in ({}, {"reason": ""}, {"reason": None}):
        answer = await service.call("POST", f"/v1/holders/{ada['id']}/reset-anti-passback", json=body)
        assert_problem(answer, 422, field="reason")
    for id_ in ("hold_0000000000000000000000", "ada"):
        answer = await service.call("POST", f"/v1/holders/{id_}/reset-anti-passback", json={"reason": "x"})
        assert_problem(answer, 404)
    assert (await service.call("GET", "/v1/audit-events")).json()["items"] == []


async def test_of_resets_at_once_each_is_taken_off(service: Service) -> None:
    await service.create("/v1/zones", id="hall", name="Hall", counted=True)
    holders = [await service.create("/v1/holders", ref=f"emp-{n}") for n in range(6)]
    for holder in holders:
        await enter(service, holder["id"], "hall")
    await asyncio.gather(*(reset(service, holder) for holder in holders[1:]))
    assert (await occupancy(service))["people"] == 1


async def test_where_somebody_was_is_forgotten_a_day_after_they_left(lone_service: Service) -> None:
    service = lone_service
    for zone in ("hall", "annex"):
        await service.create("/v1/zones", id=zone, name=zone, counted=True)
    ada, bob = [await service.create("/v1/holders", ref=ref) for ref in ("ada", "bob")]
    await enter(service, ada["id"], "hall", "annex")
    await enter(service, bob["id"], "hall")
    await reset(service, ada)
    await purge(service.context)
    assert await inside(service, ada["id"]) == {"hall": 0, "annex": 0}
    service.clock.advance(86_400)
    await purge(service.context)
    assert await inside(service, ada["id"]) == {}
    assert await inside(service, bob["id"]) == {"hall": 1}


async def test_another_tenants_zone_of_the_same_name_is_another(service: Service) -> None:
    other = await service.tenant(f"{service.key[-12:].lower()}-occupancy")
    for each in (service, other):
        await each.create("/v1/zones", id="hall", name="Hall", counted=True)
    await correct(service, 42)
    assert (await occupancy(other))["people"] == 0
    assert (await other.call("GET", "/v1/audit-events")).json()["items"] == []
