"""`openapi.yaml`: it is what the application is, and the application does what it says."""

import json
import zlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from app.core.decision import REASONS
from app.faces.http.devices import WITHOUT_KEY
from app.faces.http.health import router as public
from app.faces.http.openapi import as_yaml, openapi
from app.faces.http.routes import make_routes
from tests.faces.http.endpoints import ENDPOINTS
from tests.faces.http.server import Server, served

FILE = Path(__file__).parents[1] / "openapi.yaml"
SCHEMA = openapi(make_routes(version("gatepass"), None))
OPERATIONS = [
    (path, method, operation)
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
]


def test_the_file_is_what_the_application_is() -> None:
    made = as_yaml(make_routes(version("gatepass"), None))
    assert FILE.read_text() == made, "run: make openapi"
    assert as_yaml(make_routes(version("gatepass"), None)) == made
    assert yaml.safe_load(made) == json.loads(json.dumps(SCHEMA))


def test_every_route_is_described_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, method, _ in OPERATIONS}
    routes = {("GET", route.path) for route in public.routes}  # type: ignore[attr-defined]
    assert described == {(each.method, each.template) for each in ENDPOINTS} | routes


def test_every_reason_is_named() -> None:
    assert SCHEMA["components"]["schemas"]["Verification"]["properties"]["reason"]["enum"] == list(REASONS)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=lambda value: str(value)[:40])
def test_every_operation_says_what_it_does_and_how_it_can_fail(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    responses = operation["responses"]
    good = [responses[status] for status in responses if status.startswith("2")]
    assert len(good) == 1
    assert good[0]["description"] not in {"Successful Response", ""}
    for response in responses.values():
        if "$ref" in response:
            response = SCHEMA["components"]["responses"][response["$ref"].rpartition("/")[2]]  # noqa: PLW2901
        assert "Request-Id" in response["headers"]
    if not path.startswith("/v1/"):
        assert "security" not in operation
        return
    without_key = (method.upper(), path) == WITHOUT_KEY
    assert operation["security"] == ([] if without_key else [{"ApiKey": []}])
    expected = {"413", "503"} if without_key else {"401", "403", "413", "503"}
    expected |= {"400", "415", "422"} if method in {"post", "patch"} else set()
    expected |= {"404"} if "{id}" in path else set()
    assert expected <= set(responses)


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert {"create_gate", "create_pass", "issue_token", "verify", "list_verifications"} <= set(names)
    tags = {tag["name"] for tag in SCHEMA["tags"]}
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == tags


def test_the_first_calls_have_examples_that_are_right() -> None:
    for name in ("NewGate", "NewPass", "NewToken", "NewVerification", "NewConnection", "NewDevice"):
        model = SCHEMA["components"]["schemas"][name]
        for example in model["examples"]:
            assert set(example) <= set(model["properties"])
            assert set(model["required"]) <= set(example)


def test_every_reference_is_there() -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, each in value.items():
                if key == "$ref":
                    yield each
                else:
                    yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    used = set(references(SCHEMA))
    parts = ("schemas", "responses", "headers")
    there = {f"#/components/{part}/{name}" for part in parts for name in SCHEMA["components"][part]}
    assert used == there


def test_what_can_be_null_says_so() -> None:
    schemas = SCHEMA["components"]["schemas"]
    nullable = {
        name: {
            field for field, each in schemas[name]["properties"].items() if {"type": "null"} in each.get("anyOf", ())
        }
        for name in (
            "Verification",
            "Pass",
            "IssuedTokenAnswer",
            "CreatedApiKey",
            "Gate",
            "Zone",
            "Holder",
            "CreatedConnection",
            "DeviceToSetUp",
            "Setup",
        )
    }
    assert nullable == {
        "Verification": {
            *("pass", "holder", "token_kind", "repeated", "request_id"),
            *("not_before", "override", "undone_at"),
        },
        "Pass": {"valid_from", "valid_until", "max_entries", "schedule", "max_entries_per_day", "min_interval_s"},
        "IssuedTokenAnswer": {"gate", "revoked_at", "token", "display", "picture", "blocked"},
        "CreatedApiKey": {"gate", "side", "expires_at", "secret"},
        "Gate": {"from_zone", "into_zone"},
        "Zone": {"within", "time_zone", "capacity", "forgive_after_s", "resets_at"},
        "Holder": {"name", "blocked"},
        "CreatedConnection": {"side", "credentials"},
        "DeviceToSetUp": {"side", "software", "battery", "last_seen_at", "initialized_at"},
        "Setup": {"url", "token", "qr"},
    }


api = schemathesis.openapi.from_dict(
    json.loads(json.dumps(SCHEMA)),
    config=SchemathesisConfig.from_dict(
        {
            "generation": {"max-examples": 6, "deterministic": True, "no-shrink": True},
            "phases": {"stateful": {"enabled": False}},
        }
    ),
)
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, unsupported_method,
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("openapi")) as server:
        yield server


@pytest.fixture(scope="module")
def known(server: Server) -> dict[str, str]:
    """What a made-up value of a field or of an address is replaced by, so that not everything is not found."""
    with server.client() as client:

        def made(path: str, **body: Any) -> str:
            answer = client.post(path, json=body)
            assert answer.status_code == 201, answer.text
            id_: str = answer.json()["id"]
            return id_

        zone, gate = (
            made("/v1/zones", id="hq", name="HQ", counted=True),
            made("/v1/gates", id="main-door", name="Main door"),
        )
        holder = made("/v1/holders", ref="emp-1042")
        pass_ = made("/v1/passes", holder="emp-1042", gates="all")
        token = made("/v1/tokens", **{"pass": pass_, "kind": "signed"})
        key = made("/v1/api-keys", name="spare", scopes=["gates:read"])
        connection = made("/v1/connections", kind="compreface", gate=gate)
        device = made("/v1/devices", name="A kiosk", gate=gate)
        schedule = made("/v1/schedules", name="Always")
        card = made(f"/v1/holders/{holder}/credentials", kind="barcode", value="4006381333931")
        shown = client.post("/v1/verifications", json={"token": "4006381333931", "gate": gate}).json()["id"]
    return {
        "zones": zone, "gates": gate, "holders": holder, "passes": pass_, "tokens": token, "api-keys": key,
        "schedules": schedule, "credentials": card, "verifications": shown, "schedule": schedule, "connections": connection,
        "devices": device,
        "pass": pass_, "gate": gate, "within": zone, "from_zone": zone, "into_zone": zone,
    }  # fmt: skip


@api.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_the_service_does_what_is_described(case: Any, server: Server, known: dict[str, str]) -> None:
    if zlib.crc32(repr((case.path_parameters, case.body)).encode()) % 3:
        if case.path_parameters:
            case.path_parameters = {"id": known[case.path.split("/")[2]]}
        if isinstance(case.body, dict):
            case.body = {name: known.get(name, value) for name, value in case.body.items()}
    answer = case.call(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=10)
    case.validate_response(answer, checks=CHECKS)
