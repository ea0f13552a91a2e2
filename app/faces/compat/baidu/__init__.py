"""Baidu face recognition v3: an access token, JSON in, an envelope with an `error_code` out, always under a 200.

A group is a collection, a user a subject, a face token the id of an enrolment. A refused code is error 222207, no code
in the picture 222202: what a polling camera gets. Controls of quality and liveness are passed over, since a code that
is admitted once shows what they are to show. `user_info` is what clients show at the door: it is kept as the holder's
name, and nothing else of a person is.

An access token has its expiry, the API key, and a MAC of both under the connection's secret in it, so that none is
stored; it ends when it expires or the connection is revoked. While there is no database, who asks for one gets no JSON:
baidu-aip takes JSON without a scope for a wrong key, and never asks again.

Exercised with baidu-aip 4.16.13 (Python) and baidu-aip-sdk 4.16.16 (Node).
"""

import hmac
import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.core.model import SECOND
from app.faces.dialect import Dialect, Endpoint, Told, calls, check_short, connection_of, context_of, query_of
from app.faces.fields import read_fields
from app.faces.problems import Problem
from app.services.connected import Connection
from app.services.mistakes import Mistake
from app.storage.failures import Unavailable

from .operations import KIND, OPERATIONS, Operation
from .requests import Refused, refused

_BASE = "/rest/2.0/face/v3"
_OAUTH = "/oauth/2.0/token"
_GOOD_FOR_S = 2_592_000
_ACCESS_TOKEN = re.compile(rf"24\.([0-9a-f]{{32}})\.{_GOOD_FOR_S}\.([0-9]{{1,11}})\.282335-([0-9A-Za-z]{{24}})")


def tell(fault: Exception) -> Response:
    """What went wrong before there was a call to answer: Baidu's gateway says no more than this either."""
    error = refused(fault)
    return JSONResponse({"error_code": error.code, "error_msg": error.message})


async def get_access_token(request: Request) -> Response:
    """An access token for 30 days. Unlike all calls, this one answers errors with a status, and as OAuth does."""
    app = context_of(request)
    try:
        fields, query = await read_fields(request), query_of(request)
        grant, key, secret = (
            query.get(name) or fields.text(name) or "" for name in ("grant_type", "client_id", "client_secret")
        )
    except Problem as problem:
        return _oauth_error(400, "invalid_request", problem.detail)
    if grant != "client_credentials":
        return _oauth_error(400, "unsupported_grant_type", "The authorization grant type is not supported")
    try:
        connection = await app.connections.by_key(KIND.name, key)
    except Unavailable:
        return PlainTextResponse("The service cannot answer just now. Try again.", 503)
    if connection is None:
        return _oauth_error(401, "invalid_client", "unknown client id")
    if not connection.proves(secret):
        return _oauth_error(401, "invalid_client", "Client authentication failed")
    expires = str(app.clock.now() // SECOND + _GOOD_FOR_S)
    token = f"24.{_mac(connection, key, expires)}.{_GOOD_FOR_S}.{expires}.282335-{key}"
    granted = {"access_token": token, "expires_in": _GOOD_FOR_S, "scope": "public brain_all_scope"}
    return JSONResponse({**granted, "refresh_token": "", "session_key": "", "session_secret": ""})


def enveloped(operation: Operation) -> Endpoint:
    """The call: who is calling, with what, and the envelope around the result or the error."""

    async def endpoint(request: Request) -> Response:
        app, connection = context_of(request), await _connection(request)
        code, message, result = 0, "SUCCESS", None
        try:
            result = await operation(app, connection, await read_fields(request))
        except (Refused, Mistake, Problem) as fault:
            error = refused(fault)
            code, message = error.code, error.message
        known = {"log_id": int.from_bytes(app.entropy.bytes(6)), "timestamp": app.clock.now() // SECOND, "cached": 0}
        return JSONResponse({"error_code": code, "error_msg": message, **known, "result": result})

    return endpoint


async def _before_body(request: Request) -> None:
    """See that a connection calls; who asks for an access token has only keys to send."""
    if request.scope["path"].startswith(_OAUTH):
        check_short(request)
    else:
        await _connection(request)


async def _connection(request: Request) -> Connection:
    """Whose access token it is. Behind a second `?`, some clients go on with parameters of their own."""
    token = _ACCESS_TOKEN.fullmatch(request.query_params.get("access_token", "").partition("?")[0])
    if token is None:
        raise Problem(401, "This is no access token.")
    mac, expires, key = token.groups()
    connection = await connection_of(request, KIND, key)
    if not hmac.compare_digest(_mac(connection, key, expires), mac):
        raise Problem(401, "This is no access token.")
    if int(expires) <= context_of(request).clock.now() // SECOND:
        raise Told(tell(Refused(111)))
    return connection


def _mac(connection: Connection, key: str, expires: str) -> str:
    return hmac.digest(connection.secret.encode(), f"access_token {key} {expires}".encode(), "sha256")[:16].hex()


def _oauth_error(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


ROUTES: Sequence[Route] = (
    *calls(_OAUTH, ["GET", "POST"], get_access_token),
    *(
        route
        for path, operation in OPERATIONS.items()
        for route in calls(f"{_BASE}/{path}", ["POST"], enveloped(operation))
    ),
)

BAIDU = Dialect(KIND, ROUTES, tell, prefixes=(_OAUTH, "/rest/2.0/"), before_body=_before_body)
