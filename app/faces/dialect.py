"""A dialect: the wire shapes of another API, translated in and out.

One file each in `compat/` (clients that send pictures) or `readers/` (devices that send texts), and one line in
`dialects.py`. What holds for every request, caps and time limits and faults, is the front's affair
(`http/front.py`); what a code is worth is the services'. A dialect only reads its client's words and answers in them.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from app.services.connected import Connection, Kind
from app.services.context import Context

from .pictures import MAX_BASE64
from .problems import Problem
from .text import is_clean

Endpoint = Callable[[Request], Awaitable[Response]]

LONGEST_BODY = 2 * MAX_BASE64 + 64 * 1024
"""Two pictures in base64, and the other fields."""

SHORT_BODY = 64 * 1024


class Told(Exception):
    """An error that is the answer already, in the dialect's own shape."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Numbered(JSONResponse):
    """A JSON answer that has the request's id in it. `written` makes the content of the id, once the answer is sent."""

    def __init__(self, written: Callable[[str], Any], status: int = 200) -> None:
        super().__init__(None, status)
        self._written = written

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.body = self.render(self._written(scope["state"]["request_id"]))
        self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


class Dialect(NamedTuple):
    """How one kind of client is understood and answered.

    `kind` is what its connections are given. `routes` are its calls, of which the first that fits answers. `tell` says
    in the dialect what went wrong: a `Mistake` that a service raised, or else a `Problem`. A request is
    the dialect's if its path begins with one of `prefixes`, or if it is for `/` and has the header `header`. Clients
    look for the request's id in the header `id_header` (its name in lower case).

    `before_body` is asked before a body is read, which may have `longest_body` bytes: it looks at path, query and
    headers, and raises where they show that a stranger calls.
    """

    kind: Kind
    routes: Sequence[Route]
    tell: Callable[[Exception], Response]
    prefixes: tuple[str, ...] = ()
    header: bytes | None = None
    id_header: bytes = b"request-id"
    longest_body: int = LONGEST_BODY
    before_body: Callable[[Request], Awaitable[object]] | None = None

    def claims(self, path: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request is this dialect's, by its path and headers (names in lower case)."""
        if self.prefixes and path.startswith(self.prefixes):
            return True
        return path == "/" and self.header is not None and self.header in headers

    async def answer(self, request: Request) -> Response:
        """Have the call answered. Raises `Told`, what `tell` can tell, and whatever else goes wrong."""
        for route in self.routes:
            match, found = route.matches(request.scope)
            if match is Match.FULL:
                request.scope["route"] = route
                request.scope.update(found)
                response: Response = await route.endpoint(request)
                return response
        raise Problem(404, "There is no such call.")


def context_of(request: Request) -> Context:
    """The service's parts."""
    context: Context = request.state.context
    return context


async def connection_of(request: Request, kind: Kind, key: str | None) -> Connection:
    """The connection whose key it is. Raises `Problem` (401) where it is nobody's."""
    connection = await context_of(request).connections.by_key(kind.name, key) if key else None
    if connection is None:
        raise Problem(401, "This is no key of a connection.")
    return connection


def check_short(request: Request) -> None:
    """See, before a body is read, that it has at most `SHORT_BODY` bytes: nobody has shown a key. Raises `Problem`."""
    if "transfer-encoding" in request.headers:
        raise Problem(400, "Say in Content-Length how long the body is.")
    length = request.headers.get("content-length", "0")
    if not re.fullmatch("[0-9]{1,5}", length) or int(length) > SHORT_BODY:
        raise Problem(413, f"A body may have at most {SHORT_BODY} bytes here.")


def calls(path: str, methods: Sequence[str], endpoint: Endpoint) -> tuple[Route, Route]:
    """A call, with and without a slash at its end: clients send both, and not all follow a redirection."""
    return Route(path, endpoint, methods=methods), Route(path + "/", endpoint, methods=methods)


def query_of(request: Request) -> Mapping[str, str]:
    """The parameters of the query. Raises `Problem` where one has a character that no text may have."""
    return {name: clean(value) for name, value in request.query_params.items()}


def clean(text: Any) -> str:  # noqa: ANN401  what a client sent
    """The text. Raises `Problem` where it is none, or has a character that no text may have."""
    if not isinstance(text, str) or not is_clean(text):
        raise Problem(400, "The request has a character that no text may have: NUL, or half of a surrogate pair.")
    return text
