"""The service behind a real server: what a socket can do to it."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvicorn

from app.faces.http.front import Front
from app.faces.http.routes import make_routes
from tests.conftest import make_settings
from tests.faces.http.server import Server, served
from tests.service import running_service

JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server")) as server:
        yield server
        assert [line for line in server.lines() if line["level"] == "error"] == []


def request(server: Server, line: str, *headers: str, body: bytes = b"") -> bytes:
    return b"\r\n".join(
        each.encode("latin-1")
        for each in (f"{line} HTTP/1.1", "Host: gatepass.test", f"Authorization: Bearer {server.key}", *headers, "", "")
    ) + body  # fmt: skip


def read_answer(connection: socket.socket, *, body: bool = True) -> tuple[int, dict[str, str], bytes]:
    """One answer: its status, its headers and its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += (chunk := connection.recv(65_536))
        assert chunk, received
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while body and len(rest) < int(headers["content-length"]):
        rest += (chunk := connection.recv(65_536))
        assert chunk
    return int(status.split()[1]), headers, rest


def ask(server: Server, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    with server.connect() as connection:
        connection.sendall(sent)
        return read_answer(connection)


def assert_alive(server: Server) -> None:
    with server.client() as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/v1/gates").json() == {"items": [], "next": None}


@pytest.mark.parametrize("path", ["/v1/gates", "/v1/verifications"])
def test_a_body_that_says_it_is_too_large_is_refused_unread(server: Server, path: str) -> None:
    status, headers, body = ask(server, request(server, f"POST {path}", JSON, "Content-Length: 104857600"))
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(body)["code"] == "too_large"
    assert_alive(server)


@pytest.mark.parametrize(("path", "most"), [("/v1/gates", 1 << 20), ("/v1/verifications", 16 << 20)])
def test_chunks_beyond_the_limit_are_refused_on_the_way(server: Server, path: str, most: int) -> None:
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    with server.connect() as connection:
        connection.sendall(request(server, f"POST {path}", JSON, "Transfer-Encoding: chunked"))
        connection.setblocking(False)
        sent, rest = 0, b""
        deadline = time.monotonic() + 15
        answer = b""
        while not answer and sent < most and time.monotonic() < deadline:
            with suppress(BlockingIOError):
                rest = rest or chunk
                gone = connection.send(rest)
                sent, rest = sent + gone, rest[gone:]
            with suppress(BlockingIOError):
                answer = connection.recv(65_536)
        connection.settimeout(10)
        while b"}" not in answer:
            answer += (more := connection.recv(65_536))
            assert more
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too_large" in answer
    assert_alive(server)


def test_a_body_in_chunks_is_read(server: Server) -> None:
    chunks = b'8\r\n{"name":\r\n4\r\n "A"\r\n1\r\n}\r\n0\r\n\r\n'
    status, _, body = ask(server, request(server, "POST /v1/zones", JSON, "Transfer-Encoding: chunked", body=chunks))
    assert (status, json.loads(body)["name"]) == (201, "A")


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: -1",),
        ("Content-Length: 1e3",),
        ("Content-Length: 5, 6",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 99999999999999999999999999",),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Name without a colon",),
        (": nothing",),
        ("X\x00: y",),
        ("X: a\x00b",),
        ("X: a\nInjected: yes\x0b",),
    ],
    ids=repr,
)
def test_headers_that_lie_are_refused(server: Server, headers: tuple[str, ...]) -> None:
    status, answered, body = ask(server, request(server, "POST /v1/gates", JSON, *headers, body=b"hello"))
    assert status in {400, 413, 422}
    assert b"hello" not in body
    assert "injected" not in answered
    assert_alive(server)


def test_what_follows_a_body_is_no_part_of_it(server: Server) -> None:
    good = b'{"name": "B"}'
    sent = request(server, "POST /v1/zones", JSON, f"Content-Length: {len(good)}", body=good)
    with server.connect() as connection:
        connection.sendall(sent)
        assert read_answer(connection)[0] == 201
        connection.sendall(b"GARBAGE\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")
    assert_alive(server)


def test_a_body_shorter_than_it_says_is_not_taken_for_whole(server: Server) -> None:
    with server.connect() as connection:
        body = b'{"name": "C", "id": "cut-short"}'
        connection.sendall(request(server, "POST /v1/zones", JSON, "Content-Length: 100", body=body))
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        assert connection.recv(1024) == b""
    with server.client() as client:
        assert client.get("/v1/zones/cut-short").status_code == 404


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 64, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /v1/\xff\xfe HTTP/1.1\r\n\r\n", b"NONSENSE / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_http_is_refused(server: Server, garbage: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    assert received == b"" or received.startswith(b"HTTP/1.1 4")
    assert_alive(server)


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    with server.connect() as connection:
        for line, status in (("GET /v1/gates", 200), ("GET /v1/gates/none", 404), ("PUT /v1/gates", 405)) * 3:
            connection.sendall(request(server, line))
            assert read_answer(connection)[0] == status


def test_requests_sent_ahead_are_answered_in_order(server: Server) -> None:
    bodies = [json.dumps({"gate": "none", "token": f"t{n}"}).encode() for n in range(4)]
    sent = b"".join(
        request(server, "POST /v1/verifications", JSON, f"Content-Length: {len(body)}", body=body)
        + request(server, f"GET /v1/gates/none-{n}")
        + request(server, "GET /healthz")
        for n, body in enumerate(bodies)
    )
    statuses = []
    with server.connect() as connection:
        connection.sendall(sent)
        received = b""
        connection.settimeout(10)
        while received.count(b'{"status":"ok"}') < len(bodies):
            received += (chunk := connection.recv(65_536))
            assert chunk
        statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [404, 404, 200] * 4


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("HEAD", "/healthz", 200), ("HEAD", "/v1/gates", 200), ("HEAD", "/v1/nothing", 404), ("HEAD", "/v1/tokens", 405)],
)
def test_head_has_no_body(server: Server, method: str, path: str, status: int) -> None:
    with server.connect() as connection:
        connection.sendall(request(server, f"{method} {path}") + request(server, "GET /healthz"))
        answered, headers, rest = read_answer(connection, body=False)
        assert (answered, int(headers["content-length"]) > 0) == (status, True)
        while b'{"status":"ok"}' not in rest:
            rest += (chunk := connection.recv(65_536))
            assert chunk
    assert rest.startswith(b"HTTP/1.1 200 ")


def test_options_is_a_method_that_no_address_has(server: Server) -> None:
    status, headers, _ = ask(server, request(server, "OPTIONS /v1/gates"))
    assert (status, headers["allow"]) == (405, "GET, HEAD, POST")


def test_no_answer_says_what_serves_it(server: Server) -> None:
    for line in ("GET /healthz", "GET /v1/gates", "GET /nothing"):
        assert "server" not in ask(server, request(server, line))[1]


def test_an_upgrade_is_not_taken(server: Server) -> None:
    status, _, _ = ask(
        server, request(server, "GET /v1/gates", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")
    )
    assert status == 200
    assert_alive(server)


def test_many_who_hang_up_halfway_harm_nobody(server: Server) -> None:
    for n in range(30):
        with server.connect() as connection:
            connection.sendall(
                request(server, "POST /v1/zones", JSON, "Content-Length: 1000", body=b'{"name"' * (n % 3))
            )
    assert_alive(server)


@asynccontextmanager
async def in_process(front: Front) -> AsyncIterator[int]:
    """The front behind uvicorn in this process: its port."""
    config = uvicorn.Config(
        front, lifespan="off", http="httptools", ws="none", access_log=False, log_config=None, server_header=False
    )
    running = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        task = asyncio.create_task(running.serve(sockets=[listening]))
        while not running.started:  # noqa: ASYNC110  uvicorn has nothing to wait for
            await asyncio.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            running.should_exit = True
            await task


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", ["/v1/gates", "/v1/verifications"])
async def test_who_drips_a_body_is_cut_off(sqlite_url: str, tmp_path: Path, framing: str, path: str) -> None:
    async with running_service(make_settings(sqlite_url)) as service:
        front = Front(make_routes("0", None), receipt_s=0.2)
        front.open(service.context)
        async with in_process(front) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = (
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\n{JSON}\r\n{framing}\r\n\r\n"
            )
            writer.write(head.encode())
            answer = asyncio.create_task(reader.read(65_536))
            for _ in range(200):
                if answer.done():
                    break
                writer.write(b" " if framing.startswith("C") else b"1\r\n \r\n")
                await asyncio.sleep(0.02)
            received = await asyncio.wait_for(answer, 5)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in received
