"""Schedules and limits of passes, at the gate."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.service import Service


def local(service: Service) -> datetime:
    """What the service's clock shows, in UTC."""
    return datetime.fromtimestamp(service.clock.now() / 1e6, UTC)


async def shown(service: Service, pass_: dict[str, Any], gate: str = "main-door", **body: Any) -> dict[str, Any]:
    token = await service.token(pass_)
    return await service.verify(token["token"], gate, **body)


async def office_hours(service: Service, **body: Any) -> dict[str, Any]:
    """Open for two hours, from an hour ago, on every day."""
    start = local(service) - timedelta(hours=1)
    window = {"from": f"{start:%H:%M}", "until": f"{start + timedelta(hours=2):%H:%M}"}
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return await service.create("/v1/schedules", name="Office", weekly=[{"days": days, **window}], **body)


async def test_a_pass_is_good_while_its_schedule_is_open_and_says_when_it_opens_next(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(schedule=(await office_hours(service))["id"])
    assert (await shown(service, pass_))["reason"] == "ok"
    opened = (local(service) - timedelta(hours=1)).replace(second=0, microsecond=0)
    service.clock.advance(90 * 60)
    refused = await shown(service, pass_)
    assert (refused["reason"], refused["holder"]["ref"]) == ("outside_schedule", "emp-1042")
    assert refused["not_before"] == f"{opened + timedelta(days=1):%Y-%m-%dT%H:%M:%S}Z"
    service.clock.advance(22.5 * 3600)
    assert (await shown(service, pass_))["reason"] == "ok"


async def test_early_tolerance_opens_it_sooner(service: Service) -> None:
    await service.gate()
    schedule = await office_hours(service, early_s=1800)
    pass_ = await service.pass_(schedule=schedule["id"])
    service.clock.advance(22.75 * 3600)
    assert (await shown(service, pass_))["reason"] == "ok"
    await service.call("PATCH", f"/v1/schedules/{schedule['id']}", json={"early_s": 0})
    assert (await shown(service, pass_))["reason"] == "outside_schedule"


async def test_the_clock_on_the_wall_is_that_of_the_zone_behind_the_gate(service: Service) -> None:
    await service.create("/v1/zones", id="tokyo", name="Tokyo", time_zone="Asia/Tokyo")
    await service.create("/v1/zones", id="office", name="Office", within="tokyo")
    await service.gate("there", into_zone="office")
    await service.gate()
    pass_ = await service.pass_(schedule=(await office_hours(service))["id"])
    assert (await shown(service, pass_))["reason"] == "ok"
    assert (await shown(service, pass_, "there"))["reason"] == "outside_schedule"
    service.clock.advance(15 * 3600)  # nine hours ahead
    assert (await shown(service, pass_))["reason"] == "outside_schedule"
    assert (await shown(service, pass_, "there"))["reason"] == "ok"


async def test_nobody_is_kept_inside_by_the_clock(service: Service) -> None:
    await service.gate("hall", direction="both")
    pass_ = await service.pass_(schedule=(await office_hours(service))["id"])
    service.clock.advance(5 * 3600)
    assert (await shown(service, pass_, "hall", direction="entry"))["reason"] == "outside_schedule"
    assert (await shown(service, pass_, "hall", direction="exit"))["reason"] == "ok"


async def test_entries_a_day_begin_anew_at_the_sites_own_midnight(service: Service) -> None:
    await service.create("/v1/zones", id="site", name="Site", time_zone="Asia/Shanghai")
    await service.gate(into_zone="site")
    pass_ = await service.pass_(max_entries_per_day=2)
    start = service.clock.now()
    to_midnight = 86_400 - (start // 1_000_000 + 8 * 3600) % 86_400
    assert [(await shown(service, pass_))["reason"] for _ in range(3)] == ["ok", "ok", "no_entries_left_today"]
    service.clock.advance(to_midnight + 1)
    assert [(await shown(service, pass_))["reason"] for _ in range(3)] == ["ok", "ok", "no_entries_left_today"]


async def test_a_meal_a_day_in_the_canteen(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq")
    await service.create("/v1/zones", id="canteen", name="Canteen", within="hq")
    await service.gate(into_zone="hq")
    await service.gate("canteen-door", from_zone="hq", into_zone="canteen")
    pass_ = await service.pass_(zone_limits=[{"zone": "canteen", "max_entries_per_day": 1, "max_entries": 2}])
    reasons = [(await shown(service, pass_, gate))["reason"] for gate in ("main-door", "canteen-door") * 2]
    assert reasons == ["ok", "ok", "ok", "no_entries_left_in_zone"]
    for reason in ("ok", "no_entries_left_in_zone"):
        service.clock.advance(86_400)
        assert (await shown(service, pass_, "canteen-door"))["reason"] == reason


async def test_a_time_between_two_entries(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(min_interval_s=1800)
    first = await shown(service, pass_)
    soon = await shown(service, pass_)
    assert (soon["reason"], soon["decision"]) == ("too_soon", "deny")
    at = datetime.fromisoformat(first["at"]) + timedelta(seconds=1800)
    assert datetime.fromisoformat(soon["not_before"]) == at
    service.clock.advance(1800)
    assert (await shown(service, pass_))["reason"] == "ok"


async def test_limits_count_what_was_before_them(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    await shown(service, pass_)
    changed = await service.call("PATCH", f"/v1/passes/{pass_['id']}", json={"max_entries_per_day": 2})
    assert changed.json()["max_entries_per_day"] == 2
    assert [(await shown(service, pass_))["reason"] for _ in range(2)] == ["ok", "no_entries_left_today"]


async def test_a_limit_that_is_set_later_counts_as_if_it_had_been_there(service: Service) -> None:
    for zone, time_zone in (("east", "Pacific/Kiritimati"), ("west", "Pacific/Niue")):  # 25 hours apart
        await service.create("/v1/zones", id=zone, name=zone, time_zone=time_zone)
        await service.gate(f"{zone}-door", into_zone=zone)
    counted, later = await service.pass_("counted", max_entries_per_day=2), await service.pass_("later")
    for pass_ in (counted, later):
        for gate in ("east-door", "west-door"):  # where it is yesterday, the day that has begun goes on
            assert (await shown(service, pass_, gate))["reason"] == "ok"
    await service.call("PATCH", f"/v1/passes/{later['id']}", json={"max_entries_per_day": 2})
    for pass_ in (counted, later):
        assert (await shown(service, pass_, "west-door"))["reason"] == "no_entries_left_today"
