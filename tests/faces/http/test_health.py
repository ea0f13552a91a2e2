"""What is public: health, metrics, keys, the reference."""

from base64 import urlsafe_b64decode

import pytest

from app.core.keys import key_id
from app.core.model import Claims
from app.core.token_format import Keyring
from app.core.tokens import recognise
from app.effects.ed25519 import SodiumKey
from app.services.keys import rotate
from tests.faces.http.answers import assert_problem
from tests.service import Service


async def test_a_living_process_says_so(service: Service) -> None:
    answer = await service.http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_while_the_database_answers(service: Service) -> None:
    answer = await service.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "missing": []})


async def test_it_says_what_is_missing(sqlite_service: Service) -> None:
    database = sqlite_service.context.store._database  # type: ignore[attr-defined]
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    answer = await sqlite_service.http.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    assert answer.json()["missing"]
    assert (await sqlite_service.http.get("/healthz")).status_code == 200


async def test_public_keys_are_a_json_web_key_set(lone_service: Service) -> None:
    answer = await lone_service.http.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    (key,) = answer.json()["keys"]
    public, kid = (urlsafe_b64decode(key.pop(name) + "==") for name in ("x", "kid"))
    assert (len(public), kid) == (32, key_id(public))
    assert key == {"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "use": "sig"}
    text = (await lone_service.token(await lone_service.pass_()))["token"]
    assert isinstance(recognise(text, "acme", Keyring({kid: SodiumKey(public)})), Claims)


async def test_the_next_key_is_published_before_it_signs(lone_service: Service) -> None:
    (first,) = (await lone_service.http.get("/.well-known/jwks.json")).json()["keys"]
    await rotate(lone_service.context)
    await lone_service.context.keychain.refresh()
    keys = (await lone_service.http.get("/.well-known/jwks.json")).json()["keys"]
    assert (len(keys), keys[0]) == (2, first)


async def test_metrics_count_and_name_nobody(lone_service: Service) -> None:
    await lone_service.gate("front-door-7f3a")
    token = await lone_service.token(await lone_service.pass_("emp-7f3a"))
    await lone_service.verify(token["token"], "front-door-7f3a", request_id="request-7f3a")
    await lone_service.call("GET", "/v1/gates/front-door-7f3a")
    await lone_service.http.get("/nothing-7f3a")
    await lone_service.http.get("/healthz")
    answer = await lone_service.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    assert 'gatepass_verifications_total{decision="admit",reason="ok"} 1.0' in text
    assert 'gatepass_http_requests_total{method="GET",route="/v1/gates/{id}",status="200"} 1.0' in text
    assert 'gatepass_http_requests_total{method="POST",route="/v1/verifications",status="200"} 1.0' in text
    assert 'gatepass_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text
    for secret in ("7f3a", "emp-", lone_service.key, token["token"], token["id"], token["pass"], "acme"):
        assert secret not in text


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_reference_needs_no_key_and_no_other_host(still_service: Service, path: str) -> None:
    answer = await still_service.http.get(path)
    assert answer.status_code == 200
    assert "cdn." not in answer.text


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/gates", "/healthz/", "/.env", "//v1/gates", "/docs/../v1"])
async def test_where_nothing_is_there_is_a_problem(still_service: Service, path: str) -> None:
    assert_problem(await still_service.http.get(path), 404)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/.well-known/jwks.json", "/v1/gates", "/docs"])
async def test_whatever_can_be_read_can_be_asked_for_its_headers(still_service: Service, path: str) -> None:
    answers = [await still_service.call(method, path) for method in ("GET", "HEAD")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].content == b""
    if path != "/metrics":
        assert answers[1].headers["content-length"] == answers[0].headers["content-length"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/gates/main-door", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("DELETE", "/v1/gates", {"GET", "HEAD", "POST"}),
        ("PUT", "/v1/verifications", {"GET", "HEAD", "POST"}),
        ("GET", "/v1/tokens", {"POST"}),
        ("GET", "/v1/tokens/tok_x/revoke", {"POST"}),
        ("OPTIONS", "/v1/gates", {"GET", "HEAD", "POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("PROPFIND", "/v1/gates", {"GET", "HEAD", "POST"}),
    ],
)
async def test_a_method_that_an_address_has_not_is_told_those_it_has(
    still_service: Service, method: str, path: str, allowed: set[str]
) -> None:
    answer = await still_service.call(method, path)
    assert_problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == allowed
