"""`/v1/api-keys`, and what a key may and may not do."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.services.credentials import SCOPES
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.faces.http.endpoints import ENDPOINTS, Endpoint, seed, stored
from tests.service import Service


async def test_a_keys_secret_is_shown_once(service: Service) -> None:
    made = await service.create("/v1/api-keys", name="The office", scopes=["tokens:issue", "gates:read"])
    secret = made.pop("secret")
    assert re.fullmatch(r"gp_key_[0-9A-Za-z]{33}", secret)
    assert secret not in repr(stored(service))
    listed = (await service.call("GET", "/v1/api-keys")).json()
    assert listed["next"] is None
    assert listed["items"][0] == made
    assert secret not in repr(listed)
    assert shown_id("key").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {
        "name": "The office", "scopes": ["gates:read", "tokens:issue"], "gate": None, "side": None, "expires_at": None,
    }  # fmt: skip


async def test_what_a_key_is_for_is_seen_in_it(still_service: Service) -> None:
    assert (await still_service.api_key("admin")).startswith("gp_admin_")
    assert (await still_service.api_key("verifications:create", gate="main-door")).startswith("gp_gate_")
    assert (await still_service.api_key("verifications:create")).startswith("gp_key_")


ASKING = [endpoint for endpoint in ENDPOINTS if endpoint.scope is not None]


async def test_every_endpoint_asks_for_its_scope(sqlite_service: Service) -> None:
    service = sqlite_service
    made = await seed(service)
    keys = {scope: await service.api_key(scope) for scope in SCOPES}
    lacking = {
        scope: await service.api_key(*(each for each in SCOPES if each not in ("admin", scope))) for scope in SCOPES
    }
    for endpoint in ASKING:
        before = stored(service)
        assert_problem(await ask(service, endpoint, made, lacking[endpoint.scope]), 403)
        assert stored(service) == before, endpoint
        if endpoint.own or endpoint.by_device:
            assert_problem(await ask(service, endpoint, made, keys[endpoint.scope]), 403)
            assert stored(service) == before, endpoint
        if endpoint.own:
            continue
        answer = await ask(service, endpoint, made, endpoint.key(made) or keys[endpoint.scope])
        assert answer.status_code == endpoint.status, (str(endpoint), answer.text)


async def test_a_key_bound_to_a_gate_may_verify_there_and_nothing_else(sqlite_service: Service) -> None:
    service = sqlite_service
    made = await seed(service)
    elsewhere = await service.api_key("verifications:create", gate=made["spare_gate"])
    here = await service.api_key("verifications:create", gate=made["gate"])
    before = stored(service)
    for endpoint in ASKING:
        assert_problem(await ask(service, endpoint, made, elsewhere), 403)
        if endpoint.scope != "verifications:create":
            assert_problem(await ask(service, endpoint, made, here), 403)
    assert stored(service) == before
    assert (await service.verify(made["text"], made["gate"], key=here))["decision"] == "admit"


async def ask(service: Service, endpoint: Endpoint, made: Mapping[str, str], key: str) -> httpx.Response:
    arguments = {} if endpoint.body is None else {"json": endpoint.filled(made)}
    return await service.call(endpoint.method, endpoint.at(made), key=key, **arguments)


async def test_a_gates_key_learns_nothing_of_other_gates(service: Service) -> None:
    await service.gate()
    key = await service.api_key("verifications:create", gate="main-door")
    answers = [
        await service.call("POST", "/v1/verifications", key=key, json={"token": "x", "gate": gate})
        for gate in ("nowhere", await gate_id(service))
    ]
    for answer in answers:
        assert_problem(answer, 403)
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def gate_id(service: Service) -> str:
    id_: str = (await service.create("/v1/gates", name="Another"))["id"]
    return id_


async def test_an_expired_key_is_refused(service: Service) -> None:
    in_an_hour = datetime.fromtimestamp(service.clock.now() // 1_000_000 + 3600, UTC).isoformat()
    key = await service.api_key("gates:read", expires_at=in_an_hour)
    assert (await service.call("GET", "/v1/gates", key=key)).status_code == 200
    service.clock.advance(3601)
    assert_problem(await service.call("GET", "/v1/gates", key=key), 401)


async def test_a_revoked_key_is_refused_at_once(service: Service) -> None:
    made = await service.create("/v1/api-keys", name="a key", scopes=["gates:read"])
    assert (await service.call("GET", "/v1/gates", key=made["secret"])).status_code == 200
    for _ in range(2):
        revoked = await service.call("DELETE", f"/v1/api-keys/{made['id']}")
        assert (revoked.status_code, revoked.content) == (204, b"")
    assert_problem(await service.call("GET", "/v1/gates", key=made["secret"]), 401)
    listed = (await service.call("GET", "/v1/api-keys")).json()["items"]
    assert made["id"] not in [key["id"] for key in listed]


async def test_a_key_that_is_not_there_cannot_be_revoked(service: Service) -> None:
    for id_ in ("key_0000000000000000000000", "x"):
        assert_problem(await service.call("DELETE", f"/v1/api-keys/{id_}"), 404)


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"scopes": []}, "scopes"),
    ({"scopes": ["everything"]}, "scopes"),
    ({"scopes": "admin"}, "scopes"),
    ({"scopes": [1]}, "scopes.0"),
    ({"scopes": ["admin"], "gate": "main-door"}, "scopes"),
    ({"scopes": ["verifications:create", "gates:read"], "gate": "main-door"}, "scopes"),
    ({"side": "entry"}, "side"),
    ({"gate": "main-door", "side": "both"}, "side"),
    ({"gate": "main-door", "side": "exit"}, "side"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"name": ""}, "name"),
]


async def test_a_key_that_cannot_be_is_refused(service: Service) -> None:
    await service.gate()
    before = stored(service)
    for change, field in IMPOSSIBLE:
        body = {"name": "a key", "scopes": ["verifications:create"], **change}
        assert_problem(await service.call("POST", "/v1/api-keys", json=body), 422, field=field)
    assert stored(service) == before


async def test_a_key_is_bound_to_a_gate_that_is_there(service: Service) -> None:
    body = {"name": "a key", "scopes": ["verifications:create"], "gate": "nowhere"}
    assert_problem(await service.call("POST", "/v1/api-keys", json=body), 404)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic Z3A6Z3A=", "Bearer nonsense", "Bearer gp_admin_", "gp_admin_x"],
)
async def test_without_a_key_nothing_is_said(still_service: Service, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (("GET", "/v1/gates"), ("POST", "/v1/verifications"), ("GET", "/v1/nothing-here")):
        answer = await still_service.http.request(method, path, headers=headers)
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_that_was_mistyped_is_refused(service: Service) -> None:
    for place in (3, 12, -1):
        wrong = "a" if service.key[place] != "a" else "b"
        key = service.key[:place] + wrong + (service.key[place + 1 :] if place != -1 else "")
        assert_problem(await service.call("GET", "/v1/gates", key=key), 401)
    for key in (service.key.lower(), service.key + "0", service.key[:-1], f"{service.key} x", "gp_" + "0" * 60):
        assert_problem(await service.call("GET", "/v1/gates", key=key), 401)


@pytest.mark.parametrize("junk", [b"\xff\xfe", "é".encode(), "\u202egp_".encode(), b"gp_\x80", b"\xed\xa0\x80"])
async def test_a_key_of_other_letters_is_refused(still_service: Service, junk: bytes) -> None:
    for value in (b"Bearer " + junk, junk, b"Bearer gp_admin_" + junk + b"0" * 33):
        answer = await still_service.http.get("/v1/gates", headers=[(b"authorization", value)])
        assert_problem(answer, 401)


async def test_the_word_bearer_may_be_written_in_any_way(still_service: Service) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        answer = await still_service.http.get("/v1/gates", headers={"Authorization": f"{scheme} {still_service.key}"})
        assert answer.status_code == 200
