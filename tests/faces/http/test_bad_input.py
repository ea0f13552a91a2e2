"""Whatever is sent, the answer is clear, repeats nothing of it, and nothing was stored."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio

from app.faces.http.openapi import openapi
from app.faces.http.routes import make_routes
from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import ENDPOINTS, Endpoint, seed, stored
from tests.service import Service

CANARY = "Canary7f3a"
JSON = "application/json"
WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.method in {"POST", "PATCH"}]
SCHEMA = openapi(make_routes("0", None))

BROKEN = {
    "not UTF-8": b'{"name": "Canary7f3a \xff\xfe"}',
    "a surrogate in UTF-8": b'{"name": "Canary7f3a \xed\xa0\x80"}',
    "UTF-16": '{"name": "Canary7f3a"}'.encode("utf-16"),
    "a byte-order mark": b'\xef\xbb\xbf{"name": "Canary7f3a"}',
    "no JSON": b"Canary7f3a",
    "half a body": b'{"name": "Canary7f3a',
    "trailing text": b'{"name": "A"} Canary7f3a',
    "NUL": b'{"name": "Canary7f3a \\u0000"}',
    "NUL in a key": b'{"Canary7f3a \\u0000": 1}',
    "a raw NUL": b'{"name": "Canary7f3a \x00"}',
    "half a surrogate pair": b'{"name": "Canary7f3a \\ud800"}',
    "the other half": b'{"Canary7f3a \\udfff": "x"}',
    "NaN": b'{"name": NaN, "Canary7f3a": 1}',
    "Infinity": b'{"name": -Infinity, "Canary7f3a": 1}',
    "1e999": b'{"name": 1e999, "Canary7f3a": 1}',
    "a huge integer": b'{"Canary7f3a": ' + b"9" * 5000 + b"}",
    "a key twice": b'{"Canary7f3a": 1, "Canary7f3a": 1}',
    "a key twice, spelt differently": b'{"Canary7f3a": 1, "\\u0043anary7f3a": 1}',
    "10,000 lists": b"[" * 10_000 + b'"Canary7f3a"' + b"]" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b'"Canary7f3a"' + b"}" * 10_000,
}
NO_OBJECT = {
    "a list": b'["Canary7f3a"]',
    "a text": b'"Canary7f3a"',
    "a number": b"17",
    "true": b"true",
    "an empty list": b"[]",
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ready(shared_service: Service) -> tuple[Service, dict[str, str]]:
    """A tenant on each engine, and what is in it. Its tests leave it so, or add to it."""
    service = await shared_service.tenant("bad-input")
    return service, await seed(service)


Ready = tuple[Service, dict[str, str]]


async def send(ready: Ready, endpoint: Endpoint, body: bytes, content_type: str | None = JSON, **more: str) -> Any:
    service, made = ready
    sent = {"Authorization": f"Bearer {endpoint.key(made) or service.key}", **more}
    if content_type is not None:
        sent["Content-Type"] = content_type
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    return await service.http.request(endpoint.method, endpoint.at(made), content=body, headers=headers)


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_broken_body_is_refused_and_not_repeated(ready: Ready, endpoint: Endpoint) -> None:
    before = stored(ready[0])
    for name, body in BROKEN.items():
        answer = await send(ready, endpoint, body)
        assert CANARY not in answer.text + repr(answer.headers), name
        assert_problem(answer, 400)
    for name, body in NO_OBJECT.items():
        answer = await send(ready, endpoint, body)
        assert CANARY not in answer.text, name
        assert_problem(answer, 422)
    assert stored(ready[0]) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_body_that_is_too_large_is_refused_before_it_is_read(ready: Ready, endpoint: Endpoint) -> None:
    before = stored(ready[0])
    large = endpoint.path not in ("/v1/verifications", "/v1/verifications/sync")
    body = b'{"name": "' + CANARY.encode() * 10_000 + b'"}'
    answer = await send(ready, endpoint, body)
    assert_problem(answer, 413 if large else 422)
    assert CANARY not in answer.text
    for length in (str(100 * 1024 * 1024), "9" * 20, "9" * 5000):
        assert_problem(await send(ready, endpoint, b"{}", **{"Content-Length": length}), 413)
    for length in ("-1", "1.5", "x", " ", "+5", "\u0665".encode().decode("latin-1")):
        assert_problem(await send(ready, endpoint, b"{}", **{"Content-Length": length}), 400)
    assert stored(ready[0]) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_body_of_another_type_is_refused(ready: Ready, endpoint: Endpoint) -> None:
    before = stored(ready[0])
    types = [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "nonsense", "\xff"]
    if endpoint.path != "/v1/verifications":
        types.append("multipart/form-data; boundary=x")
    for content_type in types:
        answer = await send(ready, endpoint, json.dumps({"name": CANARY}).encode(), content_type)
        assert_problem(answer, 415)
        assert CANARY not in answer.text
    assert stored(ready[0]) == before


async def test_the_media_type_may_have_parameters_and_any_case(ready: Ready) -> None:
    (endpoint,) = [each for each in ENDPOINTS if str(each) == "PATCH /v1/gates/{gate}"]
    for content_type in ("application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"):
        assert (await send(ready, endpoint, b"{}", content_type)).status_code == 200


@pytest.mark.parametrize("endpoint", [each for each in WITH_BODY if each.body is not None], ids=str)
async def test_a_body_that_is_missing_is_missed(ready: Ready, endpoint: Endpoint) -> None:
    if "{pass_}" in endpoint.path or "{spare_pass}" in endpoint.path:
        return  # a change of nothing, or a reason that need not be given
    before = stored(ready[0])
    answer = await send(ready, endpoint, b"", None if endpoint.path != "/v1/verifications" else JSON)
    assert answer.status_code in {400, 422}
    assert_problem(answer, answer.status_code)
    assert stored(ready[0]) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_field_that_is_not_known_is_refused_and_not_repeated(ready: Ready, endpoint: Endpoint) -> None:
    before = stored(ready[0])
    body = (endpoint.filled(ready[1]) or {}) | {CANARY: CANARY}
    answer = await send(ready, endpoint, json.dumps(body).encode())
    assert_problem(answer, 422, field="")
    assert CANARY not in answer.text
    assert stored(ready[0]) == before


def fields(endpoint: Endpoint) -> Iterator[tuple[str, set[str]]]:
    """The fields of a body as `openapi.yaml` describes them, and the JSON types that each may have."""
    described = SCHEMA["paths"][endpoint.template][endpoint.method.lower()].get("requestBody")
    if described is None:
        return
    schema = described["content"][JSON]["schema"]
    for each in schema.get("anyOf", [schema]):
        if "$ref" in each:
            model = SCHEMA["components"]["schemas"][each["$ref"].rpartition("/")[2]]
            for name, field in model["properties"].items():
                yield name, {kind.get("type", "object") for kind in field.get("anyOf", [field])}


WRONG: dict[str, list[Any]] = {
    "string": [CANARY, ""],
    "integer": [17, 10**19, -(10**18)],
    "number": [1.5, 1e300],
    "boolean": [True, False],
    "null": [None],
    "array": [[], [CANARY], [[CANARY]]],
    "object": [{}, {CANARY: CANARY}],
}


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_value_of_another_type_is_refused_and_not_repeated(ready: Ready, endpoint: Endpoint) -> None:
    before = stored(ready[0])
    for name, types in fields(endpoint):
        for kind, values in WRONG.items():
            for value in values if kind not in types else ():
                body = (endpoint.filled(ready[1]) or {}) | {name: value}
                answer = await send(ready, endpoint, json.dumps(body).encode())
                problem = assert_problem(answer, 422)
                assert CANARY not in answer.text
                inner = {name, f"{name}.0", f"{name}.reason", ""}
                assert {error["field"] for error in problem["errors"]} <= inner, (name, value)
    assert stored(ready[0]) == before


ODD_TEXTS = [
    "'; DROP TABLE holders; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7} %s %n \\u0000 \\",
    '=HYPERLINK("http://example.com")',
    "\u202eemp\u2066\u200f",
    "\U0001f6aa\ufeff\u00a0\u2028",
    "e\u0301",
    "../../etc/passwd",
    "null",
    "a" * 128,
]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
async def test_odd_texts_are_texts_and_come_back_as_they_went(ready: Ready, text: str) -> None:
    service, made = ready
    holder = await service.create("/v1/holders", ref=text, name=text)
    assert (holder["ref"], holder["name"]) == (text, text)
    found = (await service.call("GET", "/v1/holders", params={"ref": text})).json()
    assert found == {"items": [holder], "next": None}
    pass_ = await service.pass_(text)
    assert (await service.call("GET", "/v1/passes", params={"holder": text})).json()["items"] == [pass_]
    token = await service.token(pass_)
    assert (await service.verify(token["token"], made["gate"]))["holder"] == {"ref": text, "name": text}
    (listed,) = (await service.call("GET", "/v1/verifications", params={"holder": text})).json()["items"]
    assert listed["holder"] == {"ref": text, "name": text}
    revoked = await service.call("POST", f"/v1/passes/{pass_['id']}/revoke", json={"reason": text})
    assert revoked.status_code == 200


async def test_control_characters_have_no_place_in_a_text(ready: Ready) -> None:
    service, made = ready
    before = stored(service)
    for character in ("\n", "\r", "\t", "\x1b", "\x7f", "\x01"):
        for field in ("ref", "name"):
            body = {"ref": "x", "name": "x", field: f"Canary7f3a{character}"}
            answer = await service.call("POST", "/v1/holders", json=body)
            assert_problem(answer, 422, field=field)
            assert CANARY not in answer.text
        path = f"/v1/passes/{made['pass_']}/suspend"
        assert_problem(await service.call("POST", path, json={"reason": character}), 422, field="reason")
    assert stored(service) == before


PATHS = [endpoint for endpoint in ENDPOINTS if "{" in endpoint.path]


@pytest.mark.parametrize(
    "junk",
    ["%00", "%ED%A0%80", "%FF%FE", "%E2%80%AE", "a%00b", "%0d%0aX: y", "..%2f..", "%25", "é", "a" * 5000, "%2e%2e", "'", "<b>", "pass_%EF%BC%91", "gate_%00"],
)  # fmt: skip
async def test_junk_in_a_path_is_not_found(ready: Ready, junk: str) -> None:
    service, made = ready
    before = stored(service)
    for endpoint in PATHS:
        path = endpoint.at(dict.fromkeys(made, junk + CANARY))
        body = {} if endpoint.body is None else {"json": endpoint.filled(made)}
        answer = await service.call(endpoint.method, path, **body)
        assert answer.status_code in {404, 405}, (str(endpoint), answer.text)
        assert CANARY not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert stored(service) == before


async def test_junk_in_a_query_is_refused_or_finds_nothing(ready: Ready) -> None:
    service, _ = ready
    for list_ in ("zones", "gates", "holders", "passes", "schedules", "verifications", "audit-events", "api-keys"):
        for query in (
            "limit=%00", "cursor=%00Canary7f3a", "cursor=%ED%A0%80", "ref=%00", "holder=a%00b", "gate=%00", "pass=%00",
            "Canary7f3a=1", "%00=1", "limit=1%00", "limit=\xb2", "since=%00", "limit=5&limit=Canary7f3a", "decision=%00",
            "holder=" + "a" * 129, "ref=%0a", "cursor=" + "A" * 5000,
        ):  # fmt: skip
            answer = await service.call("GET", f"/v1/{list_}?{query}")
            assert answer.status_code == 422, (list_, query, answer.text)
            assert CANARY not in answer.text
        for query in ("ref=%ED%A0%80", "holder=%FF", "ref=%E2%80%AE", "holder='%20OR%201=1"):
            answer = await service.call("GET", f"/v1/{list_}?{query}")
            assert answer.status_code == 422 or answer.json()["items"] == []
