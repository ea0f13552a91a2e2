"""`/v1/connections`: made with credentials that are shown once, listed, revoked."""

import dataclasses
import hashlib
import ipaddress
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy

from app.faces.dialects import DIALECTS
from app.faces.http.front import Front
from app.services.context import Network
from app.services.credentials import SCOPES
from app.storage.tables import idempotency_keys
from tests.faces.http.answers import TIME, assert_problem, shown_id
from tests.faces.http.endpoints import stored
from tests.faces.http.test_front import front_of
from tests.service import Service

PATH = "/v1/connections"
READER = {"url": "http://192.0.2.10", "username": "admin", "password": "a password"}
POLLING = [kind for kind, dialect in DIALECTS.items() if dialect.kind.polls]
NOT_POLLING = [kind for kind, dialect in DIALECTS.items() if not dialect.kind.polls]


async def window(service: Service, gate: str = "main-door") -> int:
    seconds: int = (await service.call("GET", f"/v1/gates/{gate}")).json()["repeat_window_s"]
    return seconds


@asynccontextmanager
async def networked(service: Service, **network: Any) -> AsyncIterator[Service]:
    """The same service where the operator has set something of its network."""
    context = dataclasses.replace(service.context, network=Network(**network))
    async with client_of(front_of(context)) as http:
        yield Service(context, http, service.key, service.clock)


def client_of(front: Front, base_url: str = "http://gatepass.test") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url=base_url)


def of_kind(kind: str, **body: Any) -> dict[str, Any]:
    """What makes a connection of that kind at the main door."""
    device = {"device": READER} if DIALECTS[kind].kind.calls_device else {}
    return {"kind": kind, "gate": "main-door", **device, **body}


async def test_its_credentials_are_shown_once(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, kind="rekognition", gate="main-door")
    credentials = made.pop("credentials")
    assert credentials.keys() >= {"access_key_id", "secret_access_key"}
    secret = credentials["secret_access_key"]
    assert (await service.call("GET", f"{PATH}/{made['id']}")).json() == made
    assert (await service.call("GET", PATH)).json() == {"items": [made], "next": None}
    assert secret not in repr(stored(service))
    assert credentials["access_key_id"] not in repr(stored(service))
    assert shown_id("conn").fullmatch(made.pop("id"))
    assert TIME.fullmatch(made.pop("created_at"))
    assert made == {"kind": "rekognition", "gate": "main-door", "side": None, "base_url": "http://gatepass.test"}


@pytest.mark.parametrize("kind", list(DIALECTS))
async def test_every_kind_can_be_connected(service: Service, kind: str) -> None:
    await service.gate()
    async with networked(service, devices=(ipaddress.ip_network("192.0.2.0/24"),)) as allowing:
        made = await allowing.create(PATH, **of_kind(kind))
    assert made["kind"] == kind
    assert made["credentials"]
    assert all(isinstance(each, str) and each for each in made["credentials"].values())
    assert "a password" not in repr(stored(service)) + repr(made)


async def test_a_repeated_create_gives_the_connection_without_its_credentials(service: Service) -> None:
    await service.gate()
    headers, body = {"Idempotency-Key": "order-1"}, {"kind": "compreface", "gate": "main-door"}
    first = await service.call("POST", PATH, json=body, headers=headers)
    before = stored(service)
    again = await service.call("POST", PATH, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == {**first.json(), "credentials": None}
    assert stored(service) == before
    other = {**body, "side": "entry"}
    assert_problem(await service.call("POST", PATH, json=other, headers=headers), 409, "idempotency_key_reused")


async def test_a_devices_password_cannot_be_guessed_from_what_makes_a_retry_safe(service: Service) -> None:
    await service.gate()
    body = json.dumps(of_kind("hikvision")).encode()
    headers = {"Idempotency-Key": "order-1", "Content-Type": "application/json"}
    async with networked(service, devices=(ipaddress.ip_network("192.0.2.0/24"),)) as allowing:
        for _ in range(2):
            answer = await allowing.call("POST", PATH, content=body, headers=headers)
            assert answer.status_code == 201
    database: sqlalchemy.Engine = service.context.store._database  # type: ignore[attr-defined]
    plain = hashlib.sha256(f"POST {PATH}\n".encode() + body).digest()
    with database.connect().execution_options(read_only=True) as connection:
        kept = list(connection.scalars(sqlalchemy.select(idempotency_keys.c.content)))
    assert kept
    assert plain not in kept


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"kind": "faces"}, "kind"),
    ({"kind": ""}, "kind"),
    ({"kind": "Compreface"}, "kind"),
    ({"kind": "x" * 33}, "kind"),
    ({"kind": None}, "kind"),
    ({"gate": ""}, "gate"),
    ({"gate": "../x"}, "gate"),
    ({"side": "both"}, "side"),
    ({"side": "exit"}, "side"),
    ({"pass_template": {}}, "gates"),
    ({"pass_template": {"gates": []}}, "gates"),
    ({"pass_template": {"gates": "all", "holder": "emp-1"}}, "pass_template"),
    ({"pass_template": {"gates": "all", "max_entries": 0}}, "pass_template.max_entries"),
    ({"pass_template": {"gates": "all", "valid_from": "2030-01-01T00:00:00Z", "valid_until": "2029-01-01T00:00:00Z"}}, "valid_until"),
    ({"pass_template": {"gates": "all", "zone_limits": [{"zone": "hq"}]}}, "pass_template.zone_limits.0"),
    ({"device": {"serial": ""}}, "device.serial"),
    ({"device": {"serial": "a b"}}, "device.serial"),
    ({"device": {"serial": "\uff11\uff12"}}, "device.serial"),
    ({"device": {"serial": "x" * 65}}, "device.serial"),
    ({"device": {"serial": "123\n"}}, "device.serial"),
    ({"device": {"colour": "red"}}, "device"),
    ({"device": READER}, "device"),
    ({"kind": "hikvision"}, "device"),
    ({"kind": "hikvision", "device": {"serial": "A1"}}, "device"),
    ({"kind": "hikvision", "device": READER}, "device.url"),
    ({"kind": "hikvision", "device": {**READER, "url": "http://["}}, "device.url"),
    ({"kind": "hikvision", "device": {**READER, "password": 1}}, "device.password"),
    ({"credentials": {}}, ""),
]  # fmt: skip


async def test_a_connection_that_cannot_be_is_refused(service: Service) -> None:
    await service.gate()
    before = stored(service)
    for change, field in IMPOSSIBLE:
        body = {"kind": "compreface", "gate": "main-door", **change}
        problem = assert_problem(await service.call("POST", PATH, json=body), 422, field=field)
        assert "a password" not in repr(problem)
    assert stored(service) == before


NOT_THERE: list[dict[str, Any]] = [
    {"gate": "nowhere"},
    {"pass_template": {"gates": ["nowhere"]}},
    {"pass_template": {"gates": [], "zones": ["nowhere"]}},
    {"pass_template": {"gates": "all", "schedule": "nowhere"}},
    {"pass_template": {"gates": "all", "zone_limits": [{"zone": "nowhere", "max_entries": 1}]}},
]


async def test_what_a_connection_names_has_to_be_there(service: Service) -> None:
    other = await service.another_tenant()
    for each in (service, other):
        await each.gate()
    await other.gate("nowhere")
    before = stored(service)
    for change in NOT_THERE:
        body = {"kind": "compreface", "gate": "main-door", **change}
        assert_problem(await service.call("POST", PATH, json=body), 404)
    assert stored(service) == before


async def test_at_a_gate_for_both_directions_the_side_is_said(service: Service) -> None:
    await service.gate("hall", direction="both")
    body = {"kind": "compreface", "gate": "hall"}
    assert_problem(await service.call("POST", PATH, json=body), 422, field="side")
    for side in ("entry", "exit"):
        assert (await service.create(PATH, **body, side=side))["side"] == side
    await service.gate("out", direction="exit")
    assert_problem(await service.call("POST", PATH, json={**body, "gate": "out", "side": "entry"}), 422, field="side")
    assert (await service.create(PATH, kind="compreface", gate="out"))["side"] is None


@pytest.mark.parametrize("kind", [POLLING[0], NOT_POLLING[0]])
async def test_a_gate_gets_a_repeat_window_with_its_first_camera_unless_it_has_one(service: Service, kind: str) -> None:
    for gate, before in (("main-door", 0), ("back-door", 9)):
        await service.gate(gate, repeat_window_s=before)
        await service.create(PATH, **of_kind(kind, gate=gate))
        assert await window(service, gate) == (before or (5 if kind in POLLING else 0))
    assert_problem(await service.call("POST", PATH, json=of_kind(kind, side="exit")), 422)
    assert await window(service) == (5 if kind in POLLING else 0)


async def test_whom_a_client_enrols_gets_the_pass_of_its_template(service: Service) -> None:
    await service.gate()
    template = {"gates": "all", "max_entries_per_day": 2, "valid_until": "2100-01-01T00:00:00Z"}
    for ref, extra in (("emp-1", {}), ("emp-2", {"pass_template": template})):
        made = await service.create(PATH, kind="compreface", gate="main-door", **extra)
        headers = {"x-api-key": made["credentials"]["api_key"]}
        answer = await service.http.post("/api/v1/recognition/subjects", json={"subject": ref}, headers=headers)
        assert answer.status_code == 201, answer.text
    passes = [
        (await service.call("GET", "/v1/passes", params={"holder": ref})).json()["items"][0]
        for ref in ("emp-1", "emp-2")
    ]
    assert [each["gates"] for each in passes] == [["main-door"], "all"]
    assert {name: passes[1][name] for name in template} == template


async def test_one_serial_number_is_one_devices(service: Service) -> None:
    await service.gate()
    other = await service.another_tenant()
    await other.gate()
    body = of_kind("fcard", device={"serial": f"SN.{service.key[-8:]}"})
    made = await service.create(PATH, **body)
    for each in (service, other):
        before = stored(each)
        assert_problem(await each.call("POST", PATH, json=body), 409, "serial_taken")
        assert stored(each) == before
    assert (await service.call("DELETE", f"{PATH}/{made['id']}")).status_code == 204
    await other.create(PATH, **body)


async def test_a_revoked_connection_is_gone_and_its_client_refused_at_once(service: Service) -> None:
    await service.gate()
    made, other = [await service.create(PATH, kind="compreface", gate="main-door") for _ in range(2)]
    headers = {"x-api-key": made["credentials"]["api_key"]}
    subjects = "/api/v1/recognition/subjects"
    assert (await service.http.post(subjects, json={"subject": "emp-1"}, headers=headers)).status_code == 201
    for _ in range(2):
        revoked = await service.call("DELETE", f"{PATH}/{made['id']}")
        assert (revoked.status_code, revoked.content) == (204, b"")
    assert (await service.http.get(subjects, headers=headers)).status_code == 404
    assert_problem(await service.call("GET", f"{PATH}/{made['id']}"), 404)
    assert [each["id"] for each in (await service.call("GET", PATH)).json()["items"]] == [other["id"]]
    passes = (await service.call("GET", "/v1/passes", params={"holder": "emp-1"})).json()["items"]
    assert [each["status"] for each in passes] == ["active"]


async def test_another_tenants_connection_is_not_there(service: Service) -> None:
    other = await service.another_tenant()
    await other.gate()
    theirs = await other.create(PATH, kind="compreface", gate="main-door")
    for method in ("GET", "DELETE"):
        for id_ in (theirs["id"], "conn_0000000000000000000000", "x", theirs["id"].replace("conn", "key")):
            assert_problem(await service.call(method, f"{PATH}/{id_}"), 404)
    assert (await service.call("GET", PATH)).json()["items"] == []
    assert (await other.call("GET", f"{PATH}/{theirs['id']}")).status_code == 200


async def test_only_an_admin_connects(service: Service) -> None:
    await service.gate()
    made = await service.create(PATH, kind="compreface", gate="main-door")
    keys = [
        await service.api_key(*(scope for scope in SCOPES if scope != "admin")),
        await service.api_key("verifications:create", gate="main-door"),
    ]
    before = stored(service)
    for key in keys:
        for method, path, body in (
            ("POST", PATH, {"kind": "compreface", "gate": "main-door"}),
            ("GET", PATH, None),
            ("GET", f"{PATH}/{made['id']}", None),
            ("DELETE", f"{PATH}/{made['id']}", None),
        ):
            arguments = {} if body is None else {"json": body}
            assert_problem(await service.call(method, path, key=key, **arguments), 403)
    assert stored(service) == before
    assert_problem(await service.http.get(PATH, headers={"x-api-key": made["credentials"]["api_key"]}), 401)
    assert_problem(await service.call("GET", PATH, key=made["credentials"]["api_key"]), 401)


async def test_connections_are_listed_a_page_at_a_time_newest_first(service: Service) -> None:
    await service.gate()
    ids = [(await service.create(PATH, kind="compreface", gate="main-door"))["id"] for _ in range(3)]
    first = (await service.call("GET", PATH, params={"limit": "2"})).json()
    rest = (await service.call("GET", PATH, params={"limit": "2", "cursor": first["next"]})).json()
    assert [each["id"] for each in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("network", "here", "shown"),
    [
        ({}, "http://gatepass.test", "http://gatepass.test"),
        ({}, "http://gatepass.test:8000", "http://gatepass.test:8000"),
        ({"public_url": "https://gate.example.com"}, "http://gatepass.test", "https://gate.example.com"),
        ({"public_url": "https://gate.example.com/in/"}, "http://gatepass.test", "https://gate.example.com/in"),
        ({"faces": {"compreface": "8801"}}, "http://gatepass.test:8000", "http://gatepass.test:8801"),
        ({"faces": {"compreface": "8801"}}, "http://[::1]:8000", "http://[::1]:8801"),
        ({"faces": {"compreface": "faces.test"}}, "http://gatepass.test:8000", "http://faces.test:8000"),
        ({"faces": {"rekognition": "8801"}}, "http://gatepass.test", "http://gatepass.test"),
        ({"public_url": "https://gate.example.com", "faces": {"compreface": "8801"}}, "http://gatepass.test:8000", "https://gate.example.com:8801"),
        ({"public_url": "https://gate.example.com", "faces": {"compreface": "faces.example.com"}}, "http://gatepass.test", "https://faces.example.com"),
        ({"public_url": "https://gate.example.com:8443", "faces": {"compreface": "faces.example.com"}}, "http://gatepass.test", "https://faces.example.com:8443"),
    ],
)  # fmt: skip
async def test_a_client_is_told_the_address_that_it_can_reach(
    still_service: Service, network: dict[str, Any], here: str, shown: str
) -> None:
    context = dataclasses.replace(still_service.context, network=Network(**network))
    async with client_of(front_of(context), here) as http:
        there = Service(context, http, still_service.key, still_service.clock)
        made = await there.create(PATH, kind="compreface", gate="main-door")
        assert made["base_url"] == shown
        assert (await there.call("GET", f"{PATH}/{made['id']}")).json()["base_url"] == shown


@pytest.mark.parametrize("host", ["[", "a b", "\xe9", "a:x", "a:99999", "", "8801", "user@host", "a/b?c#d"])
async def test_a_host_header_that_is_none_is_no_fault(still_service: Service, host: str) -> None:
    context = dataclasses.replace(still_service.context, network=Network(faces={"compreface": "8801"}))
    async with client_of(front_of(context)) as http:
        headers = [(b"authorization", f"Bearer {still_service.key}".encode()), (b"host", host.encode("latin-1"))]
        answer = await http.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_each_kind_is_named_where_there_is_no_such_kind(still_service: Service) -> None:
    answer = await still_service.call("POST", PATH, json={"kind": "Canary7f3a", "gate": "main-door"})
    problem = assert_problem(answer, 422, field="kind")
    assert set(re.findall(r"[a-z]+", problem["errors"][0]["message"].partition("There are:")[2])) == set(DIALECTS)
    assert "Canary" not in answer.text
