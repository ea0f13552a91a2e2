"""`/v1/passes`."""

from typing import Any

import pytest

from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.service import Service


async def test_a_pass_is_given_back_as_it_was_made(service: Service) -> None:
    await service.gate("a")
    await service.gate("b")
    await service.create("/v1/zones", id="hq", name="Headquarters")
    window = {"valid_from": "2026-11-22T09:30:00Z", "valid_until": "2027-01-01T00:00:00.250000Z"}
    made = await service.pass_("emp-1042", gates=["b", "a", "b"], zones=["hq"], max_entries=3, **window)
    assert (await service.call("GET", f"/v1/passes/{made['id']}")).json() == made
    assert (await service.call("GET", "/v1/passes")).json() == {"items": [made], "next": None}
    assert shown_id("pass").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {
        "holder": "emp-1042",
        "gates": ["a", "b"],
        "zones": ["hq"],
        **window,
        "max_entries": 3,
        "schedule": None,
        "max_entries_per_day": None,
        "min_interval_s": None,
        "party_size": 1,
        "zone_limits": [],
        "entries": 0,
        "status": "active",
    }


async def test_every_gate_is_said(service: Service) -> None:
    made = await service.pass_(gates="all")
    assert (made["gates"], made["zones"], made["max_entries"]) == ("all", [], None)
    assert (made["valid_from"], made["valid_until"]) == (None, None)


async def test_a_pass_that_names_nothing_is_refused(service: Service) -> None:
    scopes: tuple[dict[str, Any], ...] = ({}, {"gates": []}, {"zones": []}, {"gates": [], "zones": []})
    for scope in scopes:
        assert_problem(await service.call("POST", "/v1/passes", json={"holder": "a", **scope}), 422, field="gates")
    assert (await service.call("GET", "/v1/holders")).json()["items"] == []


@pytest.mark.parametrize("gates", ["ALL", "main-door", "", {}, 1, True, None, [1], ["a b"]], ids=str)
async def test_gates_are_a_list_of_ids_or_all(still_service: Service, gates: Any) -> None:
    answer = await still_service.call("POST", "/v1/passes", json={"holder": "a", "gates": gates})
    problem = assert_problem(answer, 422)
    assert {error["field"] for error in problem["errors"]} <= {"gates", "gates.0"}


async def test_a_holder_is_made_on_the_way(service: Service) -> None:
    await service.pass_("emp-1042")
    await service.pass_("emp-1042")
    (holder,) = (await service.call("GET", "/v1/holders")).json()["items"]
    assert (holder["ref"], holder["name"], holder["number"]) == ("emp-1042", None, 1000)


async def test_a_pass_for_what_is_not_there_is_refused_and_makes_no_holder(service: Service) -> None:
    for scope in ({"gates": ["nowhere"]}, {"zones": ["nowhere"]}):
        assert_problem(await service.call("POST", "/v1/passes", json={"holder": "a", **scope}), 404)
    assert (await service.call("GET", "/v1/holders")).json()["items"] == []


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("2026-11-22T09:30:00Z", "2026-11-22T09:30:00Z"),
        ("2026-11-22T10:30:00+01:00", "2026-11-22T09:30:00Z"),
        ("2026-11-22T09:30:00.5Z", "2026-11-22T09:30:00.500000Z"),
        ("2026-11-22T09:30:00-00:00", "2026-11-22T09:30:00Z"),
        ("8999-12-31T23:59:59Z", "8999-12-31T23:59:59Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
async def test_times_are_rfc_3339_and_come_back_in_utc(still_service: Service, sent: str, given: str) -> None:
    assert (await still_service.pass_(valid_from=sent))["valid_from"] == given


@pytest.mark.parametrize(
    "time",
    [
        "",
        "2026-11-22",
        "2026-11-22T09:30:00",
        "2026-11-22 09:30:00Z",
        "2026-11-22T09:30Z",
        "2026-13-22T09:30:00Z",
        "2026-02-30T09:30:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T09:30:60Z",
        "2026-11-22T09:30:00.1234567Z",
        "2026-11-22T09:30:00+24:00",
        "2026-11-22T09:30:00Z ",
        "\uff12\uff10\uff12\uff16-11-22T09:30:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        "W2026-11-22T09:30:00Z",
        1795339800,
        1795339800.5,
        True,
        [],
    ],
)
async def test_what_is_no_time_is_refused(still_service: Service, time: Any) -> None:
    answer = await still_service.call("POST", "/v1/passes", json={"holder": "a", "gates": "all", "valid_from": time})
    assert_problem(answer, 422, field="valid_from")


async def test_a_pass_ends_after_it_begins(service: Service) -> None:
    begin, end = "2026-11-22T09:30:00Z", "2026-11-22T09:30:01Z"
    body = {"holder": "a", "gates": "all"}
    for until in (begin, "2026-11-22T09:29:59Z"):
        answer = await service.call("POST", "/v1/passes", json={**body, "valid_from": begin, "valid_until": until})
        assert_problem(answer, 422, field="valid_until")
    made = await service.create("/v1/passes", **body, valid_from=begin, valid_until=end)
    answer = await service.call("PATCH", f"/v1/passes/{made['id']}", json={"valid_from": end})
    assert_problem(answer, 422, field="valid_until")


@pytest.mark.parametrize("count", [0, -1, 1_000_000_001, 10**19, 1.0, "1", True])
async def test_a_limit_is_a_whole_number_from_1(still_service: Service, count: Any) -> None:
    answer = await still_service.call("POST", "/v1/passes", json={"holder": "a", "gates": "all", "max_entries": count})
    assert_problem(answer, 422, field="max_entries")


async def test_a_change_sets_what_it_names_and_leaves_the_rest(service: Service) -> None:
    await service.gate()
    await service.create("/v1/zones", id="hq", name="Headquarters")
    made = await service.pass_(gates=["main-door"], valid_until="2030-01-01T00:00:00Z", max_entries=2)

    async def changed(**change: Any) -> Any:
        answer = await service.call("PATCH", f"/v1/passes/{made['id']}", json=change)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert await changed() == made
    assert await changed(zones=["hq"]) == {**made, "zones": ["hq"]}
    assert await changed(gates=[]) == {**made, "gates": [], "zones": ["hq"]}
    assert await changed(gates="all", zones=[]) == {**made, "gates": "all"}
    assert await changed(valid_until=None, max_entries=None) == {
        **made, "gates": "all", "valid_until": None, "max_entries": None,
    }  # fmt: skip
    answer = await service.call("PATCH", f"/v1/passes/{made['id']}", json={"gates": []})
    assert_problem(answer, 422, field="gates")
    for scope in ({"gates": ["nowhere"]}, {"zones": ["nowhere"]}):
        assert_problem(await service.call("PATCH", f"/v1/passes/{made['id']}", json=scope), 404)


@pytest.mark.parametrize("field", ["holder", "status", "entries", "id"])
async def test_nothing_else_of_a_pass_can_be_changed(still_service: Service, field: str) -> None:
    made = await still_service.pass_()
    answer = await still_service.call("PATCH", f"/v1/passes/{made['id']}", json={field: made[field]})
    assert_problem(answer, 422, field="")


async def test_a_pass_outlives_a_gate_that_it_names(service: Service) -> None:
    await service.gate("old")
    await service.create("/v1/zones", id="hq", name="Headquarters")
    made = await service.pass_(gates=["old"])
    await service.call("DELETE", "/v1/gates/old")
    answer = await service.call("PATCH", f"/v1/passes/{made['id']}", json={"zones": ["hq"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["zones"] == ["hq"]


async def test_entries_are_counted_with_a_limit_and_without(service: Service) -> None:
    await service.gate()
    for limit in (None, 5):
        pass_ = await service.pass_(max_entries=limit)
        for _ in range(2):
            await service.verify((await service.token(pass_))["token"])
        assert (await service.call("GET", f"/v1/passes/{pass_['id']}")).json()["entries"] == 2
        answer = await service.call("PATCH", f"/v1/passes/{pass_['id']}", json={"max_entries": 2})
        assert answer.json()["entries"] == 2
        assert (await service.verify((await service.token(pass_))["token"]))["reason"] == "no_entries_left"
        answer = await service.call("PATCH", f"/v1/passes/{pass_['id']}", json={"max_entries": None})
        assert answer.json()["entries"] == 2
        assert (await service.verify((await service.token(pass_))["token"]))["decision"] == "admit"
        listed = (await service.call("GET", "/v1/passes?limit=1")).json()["items"]
        assert listed[0]["entries"] == 3


async def test_a_suspended_pass_can_be_resumed_and_a_revoked_one_not(service: Service) -> None:
    made = await service.pass_()

    async def told(verb: str, **body: Any) -> Any:
        return await service.call("POST", f"/v1/passes/{made['id']}/{verb}", **body)

    for verb, status in (
        ("suspend", "suspended"),
        ("suspend", "suspended"),
        ("resume", "active"),
        ("resume", "active"),
    ):
        answer = await told(verb)
        assert (answer.status_code, answer.json()) == (200, {**made, "status": status})
    for _ in range(2):
        answer = await told("revoke", json={"reason": "left the company"})
        assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    for verb in ("suspend", "resume"):
        assert_problem(await told(verb), 409, "pass_revoked")
    assert (await service.call("GET", f"/v1/passes/{made['id']}")).json()["status"] == "revoked"


@pytest.mark.parametrize("verb", ["revoke", "suspend", "resume"])
async def test_a_reason_is_a_text_of_500_characters_at_most(still_service: Service, verb: str) -> None:
    path = f"/v1/passes/{(await still_service.pass_())['id']}/{verb}"
    assert_problem(await still_service.call("POST", path, json={"reason": "a" * 501}), 422, field="reason")
    assert_problem(await still_service.call("POST", path, json={"reason": 1}), 422, field="reason")
    assert_problem(await still_service.call("POST", path, json={"why": "x"}), 422, field="")
    assert (await still_service.call("POST", path, json={"reason": "a" * 500})).status_code == 200
    assert (await still_service.call("POST", path, json={})).status_code == 200


async def test_passes_are_listed_newest_first_or_one_holders(service: Service) -> None:
    made = [await service.pass_(ref) for ref in ("a", "b", "a")]
    assert (await service.call("GET", "/v1/passes")).json() == {"items": made[::-1], "next": None}
    assert (await service.call("GET", "/v1/passes?holder=a")).json()["items"] == [made[2], made[0]]
    assert (await service.call("GET", "/v1/passes?holder=nobody")).json() == {"items": [], "next": None}


async def test_a_pass_that_is_not_there_is_not_found(service: Service) -> None:
    for id_ in ("pass_0000000000000000000000", "pass_", "hold_0000000000000000000000", "%00"):
        assert_problem(await service.call("GET", f"/v1/passes/{id_}"), 404)
        assert_problem(await service.call("PATCH", f"/v1/passes/{id_}", json={}), 404)
        for verb in ("revoke", "suspend", "resume"):
            assert_problem(await service.call("POST", f"/v1/passes/{id_}/{verb}"), 404)
