"""What holds for every request, before any route is looked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

import httpx
import pytest

from app.faces.http.front import Front
from app.faces.http.routes import make_routes
from app.services.context import Context
from tests.faces.http.answers import assert_problem
from tests.faces.http.endpoints import stored
from tests.service import Service


def front_of(context: Context, **options: float) -> Front:
    front = Front(make_routes(version("gatepass"), None), **options)
    front.open(context)
    return front


async def asked(
    front: Front, path: str, headers: dict[str, str], receive: Any, *, server: Any = ("gatepass.test", 80)
) -> list[Any]:
    """What a front sends for a POST whose body comes through `receive`."""
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "root_path": "",
        "scheme": "http", "server": server, "client": ("127.0.0.1", 1), "http_version": "1.1",
    }  # fmt: skip
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await front(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/gates", 200),
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/gates", 405),
        ("GET", "/v1/gates/nowhere", 404),
        ("GET", "/healthz", 200),
        ("GET", "/nothing", 404),
        ("GET", "/v1/verifications/", 404),
        ("POST", "/v1/verifications", 415),
    ],
)
async def test_every_answer_has_an_id_of_its_own(still_service: Service, method: str, path: str, status: int) -> None:
    answers = [await still_service.call(method, path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert len({answer.headers["request-id"] for answer in answers}) == 2
    if status >= 400:
        assert_problem(answers[0], status)


async def test_a_body_in_pieces_is_put_together(service: Service) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in json.dumps({"name": "Main door"}).encode():
            yield bytes([byte])

    answer = await service.call("POST", "/v1/gates", content=pieces(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 201


async def test_a_body_in_pieces_is_refused_once_it_is_too_large(sqlite_service: Service) -> None:
    taken = 0

    async def receive() -> Any:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 16_384, "more_body": True}

    front = front_of(sqlite_service.context)
    headers = {"authorization": f"Bearer {sqlite_service.key}", "content-type": "application/json"}
    for path, most in (("/v1/gates", 5), ("/v1/verifications", 430)):
        taken = 0
        sent = await asked(front, path, headers, receive)
        assert sent[0]["status"] == 413
        assert taken <= most


async def test_who_sends_too_slowly_is_not_waited_for(sqlite_service: Service) -> None:
    async def receive() -> Any:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b" ", "more_body": True}

    front = front_of(sqlite_service.context, receipt_s=0.1)
    headers = {"authorization": f"Bearer {sqlite_service.key}", "content-type": "application/json"}
    for path in ("/v1/gates", "/v1/verifications"):
        sent = await asyncio.wait_for(asked(front, path, headers, receive), 5)
        assert sent[0]["status"] == 408
        assert (b"connection", b"close") in sent[0]["headers"]
        assert json.loads(sent[1]["body"])["code"] == "timeout"


async def test_who_goes_away_is_forgotten(sqlite_service: Service) -> None:
    before = stored(sqlite_service)
    messages: list[Any] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b'{"na', "more_body": True}]

    async def receive() -> Any:
        return messages.pop()

    headers = {"authorization": f"Bearer {sqlite_service.key}", "content-type": "application/json"}
    assert await asked(front_of(sqlite_service.context), "/v1/gates", headers, receive) == []
    assert stored(sqlite_service) == before


async def test_nothing_of_a_body_is_read_before_the_caller_is_known(sqlite_service: Service) -> None:
    async def receive() -> Any:
        raise AssertionError("the body was read")

    sent = await asked(front_of(sqlite_service.context), "/v1/verifications", {"content-length": "5"}, receive)
    assert sent[0]["status"] == 401


async def test_a_fault_of_ours_is_a_plain_500_and_one_line_in_the_log(
    sqlite_service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Any:
        raise RuntimeError("Canary7f3a")

    context = sqlite_service.context
    front = front_of(context)
    front.routes.add_api_route("/v1/broken", broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url="http://gatepass.test") as http:
        answer = await http.get("/v1/broken", headers={"Authorization": f"Bearer {sqlite_service.key}"})
    problem = assert_problem(answer, 500, "internal_error")
    out, err = capfd.readouterr()
    (line,) = [json.loads(line) for line in (out + err).splitlines() if line.startswith("{")]
    assert (line["event"], line["request_id"], line["fault"]) == ("fault", problem["request_id"], "RuntimeError")
    assert "Canary" not in out + err + answer.text


async def test_without_its_database_the_way_in_is_shut_and_the_way_out_open(sqlite_service: Service) -> None:
    service = sqlite_service
    await service.gate()
    await service.gate("out", direction="exit")
    token = (await service.token(await service.pass_()))["token"]
    await service.verify("x", "out")
    await service.context.store._settler.close()  # type: ignore[attr-defined]
    service.context.store._settler._timeout_s = 0.05  # type: ignore[attr-defined]
    into, out = await service.verify(token, request_id="r-1"), await service.verify(token, "out")
    assert (into["decision"], into["reason"], into["flags"], into["pass"]) == ("deny", "unavailable", [], None)
    assert (out["decision"], out["reason"], out["flags"]) == ("admit", "ok", ["unavailable"])
    answer = await service.call("POST", "/v1/gates", json={"name": "A"})
    assert_problem(answer, 503)
    assert answer.headers["retry-after"] == "1"
