"""`/v1/zones`."""

import pytest

from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.service import Service


async def test_a_zone_is_given_back_as_it_was_made(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="Headquarters")
    made = await service.create("/v1/zones", id="lab", name="Lab", within="hq", time_zone="Asia/Shanghai")
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {"id": "lab", "name": "Lab", "within": "hq", "time_zone": "Asia/Shanghai"}
    again = (await service.call("GET", "/v1/zones/lab")).json()
    assert TIME.fullmatch(again.pop("created_at"))
    assert again == made


async def test_a_zone_without_an_id_gets_one(service: Service) -> None:
    made = await service.create("/v1/zones", name="Headquarters")
    assert shown_id("zone").fullmatch(made["id"])
    assert (made["within"], made["time_zone"]) == (None, None)
    inner = await service.create("/v1/zones", name="Lab", within=made["id"])
    assert inner["within"] == made["id"]
    assert (await service.call("GET", f"/v1/zones/{made['id']}")).json() == made


async def test_zones_are_listed_by_id(service: Service) -> None:
    for id_ in ("b", "c", "a"):
        await service.create("/v1/zones", id=id_, name="A zone")
    listed = (await service.call("GET", "/v1/zones")).json()
    assert set(listed) == {"items", "next"}
    assert [zone["id"] for zone in listed["items"]] == ["a", "b", "c"]
    assert listed["items"][0] == (await service.call("GET", "/v1/zones/a")).json()


async def test_an_id_is_taken_once(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="Headquarters")
    assert_problem(await service.call("POST", "/v1/zones", json={"id": "hq", "name": "B"}), 409, "zone_exists")
    assert (await service.call("GET", "/v1/zones/hq")).json()["name"] == "Headquarters"


async def test_the_zone_around_has_to_be_there(service: Service) -> None:
    assert_problem(await service.call("POST", "/v1/zones", json={"name": "Lab", "within": "hq"}), 404)
    assert_problem(await service.call("POST", "/v1/zones", json={"id": "x", "name": "Lab", "within": "x"}), 404)


@pytest.mark.parametrize("path", ["/v1/zones/nowhere", "/v1/zones/-", "/v1/zones/%20", "/v1/zones/" + "a" * 65])
async def test_a_zone_that_is_not_there_is_not_found(still_service: Service, path: str) -> None:
    assert_problem(await still_service.call("GET", path), 404)


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/Berlin ", "é", "zone.tab", "a" * 200]
)
async def test_a_time_zone_is_one_that_exists(still_service: Service, name: str) -> None:
    answer = await still_service.call("POST", "/v1/zones", json={"name": "A zone", "time_zone": name})
    assert_problem(answer, 422, field="time_zone")


@pytest.mark.parametrize("id_", ["a", "0", "main-door_2", "a" * 64])
async def test_a_callers_own_id_may_be(still_service: Service, id_: str) -> None:
    assert (await still_service.create("/v1/zones", id=id_, name="A zone"))["id"] == id_
    assert (await still_service.call("GET", f"/v1/zones/{id_}")).status_code == 200


@pytest.mark.parametrize("id_", ["", "A", "-a", "_a", "a b", "a/b", "a.b", "é", "a\n", "a" * 65])
async def test_a_callers_own_id_may_not_be(still_service: Service, id_: str) -> None:
    answer = await still_service.call("POST", "/v1/zones", json={"id": id_, "name": "A zone"})
    assert_problem(answer, 422, field="id")
