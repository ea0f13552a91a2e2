"""How a device is set up: the address it is given, and the one call without a key."""

import asyncio
import dataclasses
import hashlib
from typing import Any

import pytest

from app.services.context import Network
from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import stored
from tests.faces.http.test_connections import client_of
from tests.faces.http.test_devices import PATH, exchanged, kiosk, reported, shown
from tests.faces.http.test_front import front_of
from tests.service import Service

CANARY = "Canary7f3a"


async def test_a_set_up_token_is_good_once(service: Service) -> None:
    await service.gate()
    made, key = await kiosk(service)
    before = stored(service)
    assert_problem(await shown(service, made["setup"]["token"]), 409, "setup_used")
    assert stored(service) == before
    assert (await reported(service, key)).status_code == 200


async def test_of_16_who_show_a_set_up_token_at_once_one_becomes_the_device(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet", gate="main-door")
    answers = await asyncio.gather(*(shown(service, made["setup"]["token"]) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
    assert {answer.json().get("code") for answer in answers} == {None, "setup_used"}
    keys = [row for row in stored(service)["api_keys"] if "devices:report" in row]
    assert len(keys) == 1


async def test_a_set_up_token_expires_after_30_minutes(service: Service) -> None:
    await service.gate()
    made, other = [await service.create(PATH, name="Tablet", gate="main-door") for _ in range(2)]
    service.clock.advance(30 * 60 - 20)
    await exchanged(service, other)
    service.clock.advance(21)
    before = stored(service)
    problem = assert_problem(await shown(service, made["setup"]["token"]), 409, "setup_expired")
    assert "30 minutes" in problem["detail"]
    assert stored(service) == before


async def test_a_set_up_token_that_is_not_known_is_not_repeated(service: Service) -> None:
    for token in (CANARY, "gp_setup_" + "0" * 33, service.key, CANARY * 9, "\u202e" + CANARY):
        answer = await shown(service, token)
        problem = assert_problem(answer, 404)
        assert "set-up token" in problem["detail"]
        assert CANARY not in answer.text
        assert service.key not in answer.text


@pytest.mark.parametrize("rest", [{}, {"token": "x"}, {"token": 7, CANARY: CANARY}, {"attestation": [CANARY]}])
async def test_a_later_handshake_is_told_so_before_anything_else(still_service: Service, rest: dict[str, Any]) -> None:
    for version in (2, 17, 10**15):
        answer = await still_service.http.post(f"{PATH}/initialize", json={"handshake_version": version, **rest})
        assert "too new" in assert_problem(answer, 409, "handshake_too_new")["detail"]
        assert CANARY not in answer.text


async def test_a_handshake_that_is_none_is_refused_and_not_repeated(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet", gate="main-door")
    before = stored(service)
    impossible = [
        ({"handshake_version": 0}, "handshake_version"), ({"handshake_version": True}, "handshake_version"),
        ({"handshake_version": "1"}, "handshake_version"), ({"handshake_version": 1.5}, "handshake_version"),
        ({"handshake_version": None}, "handshake_version"), ({"token": ""}, "token"), ({"token": CANARY * 11}, "token"),
        ({"token": [CANARY]}, "token"), ({"name": ""}, "name"), ({"name": f"{CANARY}\n"}, "name"),
        ({"software": ""}, "software"), ({"software": f"{CANARY}\u00e9"}, "software"), ({"software": "x" * 65}, "software"),
        ({CANARY: 1}, ""),
    ]  # fmt: skip
    for change, field in impossible:
        body = {"handshake_version": 1, "token": made["setup"]["token"], **change}
        answer = await service.http.post(f"{PATH}/initialize", json=body)
        assert_problem(answer, 422, field=field)
        assert CANARY not in answer.text
    assert stored(service) == before
    await exchanged(service, made, name="Named by itself")
    assert (await service.call("GET", f"{PATH}/{made['id']}")).json()["name"] == "Named by itself"


async def test_the_one_call_without_a_key_is_held_to_the_same_body(still_service: Service) -> None:
    path = f"{PATH}/initialize"
    assert_problem(await still_service.http.post(path, content=b"x" * 65_537), 413)
    assert_problem(await still_service.http.post(path, content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    for body in (b"{", b'{"token": "a", "token": "b"}', b'{"token": NaN}', b"\xff"):
        headers = {"Content-Type": "application/json"}
        assert_problem(await still_service.http.post(path, content=body, headers=headers), 400)
    for method, other in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", path + "/"), ("POST", PATH)):
        assert_problem(await still_service.http.request(method, other, json={}), 401)
    assert_problem(await still_service.call("GET", path), 404)


async def test_a_set_up_token_is_no_api_key(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet", gate="main-door")
    assert_problem(await reported(service, made["setup"]["token"]), 401)
    assert_problem(await service.call("GET", PATH, key=made["setup"]["token"]), 401)
    key = await exchanged(service, made)
    assert_problem(await shown(service, key), 404)


async def test_a_device_whose_gate_is_gone_is_not_set_up_and_keeps_its_set_up_token(service: Service) -> None:
    for gate in ("main-door", "back-door"):
        await service.gate(gate)
    made = await service.create(PATH, name="Tablet", gate="main-door")
    await service.call("DELETE", "/v1/gates/main-door")
    before = stored(service)
    assert "no such gate" in assert_problem(await shown(service, made["setup"]["token"]), 404)["detail"]
    assert stored(service) == before
    await service.call("PATCH", f"{PATH}/{made['id']}", json={"gate": "back-door"})
    assert (await shown(service, made["setup"]["token"])).json()["gate"] == "back-door"


async def test_a_device_that_is_set_up_again_is_the_same_device_with_another_key(service: Service) -> None:
    await service.gate()
    made, old = await kiosk(service)
    again = await service.call("POST", f"{PATH}/{made['id']}/setup")
    assert again.status_code == 201
    assert again.json()["id"] == made["id"]
    assert again.json()["setup"]["token"] != made["setup"]["token"]
    assert_problem(await shown(service, made["setup"]["token"]), 404)
    assert (await reported(service, old)).status_code == 200
    new = await exchanged(service, again.json())
    assert_problem(await reported(service, old), 401)
    assert (await reported(service, new)).json()["id"] == made["id"]


async def test_only_the_newest_set_up_token_is_good(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, name="Tablet", gate="main-door")
    newer = (await service.call("POST", f"{PATH}/{made['id']}/setup")).json()
    assert "newer" in assert_problem(await shown(service, made["setup"]["token"]), 404)["detail"]
    await exchanged(service, newer)


@pytest.mark.parametrize(
    ("public_url", "here", "shown_as"),
    [
        (None, "http://gatepass.test", "http://gatepass.test"),
        (None, "https://gatepass.test:8443", "https://gatepass.test:8443"),
        (None, "http://[::1]:8000", "http://[::1]:8000"),
        ("https://gate.example.com", "http://127.0.0.1:8000", "https://gate.example.com"),
        ("https://gate.example.com/in/", "http://127.0.0.1:8000", "https://gate.example.com/in"),
    ],
)
async def test_a_device_is_told_an_address_that_it_can_reach(
    still_service: Service, public_url: str | None, here: str, shown_as: str
) -> None:
    context = dataclasses.replace(still_service.context, network=Network(public_url=public_url))
    async with client_of(front_of(context), here) as http:
        made = await Service(context, http, still_service.key, still_service.clock).create(
            PATH, name="Tablet", gate="main-door"
        )
    assert made["setup"]["url"] == f"{shown_as}/kiosk#setup={made['setup']['token']}&v=1"


@pytest.mark.parametrize(
    "host", ["[", "a b", "\xe9", "a:x", "a:999999", "", "user@host", "a/b?c#d", 'a"b', "[::1", "a,b"]
)
async def test_a_host_header_that_is_none_makes_no_device(still_service: Service, host: str) -> None:
    async with client_of(front_of(still_service.context)) as http:
        headers = [(b"authorization", f"Bearer {still_service.key}".encode()), (b"host", host.encode("latin-1"))]
        before = stored(still_service)
        answer = await http.post(PATH, json={"name": "Tablet", "gate": "main-door"}, headers=headers)
    assert_problem(answer, 422, field="Host")
    assert stored(still_service) == before


async def test_a_set_up_token_has_160_random_bits_and_is_kept_as_a_hash(service: Service) -> None:
    await service.gate()
    token = (await service.create(PATH, name="Tablet", gate="main-door"))["setup"]["token"]
    assert token.startswith("gp_setup_")
    assert 62 ** (len(token) - len("gp_setup_") - 6) > 2**160
    (row,) = stored(service)["devices"]
    assert repr(hashlib.sha256(token.encode()).digest()) in row
