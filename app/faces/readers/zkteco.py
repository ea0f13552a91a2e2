"""ZKTeco terminals that speak the security PUSH protocol (3.1.2): lines of text under `/iclock`.

With back-end verification on, a terminal asks before it opens. What it read from a QR code or a card comes as the
number of a card, `cardno`, and that is what is verified: a Gatepass `code`, or, where a card was read, one that was
enrolled under that number. `pin`, the number of somebody whom the terminal recognised, proves nothing, nor does a
card's number beside a face or finger. A connection is one gate, so it opens one door: the first.

The protocol has the server name a registry code and a session, of which the terminal makes a token. Both are derived
from the connection, so that all processes agree and nothing is stored. A token that is sent has to be right; none is
asked for, since what names the connection is its path, or its serial number at an address of its own.

Not proved on hardware: written from the vendor's protocol document and from public servers.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.faces.dialect import Dialect, context_of, query_of
from app.faces.problems import Problem
from app.services.connected import Connection, drawn

from .reading import (
    LONGEST_JSON,
    Method,
    Read,
    decide,
    device_of,
    is_nobody,
    number_in,
    opens,
    read_of,
    reader_calls,
    reader_kind,
    words,
)

KIND = reader_kind("zkteco")._replace(secret=drawn(27))  # the secret is shown to nobody: codes are derived from it

_OPEN_DOOR = "CONTROL DEVICE 01010105"
"""Output, first door, its lock, for 5 seconds."""

_OPTIONS = (
    ("ServerVersion", "3.1.2"),
    ("ServerName", "Gatepass"),
    ("PushProtVer", "3.1.2"),
    ("ErrorDelay", "30"),
    ("RequestDelay", "10"),
    ("TransTimes", "00:00;14:00"),
    ("TransInterval", "1"),
    ("TransTables", "Transaction"),  # and not `User`: whom the terminal knows is no affair of ours
    ("Realtime", "1"),
)

_NUMBER = re.compile(r"[0-9]{1,9}")
_FIELDS: Mapping[str, re.Pattern[str]] = {
    "time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"),
    "pin": re.compile(r"[0-9A-Za-z]{0,24}"),
    "cardno": re.compile(r"[0-9A-Za-z]{0,32}"),
    **dict.fromkeys(("sitecode", "linkid", "addrtype", "eventaddr", "event", "inoutstatus", "verifytype"), _NUMBER),
    **dict.fromkeys(("index", "bitcount", "maskflag"), _NUMBER),
}
"""The fields of a record that are sent back with the verdict, and what they may be. Others are left out."""

_METHODS = {
    **dict.fromkeys(("4", "10", "11", "18", "19", "23", "24", "26"), Method.CARD),  # be it together with something else
    **dict.fromkeys(("1", "2", "3", "5", "8", "9", "13", "14", "15", "16", "17", "20"), Method.RECOGNISED),
    **dict.fromkeys(("21", "22", "25", "27", "28", "29"), Method.RECOGNISED),
}
"""The `verifytype`s that say how somebody was verified. Of the others nothing is believed but a token.

Of somebody whom it recognised otherwise, the terminal may send the number of a card that it knows they have. Nobody has
shown that, so it counts for nothing.
"""

_READ_FROM_NOBODY = "0"
"""The `verifytype` of what the terminal read and knows nobody for: in the vendor's examples, a card."""

_WHERE = ("addrtype", "eventaddr", "inoutstatus")
"""What says which reader of the terminal's it was."""

_WITH_BIOMETRICS = frozenset(
    {"attphoto", "biodata", "biophoto", "facev7", "fvtemplate", "ssrface7", "templatev10", "userpic"}
)
_TABLES = frozenset({"user", "extuser", "identitycard", "mulcarduser", "transaction", "errorlog", *_WITH_BIOMETRICS})
_LONGEST_BODY = 4 * 1024 * 1024


def tell(fault: Exception) -> Response:
    """What went wrong: a status, and nothing that a terminal could take for an order."""
    status = fault.status if isinstance(fault, Problem) else 400
    return PlainTextResponse("ERROR", status)


async def hello(request: Request) -> Response:
    """What a registered terminal is to do; for a stranger the word by which it goes on to register."""
    connection = await _registered(request)
    if connection is None:
        return PlainTextResponse("OK")
    registered = [("registry", "ok"), ("RegistryCode", _registry_code(connection))]
    return _lines([*registered, *_OPTIONS, *_session(connection)])


async def registry(request: Request) -> Response:
    """The code that a terminal is registered with; 406 for a stranger. What it says of itself is dropped."""
    connection = await _registered(request)
    if connection is None:
        return PlainTextResponse("ERROR", 406)
    return _lines([("RegistryCode", _registry_code(connection))])


async def push(request: Request) -> Response:
    """What a registered terminal is to do."""
    return _lines([*_OPTIONS, *_session(await _device(request))])


async def nothing_to_do(request: Request) -> Response:
    """There are no orders for a terminal but the verdicts that it asks for."""
    await _known_device(request)
    return PlainTextResponse("OK")


async def data(request: Request) -> Response:
    """A record that waits for a verdict; or else what is uploaded, of which nothing is kept."""
    connection, query = await _known_device(request), query_of(request)
    body = await request.body()
    if query.get("AuthType") == "device":
        return await _verdict(request, connection, body)
    table, rows = query.get("table", ""), sum(bool(line.strip()) for line in body.splitlines())
    name = query.get("tablename", "") if table == "tabledata" else table
    if name.lower() in _WITH_BIOMETRICS:
        context_of(request).metrics.discarded(KIND.name)
    if table == "tabledata" and name in _TABLES:
        return PlainTextResponse(f"{name}={rows}")
    return PlainTextResponse(f"OK: {rows}" if table in ("ATTLOG", "OPERLOG") else "OK")


async def _verdict(request: Request, connection: Connection, body: bytes) -> Response:
    """Whether the door opens, with the record it is about: rebuilt of what was checked, never what was sent."""
    record = _record(body)
    if record is None:
        return PlainTextResponse("AUTH=FAILED")
    where = [query_of(request).get("SN", ""), *(record.get(name, "") for name in _WHERE)]
    asked = "\t".join((*where, record["time"], record.get("cardno", "")))
    settled = await decide(request, connection, _read(record), _derived(connection, asked))
    admits = opens(settled)
    shown = "\t".join(f"{name}={value}" for name, value in record.items())
    order = (_OPEN_DOOR,) if admits else ()
    lines = ("AUTH=SUCCEED" if admits else "AUTH=FAILED", shown, *order, f"TIPS={words(settled)}")
    return PlainTextResponse("\r\n".join(lines))


def _read(record: Mapping[str, str]) -> Read | None:
    """What was read at the first door; None where nothing was."""
    if record.get("eventaddr", "1") != "1":
        return None
    nobody, said = is_nobody(record.get("pin")), record.get("verifytype", "")
    method = _METHODS.get(said, Method.UNSAID)
    if said == _READ_FROM_NOBODY and nobody:
        method = Method.CARD
    return read_of("", number_in(record.get("cardno")), method, nobody=nobody)


def _record(body: bytes) -> dict[str, str] | None:
    """The one record in the body, by the fields that are known; None where there is another thing."""
    if len(body) > LONGEST_JSON:
        return None
    try:
        line = body.decode("ascii").strip("\r\n")
    except UnicodeDecodeError:
        return None
    record: dict[str, str] = {}
    for pair in line.split("\t"):
        name, _, value = pair.partition("=")
        allowed = _FIELDS.get(name)
        if allowed is None:
            continue
        if name in record or not allowed.fullmatch(value):
            return None
        record[name] = value
    return record if "time" in record else None


async def _registered(request: Request) -> Connection | None:
    """The connection of the terminal that calls; None for a stranger."""
    try:
        return await _device(request)
    except Problem as refusal:
        if refusal.status == 401:
            return None
        raise


async def _device(request: Request) -> Connection:
    return await device_of(request, KIND, query_of(request).get("SN"))


async def _known_device(request: Request) -> Connection:
    """The connection of a terminal that has registered: where it sends a token, that has to be right."""
    connection, token = await _device(request), request.cookies.get("token")
    if token is not None:
        of_it = _registry_code(connection) + query_of(request).get("SN", "") + _session_id(connection)
        right = hashlib.md5(of_it.encode(), usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(right.encode(), token.lower().encode("utf-8", "surrogatepass")):
            raise Problem(401, "This is no token of the device's.")
    return connection


def _lines(pairs: Sequence[tuple[str, str]]) -> Response:
    return PlainTextResponse("\n".join(f"{name}={value}" for name, value in pairs))


def _session(connection: Connection) -> Sequence[tuple[str, str]]:
    return ("SessionID", _session_id(connection)), ("TimeoutSec", "10")


def _registry_code(connection: Connection) -> str:
    return _derived(connection, "RegistryCode")[:16]


def _session_id(connection: Connection) -> str:
    return _derived(connection, "SessionID")


def _derived(connection: Connection, text: str) -> str:
    """32 hexadecimal digits that only this connection's secret makes of the text."""
    return hmac.new(connection.secret.encode(), text.encode(), "sha256").hexdigest()[:32]


ROUTES: Sequence[Route] = (
    *reader_calls(KIND, "/iclock/cdata", ["GET"], hello),
    *reader_calls(KIND, "/iclock/cdata", ["POST"], data),
    *reader_calls(KIND, "/iclock/registry", ["GET", "POST"], registry),
    *reader_calls(KIND, "/iclock/push", ["GET", "POST"], push),
    *reader_calls(KIND, "/iclock/ping", ["GET", "POST"], nothing_to_do),
    *reader_calls(KIND, "/iclock/getrequest", ["GET"], nothing_to_do),
    *reader_calls(KIND, "/iclock/devicecmd", ["POST"], nothing_to_do),
)

ZKTECO = Dialect(KIND, ROUTES, tell, prefixes=(f"/readers/{KIND.name}/",), longest_body=_LONGEST_BODY)
