"""`/v1/zones`."""

import asyncio
from typing import Any

import pytest

from app.storage.records import ZoneRecord
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.faces.http.presences import enter, inside, tenant_of
from tests.service import Service

PLAIN = {
    "within": None, "time_zone": None, "counted": False, "capacity": None, "anti_passback": "off",
    "forgive_after_s": None, "resets_at": None,
}  # fmt: skip


async def change(service: Service, zone: str = "hall", **values: Any) -> dict[str, Any]:
    answer = await service.call("PATCH", f"/v1/zones/{zone}", json=values)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


async def record(service: Service, zone: str) -> ZoneRecord:
    """The zone as it is stored."""
    tenant = await tenant_of(service)
    found = await service.context.store.read(lambda tx: tx.zones.get(tenant, zone))
    assert found is not None
    return found


async def test_a_zone_is_given_back_as_it_was_made(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="Headquarters")
    made = await service.create("/v1/zones", id="lab", name="Lab", within="hq", time_zone="Asia/Shanghai")
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {**PLAIN, "id": "lab", "name": "Lab", "within": "hq", "time_zone": "Asia/Shanghai"}
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


async def test_what_is_set_of_a_zone_is_given_back(service: Service) -> None:
    wish = {
        "counted": True, "capacity": 500, "anti_passback": "soft", "forgive_after_s": 3600, "resets_at": "04:00",
    }  # fmt: skip
    made = await service.create("/v1/zones", id="hall", name="Hall", **wish)
    assert (await service.call("GET", "/v1/zones/hall")).json() == made
    assert {**made, "created_at": ""} == {**PLAIN, "id": "hall", "name": "Hall", "created_at": "", **wish}


async def test_a_change_sets_what_it_names_and_leaves_the_rest(service: Service) -> None:
    made = await service.create("/v1/zones", id="hall", name="Hall", time_zone="Europe/Berlin", counted=True)
    assert await change(service) == made
    wish: dict[str, Any] = {
        "name": "Great hall",
        "capacity": 5,
        "anti_passback": "hard",
        "forgive_after_s": 60,
        "resets_at": "23:59",
    }
    changed = await change(service, **wish)
    assert changed == {**made, **wish}
    assert await change(service, time_zone="Asia/Tokyo") == {**changed, "time_zone": "Asia/Tokyo"}
    nothing: dict[str, Any] = {"time_zone": None, "capacity": None, "forgive_after_s": None, "resets_at": None}
    cleared = await change(service, **nothing, anti_passback="off", counted=False)
    assert cleared == {**made, **nothing, "name": "Great hall", "counted": False}
    assert (await service.call("GET", "/v1/zones/hall")).json() == cleared


@pytest.mark.parametrize("limit", [{"capacity": 1}, {"anti_passback": "soft"}, {"anti_passback": "hard"}], ids=str)
async def test_a_zone_with_a_limit_is_counted(service: Service, limit: dict[str, Any]) -> None:
    made = await service.create("/v1/zones", id="a", name="A", **limit)
    assert made["counted"] is True
    answer = await service.call("POST", "/v1/zones", json={"name": "B", "counted": False, **limit})
    assert_problem(answer, 422, field="counted")
    assert_problem(await service.call("PATCH", "/v1/zones/a", json={"counted": False}), 422, field="counted")
    await service.create("/v1/zones", id="b", name="B", counted=False)
    answer = await service.call("PATCH", "/v1/zones/b", json={"counted": False, **limit})
    assert_problem(answer, 422, field="counted")
    assert (await change(service, "b", **limit))["counted"] is True
    taken_away = {"capacity": None} if "capacity" in limit else {"anti_passback": "off"}
    assert (await change(service, "b", **taken_away))["counted"] is True
    assert (await change(service, "a", counted=False, **taken_away))["counted"] is False


WRONG: list[dict[str, Any]] = [
    *({"capacity": value} for value in (0, -1, 1_000_001, 1.0, "1", True)),
    *({"forgive_after_s": value} for value in (0, -1, 31_536_001, 1.0, "1", True)),
    *({"anti_passback": value} for value in ("on", "", "HARD", None, True)),
    *({"counted": value} for value in (None, 1, "true")),
    *({"resets_at": value} for value in ("", "4:00", "24:00", "23:60", "04:00:00", "04:00\n", "\u0660\u0664:00", "04-00", 4)),
    *({"time_zone": value} for value in ("", "Mars/Base", 1)),
    *({"name": value} for value in ("", None, 1)),
]  # fmt: skip


@pytest.mark.parametrize("values", WRONG, ids=ascii)
async def test_what_a_zone_cannot_be_is_refused(still_service: Service, values: dict[str, Any]) -> None:
    answer = await still_service.call("POST", "/v1/zones", json={"id": "wrong", "name": "A zone", **values})
    (field,) = values
    assert_problem(answer, 422, field=field)
    assert_problem(await still_service.call("PATCH", "/v1/zones/wrong", json=values), 422, field=field)
    assert_problem(await still_service.call("GET", "/v1/zones/wrong"), 404)


@pytest.mark.parametrize("field", ["id", "within", "created_at", "people", "root"])
async def test_where_a_zone_lies_and_what_it_is_called_by_stay(service: Service, field: str) -> None:
    await service.create("/v1/zones", id="hq", name="Headquarters")
    await service.create("/v1/zones", id="hall", name="Hall")
    assert_problem(await service.call("PATCH", "/v1/zones/hall", json={field: "hq"}), 422, field="")


async def test_a_zone_that_is_not_there_cannot_be_changed(service: Service) -> None:
    for id_ in ("nowhere", "-", "%00"):
        assert_problem(await service.call("PATCH", f"/v1/zones/{id_}", json={"name": "A"}), 404)


async def test_a_zones_clocks_are_those_of_the_nearest_zone_around_it(service: Service) -> None:
    await service.create("/v1/zones", id="site", name="Site", time_zone="Asia/Tokyo")
    await service.create("/v1/zones", id="hall", name="Hall", within="site")
    await service.create("/v1/zones", id="room", name="Room", within="hall")
    await service.create("/v1/zones", id="annex", name="Annex", within="site", time_zone="Asia/Seoul")
    await service.create("/v1/zones", id="shed", name="Shed", within="annex")
    await service.create("/v1/zones", id="elsewhere", name="Elsewhere")

    async def clocks() -> dict[str, str | None]:
        zones = ("site", "hall", "room", "annex", "shed", "elsewhere")
        return {zone: (await record(service, zone)).local_time_zone for zone in zones}

    rest = {"annex": "Asia/Seoul", "shed": "Asia/Seoul", "elsewhere": None}
    assert await clocks() == {"site": "Asia/Tokyo", "hall": "Asia/Tokyo", "room": "Asia/Tokyo", **rest}
    await change(service, "hall", time_zone="Asia/Shanghai")
    assert await clocks() == {"site": "Asia/Tokyo", "hall": "Asia/Shanghai", "room": "Asia/Shanghai", **rest}
    await change(service, "site", time_zone=None)
    assert await clocks() == {"site": None, "hall": "Asia/Shanghai", "room": "Asia/Shanghai", **rest}
    await change(service, "hall", time_zone=None)
    assert await clocks() == {"site": None, "hall": None, "room": None, **rest}
    assert {(await record(service, zone)).root for zone in ("site", "hall", "room", "annex", "shed")} == {"site"}
    assert (await record(service, "elsewhere")).root == "elsewhere"


async def test_zones_made_while_clocks_change_have_the_right_ones(service: Service) -> None:
    await service.create("/v1/zones", id="site", name="Site", time_zone="Asia/Tokyo")
    await asyncio.gather(
        *(service.create("/v1/zones", id=f"hall-{n}", name="Hall", within="site") for n in range(5)),
        change(service, "site", time_zone="Asia/Seoul"),
    )
    assert {(await record(service, f"hall-{n}")).local_time_zone for n in range(5)} == {"Asia/Seoul"}


async def test_a_zone_that_begins_to_be_counted_is_empty(service: Service) -> None:
    for zone in ("hall", "annex"):
        await service.create("/v1/zones", id=zone, name=zone, counted=True)
    ada = await service.create("/v1/holders", ref="ada")
    await enter(service, ada["id"], "hall", "annex")
    await change(service, "hall", name="Great hall", counted=True)
    assert (await record(service, "hall")).people == 1
    await change(service, "hall", counted=False)
    assert await inside(service, ada["id"]) == {"annex": 1}
    await enter(service, ada["id"], "hall")  # by a gate that did not know yet
    before = service.clock.now()
    await change(service, "hall", capacity=10)
    begun = await record(service, "hall")
    assert begun.people == 0
    assert before <= begun.people_at <= service.clock.now()
    assert await inside(service, ada["id"]) == {"annex": 1}
    assert (await record(service, "annex")).people == 1
