"""`/v1/gates`."""

from typing import Any

import pytest

from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.service import Service


async def test_a_gate_is_given_back_as_it_was_made(service: Service) -> None:
    for zone in ("street", "hq"):
        await service.create("/v1/zones", id=zone, name=zone)
    wish = {"id": "main-door", "name": "Main door", "direction": "both", "from_zone": "street", "into_zone": "hq"}
    offline = {"offline": "bound_tokens", "offline_max_stale_s": 60}
    made = await service.create("/v1/gates", **wish, **offline, repeat_window_s=5, second_proof_s=30)
    assert (await service.call("GET", "/v1/gates/main-door")).json() == made
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {**wish, **offline, "repeat_window_s": 5, "second_proof_s": 30}


async def test_only_a_gates_name_is_needed(service: Service) -> None:
    made = await service.create("/v1/gates", name="Main door")
    assert shown_id("gate").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {
        "name": "Main door",
        "direction": "entry",
        "from_zone": None,
        "into_zone": None,
        "repeat_window_s": 0,
        "second_proof_s": 0,
        "offline": "refuse",
        "offline_max_stale_s": 14_400,
    }


async def test_an_id_is_taken_once(service: Service) -> None:
    await service.gate()
    assert_problem(await service.call("POST", "/v1/gates", json={"id": "main-door", "name": "B"}), 409, "gate_exists")


@pytest.mark.parametrize("field", ["from_zone", "into_zone"])
async def test_a_gates_zones_have_to_be_there(service: Service, field: str) -> None:
    assert_problem(await service.call("POST", "/v1/gates", json={"name": "A", field: "hq"}), 404)
    await service.gate()
    assert_problem(await service.call("PATCH", "/v1/gates/main-door", json={field: "hq"}), 404)


async def test_a_change_sets_what_it_names_and_leaves_the_rest(service: Service) -> None:
    await service.create("/v1/zones", id="hq", name="Headquarters")
    made = await service.gate(into_zone="hq", repeat_window_s=5)
    changed = await service.call("PATCH", "/v1/gates/main-door", json={"name": "Front door", "direction": "exit"})
    assert changed.status_code == 200
    assert changed.json() == {**made, "name": "Front door", "direction": "exit"}
    cleared = await service.call("PATCH", "/v1/gates/main-door", json={"into_zone": None})
    assert cleared.json() == {**changed.json(), "into_zone": None}
    assert (await service.call("PATCH", "/v1/gates/main-door", json={})).json() == cleared.json()
    two_proofs = await service.call("PATCH", "/v1/gates/main-door", json={"second_proof_s": 120})
    assert two_proofs.json() == {**cleared.json(), "second_proof_s": 120}
    cleared = await service.call("PATCH", "/v1/gates/main-door", json={"second_proof_s": 0})
    assert (await service.call("GET", "/v1/gates/main-door")).json() == cleared.json()


@pytest.mark.parametrize(
    "change",
    [{"name": None}, {"direction": None}, {"repeat_window_s": None}, {"name": ""}, {"direction": "in"}]
    + [{"repeat_window_s": seconds} for seconds in (-1, 3601, 1.5, True, "5")]
    + [{"second_proof_s": seconds} for seconds in (-1, 121, 1.5, True, "5", None)]
    + [{"offline": policy} for policy in ("admit", "", None, True)]
    + [{"offline_max_stale_s": seconds} for seconds in (59, 604_801, 60.5, True, "60", None)],
    ids=str,
)
async def test_a_change_that_cannot_be_is_refused(still_service: Service, change: dict[str, Any]) -> None:
    before = (await still_service.call("GET", "/v1/gates/main-door")).json()
    (field,) = change
    assert_problem(await still_service.call("PATCH", "/v1/gates/main-door", json=change), 422, field=field)
    assert (await still_service.call("GET", "/v1/gates/main-door")).json() == before


async def test_what_a_gate_is_called_by_stays(still_service: Service) -> None:
    assert_problem(await still_service.call("PATCH", "/v1/gates/main-door", json={"id": "side-door"}), 422, field="")


async def test_a_deleted_gate_is_gone_and_what_happened_at_it_stays(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_())
    await service.verify(token["token"])
    deleted = await service.call("DELETE", "/v1/gates/main-door")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert_problem(await service.call(method, "/v1/gates/main-door"), 404)
    assert_problem(await service.call("PATCH", "/v1/gates/main-door", json={"name": "B"}), 404)
    answer = await service.call("POST", "/v1/verifications", json={"token": token["token"], "gate": "main-door"})
    assert_problem(answer, 404)
    (kept,) = (await service.call("GET", "/v1/verifications?gate=main-door")).json()["items"]
    assert kept["decision"] == "admit"


async def test_gates_are_listed_by_id(service: Service) -> None:
    for id_ in ("b", "c", "a"):
        await service.gate(id_)
    listed = (await service.call("GET", "/v1/gates")).json()
    assert [gate["id"] for gate in listed["items"]] == ["a", "b", "c"]
    assert listed["items"][1] == (await service.call("GET", "/v1/gates/b")).json()
