"""Undo: the turnstile did not turn."""

from typing import Any

import pytest

from tests.service import Service


async def undo(service: Service, verification: dict[str, Any], *, key: str | None = None) -> tuple[int, dict[str, Any]]:
    answer = await service.call("POST", f"/v1/verifications/{verification['id']}/undo", key=key)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("kind", ["signed", "short", "code"])
async def test_an_undone_token_is_good_again(service: Service, kind: str) -> None:
    await service.gate()
    token = await service.token(await service.pass_(max_entries=1), kind)
    first = await service.verify(token["token"])
    status, undone = await undo(service, first)
    assert (status, undone["id"], undone["decision"], undone["reason"]) == (200, first["id"], "admit", "ok")
    assert undone["undone_at"] is not None
    assert (await service.verify(token["token"]))["reason"] == "ok"
    assert (await service.verify(token["token"]))["reason"] == "no_entries_left"


async def test_the_old_request_id_answers_undone(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    first = await service.verify(token["token"], request_id="r1")
    await undo(service, first)
    again = await service.verify(token["token"], request_id="r1")
    assert (again["id"], again["decision"], again["reason"]) == (first["id"], "deny", "undone")
    assert (again["repeated"], again["people"]) == ("request_id", 0)
    assert again["undone_at"] is not None
    assert (await service.verify(token["token"], request_id="r2"))["reason"] == "ok"


async def test_it_cannot_be_done_twice(service: Service) -> None:
    await service.gate()
    first = await service.verify((await service.token(await service.pass_()))["token"])
    assert (await undo(service, first))[0] == 200
    status, problem = await undo(service, first)
    assert (status, problem["code"]) == (409, "already_undone")


async def test_a_refusal_cannot_be_undone(service: Service) -> None:
    await service.gate()
    refused = await service.verify("nothing")
    status, problem = await undo(service, refused)
    assert (status, problem["code"]) == (409, "not_admitted")


async def test_another_key_cannot_undo_it_and_another_tenant_does_not_find_it(service: Service) -> None:
    await service.gate()
    first = await service.verify((await service.token(await service.pass_()))["token"])
    status, problem = await undo(service, first, key=await service.api_key("verifications:create"))
    assert (status, problem["code"]) == (403, "forbidden")
    status, problem = await undo(await service.another_tenant(), first)
    assert (status, problem["code"]) == (404, "not_found")


async def test_the_device_that_asked_can_undo_it(service: Service) -> None:
    await service.gate()
    key = await service.api_key("verifications:create", gate="main-door")
    first = await service.verify((await service.token(await service.pass_()))["token"], key=key)
    assert (await undo(service, first, key=key))[0] == 200


async def test_after_15_minutes_it_is_too_late(service: Service) -> None:
    await service.gate()
    first = await service.verify((await service.token(await service.pass_()))["token"])
    second = await service.verify((await service.token(await service.pass_()))["token"])
    service.clock.advance(14 * 60)
    assert (await undo(service, second))[0] == 200
    service.clock.advance(62)
    status, problem = await undo(service, first)
    assert (status, problem["code"]) == (409, "too_late")


async def test_it_ends_the_repeat_window(service: Service) -> None:
    await service.gate(repeat_window_s=60)
    token = await service.token(await service.pass_())
    first = await service.verify(token["token"])
    assert (await service.verify(token["token"]))["repeated"] == "window"
    await undo(service, first)
    again = await service.verify(token["token"])
    assert (again["decision"], again["repeated"]) == ("admit", None)
    assert again["id"] != first["id"]


async def test_everything_that_was_counted_is_given_back(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq", capacity=1, anti_passback="hard")
    await service.gate(into_zone="hq")
    limits = {"max_entries_per_day": 1, "min_interval_s": 3600, "zone_limits": [{"zone": "hq", "max_entries": 1}]}
    pass_ = await service.pass_(**limits)
    for _ in range(3):
        token = await service.token(pass_)
        first = await service.verify(token["token"])
        assert first["reason"] == "ok"
        occupied = (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"]
        assert occupied == 1
        assert (await undo(service, first))[0] == 200
        assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 0
    assert (await service.verify((await service.token(pass_))["token"]))["reason"] == "ok"
    assert (await service.verify((await service.token(pass_))["token"]))["reason"] == "no_entries_left_today"


async def test_an_exit_is_undone_too(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq", counted=True)
    await service.gate(into_zone="hq")
    await service.gate("out", direction="exit", from_zone="hq")
    token = await service.token(await service.pass_())
    await service.verify(token["token"])
    left = await service.verify(token["token"], "out")
    assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 0
    assert (await undo(service, left))[0] == 200
    assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 1


async def test_an_undone_admission_is_listed_as_such_and_its_entry_not_counted(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    first = await service.verify((await service.token(pass_))["token"])
    await service.verify((await service.token(pass_))["token"])
    await undo(service, first)
    listed = (await service.call("GET", "/v1/verifications")).json()["items"]
    assert [each["undone_at"] is None for each in listed] == [True, False]
    one = (await service.call("GET", f"/v1/verifications/{first['id']}")).json()
    assert one == listed[1]
    assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 1


async def test_a_limit_that_was_set_meanwhile_is_given_back_too(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq")
    await service.gate(into_zone="hq")
    pass_ = await service.pass_()
    first = await service.verify((await service.token(pass_))["token"])
    limits = {
        "max_entries_per_day": 1,
        "min_interval_s": 3600,
        "max_entries": 1,
        "zone_limits": [{"zone": "hq", "max_entries": 1}],
    }
    assert (await service.call("PATCH", f"/v1/passes/{pass_['id']}", json=limits)).status_code == 200
    assert (await service.verify((await service.token(pass_))["token"]))["reason"] == "no_entries_left"
    assert (await undo(service, first))[0] == 200
    assert (await service.verify((await service.token(pass_))["token"]))["reason"] == "ok"


async def test_of_two_that_were_undone_neither_is_the_entry_before(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(min_interval_s=600)
    first = await service.verify((await service.token(pass_))["token"])
    service.clock.advance(600)
    second = await service.verify((await service.token(pass_))["token"])
    for each in (first, second):
        assert (await undo(service, each))[0] == 200
    assert (await service.verify((await service.token(pass_))["token"]))["reason"] == "ok"


async def test_undoing_an_exit_after_the_next_entry_counts_nobody_twice(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="hq", counted=True)
    await service.gate(into_zone="hq")
    await service.gate("out", direction="exit", from_zone="hq")
    pass_ = await service.pass_()

    async def shown(gate: str = "main-door") -> dict[str, Any]:
        return await service.verify((await service.token(pass_))["token"], gate)

    async def people() -> int:
        count: int = (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"]
        return count

    first, left, again = await shown(), await shown("out"), await shown()
    await undo(service, left)
    assert await people() == 1
    await undo(service, first)
    assert await people() == 1  # by the later entry
    await undo(service, again)
    assert await people() == 0


async def test_an_entry_by_a_gate_that_is_gone_is_given_back(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_(max_entries_per_day=1)
    first = await service.verify((await service.token(pass_))["token"])
    await service.call("DELETE", "/v1/gates/main-door")
    assert (await undo(service, first))[0] == 200
    await service.gate("back-door")
    assert (await service.verify((await service.token(pass_))["token"], "back-door"))["reason"] == "ok"


@pytest.mark.parametrize("first_exit", [True, False])
async def test_undone_in_whatever_order_nobody_is_left_inside(service: Service, first_exit: bool) -> None:  # noqa: FBT001
    await service.create("/v1/zones", id="hq", name="hq", counted=True)
    await service.gate(into_zone="hq")
    await service.gate("out", direction="exit", from_zone="hq")
    pass_ = await service.pass_()
    gates = ("main-door", "out" if first_exit else "main-door")
    seen = [await service.verify((await service.token(pass_))["token"], gate) for gate in gates]
    for each in seen:
        assert (await undo(service, each))[0] == 200
    assert (await service.call("GET", "/v1/zones/hq/occupancy")).json()["people"] == 0


async def test_an_entry_is_given_back_to_the_zone_and_day_that_it_was_counted_for(service: Service) -> None:
    for zone, time_zone in (("east", "Pacific/Kiritimati"), ("west", "Pacific/Pago_Pago")):
        await service.create("/v1/zones", id=zone, name=zone, time_zone=time_zone)
        await service.gate(f"{zone}-door", into_zone=zone)
    limits = [{"zone": zone, "max_entries": 1} for zone in ("east", "west")]
    pass_ = await service.pass_(max_entries_per_day=2, zone_limits=limits)

    async def shown(gate: str) -> dict[str, Any]:
        return await service.verify((await service.token(pass_))["token"], gate)

    await shown("east-door")
    second = await shown("west-door")
    await service.call("PATCH", "/v1/gates/west-door", json={"into_zone": "east"})
    assert (await undo(service, second))[0] == 200
    assert (await shown("east-door"))["reason"] == "no_entries_left_in_zone"
    await service.call("PATCH", "/v1/gates/west-door", json={"into_zone": "west"})
    assert (await shown("west-door"))["reason"] == "ok"
    assert (await shown("west-door"))["reason"] == "no_entries_left_today"
