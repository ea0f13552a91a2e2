"""`Idempotency-Key`: a create that is sent again makes nothing twice."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import ENDPOINTS, Endpoint, seed, stored
from tests.service import Service

CREATES = [endpoint for endpoint in ENDPOINTS if endpoint.status == 201]
SECRETS = ("secret", "token", "display", "picture", "credentials")


async def send(service: Service, path: str, body: Any, key: str = "order-1") -> httpx.Response:
    return await service.call("POST", path, json=body, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("endpoint", CREATES, ids=str)
async def test_the_same_request_gives_the_same_resource_without_its_secret(
    service: Service, endpoint: Endpoint
) -> None:
    made = await seed(service)
    body = endpoint.filled(made)
    first = await send(service, endpoint.at(made), body)
    assert first.status_code == 201, first.text
    before = stored(service)
    again = await send(service, endpoint.at(made), body)
    assert again.status_code == 201
    expected = {name: None if name in SECRETS else value for name, value in first.json().items()}
    if "setup" in expected:
        expected["setup"] |= dict.fromkeys(("url", "token", "qr"))
    assert again.json() == expected
    assert stored(service) == before


@pytest.mark.parametrize("endpoint", [each for each in CREATES if each.body is not None], ids=str)
async def test_the_same_key_with_another_body_is_refused(service: Service, endpoint: Endpoint) -> None:
    made = await seed(service)
    body = endpoint.filled(made)
    await send(service, endpoint.at(made), body)
    before = stored(service)
    name = next(iter(body))
    another = {"pass": made["spare_pass"], "gate": made["spare_gate"]}
    changed = {**body, name: another.get(name, "something else")}
    assert_problem(await send(service, endpoint.at(made), changed), 409, "idempotency_key_reused")
    assert stored(service) == before


async def test_the_same_key_at_another_address_is_refused(service: Service) -> None:
    await send(service, "/v1/zones", {"name": "A"})
    assert_problem(await send(service, "/v1/gates", {"name": "A"}), 409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/holders", {"ref": "emp-1"}),
        ("/v1/gates", {"id": "main-door", "name": "Main door"}),
        ("/v1/zones", {"id": "hq", "name": "Headquarters"}),
        ("/v1/passes", {"holder": "emp-1", "gates": "all"}),
        ("/v1/api-keys", {"name": "a key", "scopes": ["gates:read"]}),
    ],
)
async def test_of_many_at_once_one_is_made_and_all_get_it(service: Service, path: str, body: Any) -> None:
    answers = await asyncio.gather(*(send(service, path, body) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    if path == "/v1/api-keys":
        assert len([answer for answer in answers if answer.json()["secret"] is not None]) == 1
    listed = (await service.call("GET", path)).json()["items"]
    assert len(listed) == (2 if path == "/v1/api-keys" else 1)


@pytest.mark.parametrize("kind", ["signed", "short", "code"])
async def test_of_many_at_once_one_token_is_issued(service: Service, kind: str) -> None:
    pass_ = await service.pass_()
    answers = await asyncio.gather(
        *(send(service, "/v1/tokens", {"pass": pass_["id"], "kind": kind}) for _ in range(6))
    )
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len([answer for answer in answers if answer.json()["token"] is not None]) == 1
    assert len(stored(service)["tokens"]) == 1


async def test_a_refused_request_does_not_spend_its_key(service: Service) -> None:
    body = {"ref": "emp-1"}
    await service.create("/v1/holders", **body)
    assert_problem(await send(service, "/v1/holders", body), 409, "holder_exists")
    assert_problem(await send(service, "/v1/passes", {"holder": "emp-1"}), 422)
    assert (await send(service, "/v1/passes", {"holder": "emp-1", "gates": "all"})).status_code == 201


async def test_a_key_counts_within_its_credential(service: Service) -> None:
    other = await service.api_key("gates:write")
    first = await send(service, "/v1/gates", {"name": "A"})
    second = await service.call(
        "POST", "/v1/gates", key=other, json={"name": "A"}, headers={"Idempotency-Key": "order-1"}
    )
    assert second.status_code == 201
    assert first.json()["id"] != second.json()["id"]


async def test_what_was_made_and_is_gone_is_not_made_again(service: Service) -> None:
    gate = (await send(service, "/v1/gates", {"name": "A"})).json()
    await service.call("DELETE", f"/v1/gates/{gate['id']}")
    assert_problem(await send(service, "/v1/gates", {"name": "A"}), 404)


async def test_a_picture_that_was_given_is_not_kept(still_service: Service) -> None:
    pass_ = await still_service.pass_()
    headers = {"Idempotency-Key": "order-1", "Accept": "image/png"}
    body = {"pass": pass_["id"], "kind": "short"}
    first = await still_service.call("POST", "/v1/tokens", json=body, headers=headers)
    assert first.status_code == 201
    again = await still_service.call("POST", "/v1/tokens", json=body, headers=headers)
    assert_problem(again, 409, "token_not_kept")


async def test_without_a_key_every_request_makes_something(still_service: Service) -> None:
    ids = {(await still_service.create("/v1/gates", name="A"))["id"] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize("key", [b"", b"a" * 129, b"a b", b"\xe9", b"a\tb", b"\xff"])
async def test_a_key_is_1_to_128_visible_characters(sqlite_service: Service, key: bytes) -> None:
    headers = [
        (b"authorization", b"Bearer " + sqlite_service.key.encode()),
        (b"content-type", b"application/json"),
        (b"idempotency-key", key),
    ]
    answer = await sqlite_service.http.post("/v1/gates", headers=headers, content=b'{"name": "A"}')
    assert_problem(answer, 422, field="Idempotency-Key")
    assert (await sqlite_service.call("GET", "/v1/gates")).json()["items"] == []


async def test_the_longest_key_is_taken(sqlite_service: Service) -> None:
    for key in ("!", "~" * 128, "{}[]\"'"):
        assert (await send(sqlite_service, "/v1/gates", {"name": "A"}, key)).status_code == 201
