"""The front: everything that holds for every request, before any route is looked for.

Who is calling, how large and how slow a body may be, whether it is strict JSON; the request's id; what is counted; and
that a fault of ours is one line in the log and a plain 500 to the caller. Plain ASGI, since a framework's middleware
costs a request more than all of this.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from app.faces.dialect import Dialect, Told
from app.faces.dialects import DIALECTS
from app.faces.problems import FAULT, MEDIA_TYPE, Problem, problem_of
from app.faces.strict_json import read_json
from app.services.context import Context
from app.services.credentials import Caller
from app.services.mistakes import Mistake

from . import devices, sync, verifications
from .presentation import MAX_BODY as LONGEST_PRESENTATION

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Mapping[bytes, bytes]

MAX_BODY = 64 * 1024
RECEIPT_S = 10.0
"""How long a caller may take to send its body."""

ROOM = 256 * 1024 * 1024
"""Bytes of large bodies that are held at once for the callers of dialects."""

_LONGEST_LENGTH = 20  # digits
_JSON = (b"content-type", b"application/json")
_WITH_BODY = ("POST", "PUT", "PATCH")
_log = structlog.get_logger()


class Front:
    """Wraps the routes, and the dialects beside them. `context` is None until `open`. `receipt_s`: see `RECEIPT_S`."""

    def __init__(self, routes: FastAPI, *, receipt_s: float = RECEIPT_S) -> None:
        self.routes = routes
        self.context: Context | None = None
        self._receipt_s = receipt_s
        self._room = _Room()
        self._ports: Mapping[str, Dialect] = {}
        self._hosts: Mapping[str, Dialect] = {}

    def open(self, context: Context) -> None:
        """Serve a service that is running."""
        self.context = context
        self.routes.state.context = context
        own = {address: DIALECTS[kind] for kind, address in context.network.faces.items()}
        self._ports = {address: dialect for address, dialect in own.items() if address.isdigit()}
        self._hosts = {address: dialect for address, dialect in own.items() if not address.isdigit()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.routes(scope, receive, send)
            return
        if self.context is None:
            raise RuntimeError("the service has not started")
        exchange = _Exchange(self.context, scope, send)
        started = perf_counter()
        headers = dict(scope["headers"])
        at_own_address = self._at_own_address(scope, headers)
        dialect = at_own_address or _by_its_look(scope["path"], headers)
        try:
            if dialect is None:
                await self._serve(exchange, scope, headers, receive)
            else:
                scope = exchange.as_routes_see_it(scope)
                scope["state"]["own_address"] = at_own_address is not None
                await self._serve_dialect(dialect, exchange, scope, headers, receive)
        except _Gone:
            return
        except Exception as fault:  # noqa: BLE001  every fault is answered
            await exchange.fail(fault)
        self.context.metrics.request(exchange.route, scope["method"], exchange.status, perf_counter() - started)

    async def _serve(self, exchange: "_Exchange", scope: Scope, headers: Headers, receive: Receive) -> None:
        path, method = scope["path"], scope["method"]
        scope = exchange.as_routes_see_it(scope)
        if not path.startswith("/v1/"):
            await self.routes(scope, receive, exchange.send)
            exchange.route = _pattern(scope)
            return
        if path == verifications.PATH and method == "POST":
            await self._verify(exchange, headers, receive)
            return
        if (method, path) != devices.WITHOUT_KEY:
            scope["state"]["caller"] = await _caller(exchange.context, headers)
        longest = sync.MAX_BODY if path == sync.PATH else MAX_BODY
        body = await _body(headers, receive, longest, self._receipt_s)
        if body and method in _WITH_BODY:
            _check_json(headers, body)
        await self.routes(scope, _replay(body, receive), exchange.send)
        exchange.route = _pattern(scope)

    async def _verify(self, exchange: "_Exchange", headers: Headers, receive: Receive) -> None:
        caller = await _caller(exchange.context, headers)
        exchange.route = verifications.PATH
        body = await _body(headers, receive, LONGEST_PRESENTATION, self._receipt_s)
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        answer = await verifications.post_verification(exchange.context, caller, content_type, body)
        await exchange.answer(200, (_JSON,), answer)

    def _at_own_address(self, scope: Scope, headers: Headers) -> Dialect | None:
        """The dialect that has the port that the request came to, or the host name that it is for, to itself."""
        if not self._ports and not self._hosts:
            return None
        _, port = scope.get("server") or ("", None)
        host = headers.get(b"host", b"").partition(b":")[0].decode("latin-1").lower()
        return self._ports.get(str(port)) or self._hosts.get(host)

    async def _serve_dialect(
        self, dialect: Dialect, exchange: "_Exchange", scope: Scope, headers: Headers, receive: Receive
    ) -> None:
        exchange.route, exchange.id_header = dialect.kind.name, dialect.id_header
        serve: Callable[[Scope, Receive, Send], Awaitable[None]] = partial(self._answer, dialect, exchange)
        origins = exchange.context.network.origins
        if origins and b"origin" in headers:
            serve = CORSMiddleware(serve, allow_origins=tuple(origins), allow_methods=("*",), allow_headers=("*",))
        await serve(scope, receive, exchange.send)

    async def _answer(
        self, dialect: Dialect, exchange: "_Exchange", scope: Scope, receive: Receive, send: Send
    ) -> None:
        """The dialect's answer; what goes wrong is told as it would tell it."""
        headers: Headers = dict(scope["headers"])
        try:
            if dialect.before_body is not None:
                await dialect.before_body(Request(scope, receive))
            with self._room.of(_longest(headers, dialect.longest_body)):
                body = await _body(headers, receive, dialect.longest_body, self._receipt_s)
                response = await dialect.answer(Request(scope, _replay(body, receive)))
        except _Gone:
            raise
        except Exception as fault:  # noqa: BLE001  every fault is answered
            response = _told(dialect, exchange, fault)
        exchange.route = f"{dialect.kind.name} {_pattern(scope)}"
        await response(scope, receive, send)


class _Room:
    """How many bytes of large bodies are held at once, of callers of whom little is known before they are read."""

    def __init__(self) -> None:
        self._taken = 0

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Room for a body of so many bytes. Raises `Problem` where there is none."""
        if size > MAX_BODY and self._taken + size > ROOM:
            raise Problem(503, "Too much is being sent at once. Try again.", headers=(("retry-after", "1"),))
        self._taken += size
        try:
            yield
        finally:
            self._taken -= size


class _Gone(Exception):
    """The caller went away before the request was whole."""


def _by_its_look(path: str, headers: Headers) -> Dialect | None:
    """The dialect that a request looks like; None for what is the core's."""
    if path == verifications.PATH:
        return None
    return next((dialect for dialect in DIALECTS.values() if dialect.claims(path, headers)), None)


def _told(dialect: Dialect, exchange: "_Exchange", fault: Exception) -> Response:
    if isinstance(fault, Told):
        return fault.response
    problem = exchange.problem(fault)
    response = dialect.tell(fault if isinstance(fault, Mistake) else problem)
    response.headers.update(dict(problem.headers))
    return response


def _pattern(scope: Scope) -> str:
    """The path of the route that answered, as metrics name it."""
    return getattr(scope.get("route"), "path", "none")


class _Exchange:
    """One request and its answer."""

    def __init__(self, context: Context, scope: Scope, send: Send) -> None:
        self.context = context
        self.route = "none"
        self.status = 500
        self.id_header = b"request-id"
        self._scope = scope
        self._send = send
        self._begun = False
        self.request_id = "req_" + context.entropy.bytes(12).hex()

    async def send(self, message: Message) -> None:
        """Pass a message of the routes on, with the request's id in its headers."""
        if message["type"] == "http.response.start":
            self._begun = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (self.id_header, self.request_id.encode())]
        elif self._scope["method"] == "HEAD":
            message["body"] = b""
        await self._send(message)

    async def answer(self, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> None:
        """Send a whole answer."""
        self._begun, self.status = True, status
        length = (b"content-length", str(len(body)).encode())
        all_headers = [*headers, length, (self.id_header, self.request_id.encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": all_headers})
        await self._send({"type": "http.response.body", "body": b"" if self._scope["method"] == "HEAD" else body})

    def as_routes_see_it(self, scope: Scope) -> Scope:
        """The scope with what routes need. HEAD is answered as GET is, without the body (RFC 9110 section 9.3.2)."""
        method = scope["method"]
        state = {"context": self.context, "request_id": self.request_id}
        return {**scope, "state": state, "method": "GET" if method == "HEAD" else method}

    def problem(self, fault: Exception) -> Problem:
        """The problem that a fault is. One of ours is logged, by its kind and place and without its words."""
        problem = problem_of(fault)
        if problem is None:
            _log.error("fault", request_id=self.request_id, method=self._scope["method"], exc_info=fault)
            problem = Problem(500, FAULT)
        return problem

    async def fail(self, fault: Exception) -> None:
        """Answer with a problem."""
        problem = self.problem(fault)
        if self._begun:
            return
        headers = [(name.encode(), value.encode()) for name, value in problem.headers]
        headers.append((b"content-type", MEDIA_TYPE.encode()))
        await self.answer(problem.status, tuple(headers), problem.body(self.request_id))


async def _caller(context: Context, headers: Headers) -> Caller:
    """Whoever presents the key in `Authorization: Bearer`."""
    scheme, _, secret = headers.get(b"authorization", b"").partition(b" ")
    caller = None
    if scheme.lower() == b"bearer":
        caller = await context.credentials.authenticate(secret.strip().decode("latin-1"))
    if caller is None:
        challenge = (("www-authenticate", "Bearer"),)
        raise Problem(401, "Send a valid API key: Authorization: Bearer gp_...", headers=challenge)
    if caller.device is not None:
        context.last_seen.note(caller)
    return caller


def _longest(headers: Headers, limit: int) -> int:
    """How long the body is, as it says; or may be, where it does not. Raises `Problem` for more than `limit` bytes."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit():
        raise Problem(400, "The Content-Length is no length.")
    if len(length) > _LONGEST_LENGTH or int(length) > limit:
        raise _too_large(limit)
    return limit if b"transfer-encoding" in headers else int(length)


async def _body(headers: Headers, receive: Receive, limit: int, receipt_s: float) -> bytes:
    """The whole body, refused before it is read where its length is said, and while it is read where it is not."""
    _longest(headers, limit)
    try:
        async with asyncio.timeout(receipt_s):
            return await _read(receive, limit)
    except TimeoutError:
        headers_ = (("connection", "close"),)  # what is still to come is not waited for
        raise Problem(408, f"The request was not sent within {receipt_s:g} s.", headers=headers_) from None


async def _read(receive: Receive, limit: int) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem(413, f"A body may have at most {limit} bytes here.")


def _check_json(headers: Headers, body: bytes) -> None:
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        raise Problem(415, "Send application/json.")
    try:
        read_json(body)
    except ValueError as fault:
        raise Problem(400, str(fault)) from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, and then what the server has to say."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return read.pop() if read else await receive()

    return replay
