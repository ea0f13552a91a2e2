"""`/v1/holders`."""

import pytest

from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.service import Service


async def test_a_holder_is_given_back_as_they_were_made(service: Service) -> None:
    made = await service.create("/v1/holders", ref="emp-1042", name="Ada Lovelace")
    assert (await service.call("GET", f"/v1/holders/{made['id']}")).json() == made
    assert shown_id("hold").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {"ref": "emp-1042", "number": 1000, "name": "Ada Lovelace", "blocked": None}


async def test_a_name_is_optional_and_numbers_count_up_from_1000(service: Service) -> None:
    made = [await service.create("/v1/holders", ref=f"emp-{n}") for n in range(3)]
    assert [holder["number"] for holder in made] == [1000, 1001, 1002]
    assert made[0]["name"] is None


async def test_a_ref_is_taken_once(service: Service) -> None:
    await service.create("/v1/holders", ref="emp-1042", name="Ada")
    answer = await service.call("POST", "/v1/holders", json={"ref": "emp-1042", "name": "Grace"})
    assert_problem(answer, 409, "holder_exists")
    (holder,) = (await service.call("GET", "/v1/holders")).json()["items"]
    assert holder["name"] == "Ada"


async def test_a_taken_ref_spends_no_number(service: Service) -> None:
    await service.create("/v1/holders", ref="a")
    await service.call("POST", "/v1/holders", json={"ref": "a"})
    assert (await service.create("/v1/holders", ref="b"))["number"] == 1001


async def test_refs_are_told_apart_to_the_letter(service: Service) -> None:
    refs = ["emp", "EMP", "emp ", "émp", "e\u0301mp", "emp\u200b"]
    for ref in refs:
        await service.create("/v1/holders", ref=ref)
    for ref in refs:
        found = (await service.call("GET", "/v1/holders", params={"ref": ref})).json()
        assert ([holder["ref"] for holder in found["items"]], found["next"]) == ([ref], None)


async def test_holders_are_listed_newest_first_or_found_by_their_ref(service: Service) -> None:
    made = [await service.create("/v1/holders", ref=f"emp-{n}") for n in range(3)]
    assert (await service.call("GET", "/v1/holders")).json() == {"items": made[::-1], "next": None}
    assert (await service.call("GET", "/v1/holders?ref=emp-1")).json() == {"items": [made[1]], "next": None}
    assert (await service.call("GET", "/v1/holders?ref=emp-9")).json() == {"items": [], "next": None}


async def test_a_blocked_holder_is_seen_to_be_wherever_they_are_shown(service: Service) -> None:
    made = await service.create("/v1/holders", ref="emp-1042")
    answer = await service.call("POST", f"/v1/holders/{made['id']}/block", json={"reason": "lost badge"})
    blocked = answer.json()
    assert blocked["blocked"]["reason"] == "lost badge"
    assert (await service.call("GET", f"/v1/holders/{made['id']}")).json() == blocked
    assert (await service.call("GET", "/v1/holders")).json()["items"] == [blocked]


async def test_a_holder_who_is_not_there_is_not_found(service: Service) -> None:
    await service.create("/v1/holders", ref="emp-1042")
    for id_ in ("hold_0000000000000000000000", "hold_", "hold_zzzzzzzzzzzzzzzzzzzzzz", "emp-1042", "1", "%00"):
        assert_problem(await service.call("GET", f"/v1/holders/{id_}"), 404)
        assert_problem(await service.call("POST", f"/v1/holders/{id_}/clear-budget"), 404)


@pytest.mark.parametrize(("length", "status"), [(0, 422), (1, 201), (128, 201), (129, 422)])
async def test_a_ref_has_1_to_128_characters(still_service: Service, length: int, status: int) -> None:
    assert (await still_service.call("POST", "/v1/holders", json={"ref": "é" * length})).status_code == status


@pytest.mark.parametrize(("length", "status"), [(0, 422), (1, 201), (200, 201), (201, 422)])
async def test_a_name_has_1_to_200_characters(still_service: Service, length: int, status: int) -> None:
    answer = await still_service.call("POST", "/v1/holders", json={"ref": f"name-{length}", "name": "é" * length})
    assert answer.status_code == status
