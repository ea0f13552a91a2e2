"""Who is inside: occupancy, anti-passback, and going out, through the whole service on both engines."""

from typing import Any

import pytest

from app.services.purge import purge
from tests.faces.http.endpoints import stored
from tests.service import Service


async def building(service: Service, **hq: Any) -> None:
    """Headquarters with a front door and a way out, and a laboratory in it behind a door for both directions."""
    await service.create("/v1/zones", id="hq", name="Headquarters", **{"counted": True, **hq})
    await service.create("/v1/zones", id="lab", name="Laboratory", within="hq", counted=True)
    await service.gate("front", into_zone="hq")
    await service.gate("out", direction="exit", from_zone="hq")
    await service.gate("lab-door", direction="both", from_zone="hq", into_zone="lab")


async def shown(service: Service, gate: str, pass_: dict[str, Any], **body: Any) -> dict[str, Any]:
    """A fresh token of the pass, shown at the gate."""
    token = await service.token(pass_)
    return await service.verify(token["token"], gate, **body)


async def people(service: Service, zone: str = "hq") -> int:
    answer = await service.call("GET", f"/v1/zones/{zone}/occupancy")
    assert answer.status_code == 200, answer.text
    count: int = answer.json()["people"]
    return count


async def test_people_are_counted_in_and_out(service: Service) -> None:
    await building(service)
    ada, ben = await service.pass_("ada"), await service.pass_("ben")
    for pass_ in (ada, ben):
        assert (await shown(service, "front", pass_))["reason"] == "ok"
    assert await people(service) == 2
    await shown(service, "out", ada)
    assert await people(service) == 1


async def test_who_comes_in_twice_without_having_gone_out_is_counted_once(service: Service) -> None:
    await building(service)
    ada = await service.pass_("ada")
    for _ in range(3):
        assert (await shown(service, "front", ada))["decision"] == "admit"
    assert await people(service) == 1


async def test_a_full_zone_takes_nobody_until_somebody_leaves(service: Service) -> None:
    await building(service, capacity=1)
    ada, ben = await service.pass_("ada"), await service.pass_("ben")
    await shown(service, "front", ada)
    refused = await shown(service, "front", ben)
    assert (refused["decision"], refused["reason"], refused["holder"]["ref"]) == ("deny", "zone_full", "ben")
    assert (await shown(service, "front", ada))["reason"] == "ok"  # who is inside takes no second place
    await shown(service, "out", ada)
    assert (await shown(service, "front", ben))["reason"] == "ok"


async def test_out_of_the_building_is_out_of_every_zone_in_it(service: Service) -> None:
    await building(service)
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    await shown(service, "lab-door", ada, direction="entry")
    assert (await people(service), await people(service, "lab")) == (1, 1)
    await shown(service, "out", ada)
    assert (await people(service), await people(service, "lab")) == (0, 0)


async def test_at_a_gate_for_both_directions_one_goes_back_the_other_way(service: Service) -> None:
    await building(service)
    ada = await service.pass_("ada", gates=[], zones=["hq"])
    await shown(service, "front", ada)
    assert (await shown(service, "lab-door", ada, direction="entry"))["decision"] == "admit"
    back = await shown(service, "lab-door", ada, direction="exit")
    assert (back["decision"], back["flags"]) == ("admit", [])
    assert (await people(service), await people(service, "lab")) == (1, 0)


async def test_an_exit_frees_once_and_only_for_who_is_inside(service: Service) -> None:
    await building(service)
    ada, ben = await service.pass_("ada"), await service.pass_("ben")
    await shown(service, "front", ada)
    assert (await shown(service, "out", ben))["flags"] == ["not_inside"]
    assert await people(service) == 1
    assert (await shown(service, "out", ada))["flags"] == []
    assert (await shown(service, "out", ada))["flags"] == ["not_inside"]
    assert await people(service) == 0


async def test_the_token_one_came_in_with_lets_one_out_however_old_it_is(service: Service) -> None:
    await building(service)
    token = await service.token(await service.pass_("ada"))
    await service.verify(token["token"], "front")
    service.clock.advance(8 * 3600)
    out = await service.verify(token["token"], "out")
    assert (out["decision"], out["reason"], out["flags"]) == ("admit", "ok", ["expired"])
    assert await people(service) == 0


@pytest.mark.parametrize("token", ["GP1:NOTHING", "somebody's poster", "100000000000"])
async def test_what_is_no_token_lets_out_and_frees_nobody(service: Service, token: str) -> None:
    await building(service)
    await shown(service, "front", await service.pass_("ada"))
    out = await service.verify(token, "out")
    assert (out["decision"], len(out["flags"]), out["pass"]) == ("admit", 1, None)
    assert await people(service) == 1


async def test_a_device_bound_to_the_exit_side_frees_at_a_gate_for_both(service: Service) -> None:
    await building(service)
    ada = await service.pass_("ada")
    token = await service.token(ada)
    await shown(service, "front", ada)
    await service.verify(token["token"], "lab-door", direction="entry")
    key = await service.api_key("verifications:create", gate="lab-door", side="exit")
    out = await service.verify(token["token"], "lab-door", key=key)
    assert (out["decision"], out["direction"], out["flags"]) == ("admit", "exit", ["already_used"])
    assert (await people(service), await people(service, "lab")) == (1, 0)


async def test_hard_anti_passback_refuses_who_is_inside(service: Service) -> None:
    await building(service, anti_passback="hard")
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    again = await shown(service, "front", ada)
    assert (again["decision"], again["reason"], again["not_before"]) == ("deny", "anti_passback", None)
    await shown(service, "out", ada)
    assert (await shown(service, "front", ada))["reason"] == "ok"


async def test_soft_anti_passback_flags(service: Service) -> None:
    await building(service, anti_passback="soft")
    ada = await service.pass_("ada")
    assert (await shown(service, "front", ada))["flags"] == []
    again = await shown(service, "front", ada)
    assert (again["decision"], again["flags"]) == ("admit", ["anti_passback"])


async def test_anti_passback_forgives_after_its_time_and_says_when(service: Service) -> None:
    await building(service, anti_passback="hard", forgive_after_s=600)
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    refused = await shown(service, "front", ada)
    assert refused["reason"] == "anti_passback"
    assert refused["not_before"] is not None
    service.clock.advance(600)
    assert (await shown(service, "front", ada))["reason"] == "ok"


async def test_the_desk_resets_anti_passback(service: Service) -> None:
    await building(service, anti_passback="hard")
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    holder = (await service.call("GET", "/v1/holders?ref=ada")).json()["items"][0]
    reset = await service.call("POST", f"/v1/holders/{holder['id']}/reset-anti-passback", json={"reason": "lost"})
    assert reset.status_code == 200
    assert await people(service) == 0
    assert (await shown(service, "front", ada))["reason"] == "ok"
    assert await people(service) == 1


async def test_at_night_the_count_begins_anew(service: Service) -> None:
    at = await now_at(service)
    resets_at = f"{(at + 60) // 60 % 24:02}:{(at + 60) % 60:02}"  # in an hour
    await building(service, anti_passback="hard", capacity=5, resets_at=resets_at)
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    service.clock.advance(50 * 60)
    assert await people(service) == 1
    assert (await shown(service, "front", ada))["reason"] == "anti_passback"
    service.clock.advance(12 * 60)
    assert await people(service) == 0
    assert (await shown(service, "front", ada))["reason"] == "ok"
    assert await people(service) == 1


async def now_at(service: Service) -> int:
    """The minute of the day, in UTC."""
    return service.clock.now() // 60_000_000 % 1440


async def test_a_count_corrected_by_hand_is_what_counts_on(service: Service) -> None:
    await building(service, capacity=10)
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    corrected = await service.call("POST", "/v1/zones/hq/occupancy", json={"people": 10, "reason": "counted heads"})
    assert corrected.status_code == 200
    assert (await shown(service, "front", await service.pass_("ben")))["reason"] == "zone_full"
    await shown(service, "out", ada)
    assert await people(service) == 9
    await service.call("POST", "/v1/zones/hq/occupancy", json={"people": 0, "reason": "all are out"})
    assert (await shown(service, "front", await service.pass_("cyd")))["reason"] == "ok"
    assert await people(service) == 1


async def test_zones_of_two_tenants_are_apart(service: Service) -> None:
    other = await service.another_tenant()
    for each in (service, other):
        await building(each, capacity=1)
    assert (await shown(service, "front", await service.pass_("ada")))["reason"] == "ok"
    assert (await shown(other, "front", await other.pass_("ada")))["reason"] == "ok"
    assert (await people(service), await people(other)) == (1, 1)


async def test_nobody_inside_is_everybody_outside_of_the_zones_within_too(service: Service) -> None:
    await building(service, anti_passback="hard", capacity=1)
    ada, ben = await service.pass_("ada"), await service.pass_("ben")
    await shown(service, "front", ada)
    await shown(service, "lab-door", ada, direction="entry")
    await service.call("POST", "/v1/zones/hq/occupancy", json={"people": 0, "reason": "fire drill"})
    assert (await people(service), await people(service, "lab")) == (0, 0)
    assert (await shown(service, "front", ada))["reason"] == "ok"
    assert (await shown(service, "front", ben))["reason"] == "zone_full"
    events = (await service.call("GET", "/v1/audit-events?action=occupancy_corrected")).json()["items"]
    assert [(each["zone"], each["before"], each["after"]) for each in events] == [("lab", 1, 0), ("hq", 1, 0)]


async def test_a_zone_within_resets_with_the_one_around_it_and_who_was_there_is_forgotten(service: Service) -> None:
    minute = (service.clock.now() // 60_000_000 + 60) % 1440
    await building(service, resets_at=f"{minute // 60:02}:{minute % 60:02}")
    await service.create("/v1/zones", id="shop", name="Shop", counted=True)
    await service.gate("shop-door", into_zone="shop")
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    await shown(service, "lab-door", ada, direction="entry")
    await shown(service, "shop-door", ada)
    service.clock.advance(61 * 60)
    assert [await people(service, zone) for zone in ("hq", "lab", "shop")] == [0, 0, 1]
    await purge(service.context)
    assert [row for row in stored(service)["presences"] if "shop" not in row] == []
    assert len(stored(service)["presences"]) == 1


async def test_a_day_that_began_at_one_gate_is_not_yesterday_again_at_another(service: Service) -> None:
    for zone, time_zone in (("east", "Pacific/Kiritimati"), ("west", "Pacific/Niue")):  # 25 hours apart
        await service.create("/v1/zones", id=zone, name=zone, time_zone=time_zone)
        await service.gate(f"{zone}-door", into_zone=zone)
    pass_ = await service.pass_(max_entries_per_day=1)
    gates = ("west-door", "east-door") * 3
    reasons = [(await shown(service, gate, pass_))["reason"] for gate in gates]
    assert reasons == ["ok", "ok"] + ["no_entries_left_today"] * 4


@pytest.mark.parametrize("change", [{"resets_at": None}, {"resets_at": "23:59"}, {"time_zone": "Asia/Tokyo"}])
async def test_who_was_there_before_a_reset_does_not_come_back_with_it(
    service: Service, change: dict[str, Any]
) -> None:
    minute = (service.clock.now() // 60_000_000 + 60) % 1440
    await building(service, anti_passback="hard", resets_at=f"{minute // 60:02}:{minute % 60:02}")
    ada = await service.pass_("ada")
    await shown(service, "front", ada)
    service.clock.advance(61 * 60)
    assert await people(service) == 0
    assert (await service.call("PATCH", "/v1/zones/hq", json=change)).status_code == 200
    assert await people(service) == 0
    assert (await shown(service, "front", ada))["reason"] == "ok"
