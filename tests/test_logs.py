"""The log of a running service: one JSON object a line, and nothing in it that a caller sent."""

import logging
import sys
import warnings
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import structlog

from app.logs import _places_only, configure_logs
from tests.faces.http.pictures import multipart, photo
from tests.faces.http.server import Server, served
from tests.postgres import PostgresServer

REF, NAME, GATE, JUNK = "ref-Canary-3f91", "Ada Canary-77ab", "canary-gate-1c0d", "Canary-junk-e5e5"


@pytest.fixture(scope="module")
def database(postgresql_server: PostgresServer, migrated_postgresql: str) -> str:
    postgresql_server.execute(f"CREATE DATABASE logs TEMPLATE {migrated_postgresql} STRATEGY file_copy")
    return "logs"


@pytest.fixture(params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql_server: PostgresServer, database: str
) -> Iterator[Server]:
    url = postgresql_server.url(database) if request.param == "postgresql" else None
    with served(tmp_path, url) as server:
        yield server


def post(client: httpx.Client, path: str, status: int, **arguments: Any) -> Any:
    answer = client.post(path, **arguments)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def ordinary_life(client: httpx.Client) -> set[str]:
    """Issue, verify, deny, send nonsense: what should be in no log."""
    secrets = {REF, NAME, GATE, JUNK}
    post(client, "/v1/gates", 201, json={"id": GATE, "name": JUNK})
    post(client, "/v1/holders", 201, json={"ref": REF, "name": NAME})
    pass_ = post(client, "/v1/passes", 201, json={"holder": REF, "gates": "all"})
    for kind in ("signed", "short", "code"):
        token = post(client, "/v1/tokens", 201, json={"pass": pass_["id"], "kind": kind, "picture": "png"})
        picture = photo(token["token"])
        secrets |= {token["token"], token["token"][4:], token["display"] or JUNK, b64encode(picture).decode()[:60]}
        for _ in range(2):
            post(
                client,
                "/v1/verifications",
                200,
                json={"token": token["token"], "gate": GATE, "request_id": JUNK + kind},
            )
        post(client, "/v1/verifications", 200, json={"picture": b64encode(picture).decode(), "gate": GATE})
        post(client, "/v1/verifications", 200, **multipart(picture, {"gate": GATE}))
    key = post(client, "/v1/api-keys", 201, json={"name": JUNK, "scopes": ["admin"]})
    secrets |= {key["secret"], key["secret"][9:], client.headers["authorization"].split()[1]}
    post(client, f"/v1/passes/{pass_['id']}/revoke", 200, json={"reason": JUNK})
    for body in (
        JUNK.encode(),
        b'{"' + JUNK.encode() + b'": 1}',
        b'{"ref": "\\ud800' + JUNK.encode() + b'"}',
        b"\xff" * 99,
    ):
        assert client.post("/v1/holders", content=body, headers={"Content-Type": "application/json"}).is_client_error
    bad_form = multipart(JUNK.encode(), {JUNK: JUNK})
    for content in (bad_form["content"], bad_form["content"][:90], JUNK.encode(), bad_form["content"] + JUNK.encode()):
        assert client.post("/v1/verifications", content=content, headers=bad_form["headers"]).is_client_error
    for path in (f"/v1/gates/{JUNK}", f"/{JUNK}", f"/v1/holders?{JUNK}={JUNK}", f"/v1/holders?ref={REF}&cursor={JUNK}"):
        assert not client.get(path).is_server_error
    assert client.get("/v1/gates", headers={"Authorization": f"Bearer {JUNK}"}).status_code == 401
    assert client.get("/v1/gates", headers={"Idempotency-Key": JUNK, "User-Agent": JUNK, "Cookie": JUNK}).is_success
    return secrets


def break_the_database(
    request: pytest.FixtureRequest, server: Server, postgresql: PostgresServer, database: str
) -> None:
    """Take a table away under the running service, as a botched maintenance would."""
    if "postgresql" in request.node.name:
        with psycopg.connect(postgresql.conninfo(database), autocommit=True) as connection:
            connection.execute("ALTER TABLE holders RENAME TO canary_holders")
    else:
        import sqlite3  # noqa: PLC0415

        with sqlite3.connect(server.folder / "gatepass.db") as connection:
            connection.execute("ALTER TABLE holders RENAME TO canary_holders")
        connection.close()


def test_the_log_is_json_and_repeats_nothing(
    request: pytest.FixtureRequest, server: Server, postgresql_server: PostgresServer, database: str
) -> None:
    with server.client() as client:
        secrets = ordinary_life(client)
        lines = server.lines()
        assert [line for line in lines if line["level"] not in {"info", "warning"}] == []
        break_the_database(request, server, postgresql_server, database)
        short = "GP0" + "A" * 26
        denied = post(client, "/v1/verifications", 200, json={"token": short, "gate": GATE, "request_id": "after"})
        assert (denied["decision"], denied["reason"]) == ("deny", "unavailable")
        failed = client.post("/v1/holders", json={"ref": REF + "2", "name": NAME})
        assert failed.status_code in {500, 503}
        assert failed.headers["content-type"] == "application/problem+json"
        assert failed.json()["request_id"] == failed.headers["request-id"]
        if failed.status_code == 500:
            server.wait_for_line(failed.headers["request-id"])
            named = [line for line in server.lines() if failed.headers["request-id"] in str(line)]
            assert [(line["event"], line["level"]) for line in named] == [("fault", "error")]
        metrics = client.get("/metrics").text
    assert len(server.lines()) > len(lines)
    log = server.log.read_text()
    for secret in secrets:
        assert secret not in log
        assert secret not in metrics
    assert "anary" not in log
    assert "anary" not in metrics
    for line in server.lines():
        assert {"event", "level", "timestamp"} <= set(line)


@pytest.fixture
def plain_logs() -> Iterator[None]:
    """Logs as a server has them, and afterwards as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    before = structlog.get_config()
    yield
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def test_a_traceback_is_places_without_words(plain_logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    try:
        raise ValueError(JUNK)
    except ValueError as fault:
        structlog.get_logger().error("fault", exc_info=fault)
        logging.getLogger("another").exception("failed")
    lines = capsys.readouterr().err
    assert JUNK not in lines
    for line in lines.splitlines():
        assert '"fault": "ValueError"' in line
        assert "test_logs.py:" in line
    assert len(lines.splitlines()) == 2


def test_libraries_talk_into_the_same_log(plain_logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").info("Started")
    (line,) = capsys.readouterr().err.splitlines()
    assert '"event": "Invalid HTTP request received."' in line


def test_a_warning_is_a_line_too(plain_logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("something is deprecated", stacklevel=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("{")


def test_a_fault_is_cut_to_its_last_places() -> None:
    def deep(n: int) -> None:
        if n:
            deep(n - 1)
        raise KeyError(JUNK)

    try:
        deep(20)
    except KeyError as fault:
        event = _places_only(None, "error", {"exc_info": fault})
    assert event["fault"] == "KeyError"
    assert len(event["at"]) == 8


def test_a_log_that_cannot_be_written_stops_nothing(
    plain_logs: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "closed").open("w") as closed:
        configure_logs()
    monkeypatch.setattr(sys, "stderr", closed)
    structlog.get_logger().error("fault", exc_info=ValueError(JUNK))
