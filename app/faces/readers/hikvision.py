"""Hikvision MinMoe terminals with remote verification (ISAPI): they post an event, and are then told what to do.

The terminal reads a QR code itself and posts what was in it, mostly as the number of a card. `subEventType` says what
it was: a code counts as a token only, a card also by its number. Whom it recognised itself is refused, and of an event
of another kind a token counts, where it names nobody.

An event with `remoteCheck` waits for a verdict, which Gatepass PUTs to the terminal under the event's `serialNo`. The
event itself is answered at once, before anything is settled: a terminal that waits for that answer would not hear the
verdict.

A repeated event settles nothing again, and an admission is told by whoever settled it and nobody else: so one that
surely did not arrive can be taken back (`services/deliver.py`).

Not proved on hardware: written from Hikvision's field names and from public servers.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.core.decision import UNAVAILABLE
from app.core.model import SECOND
from app.effects.devices import Delivery, Message
from app.faces.dialect import Dialect, context_of
from app.faces.parts import read_parts
from app.faces.problems import Problem
from app.faces.strict_json import read_json
from app.services.connected import Connection
from app.services.deliver import deliver
from app.storage.attempt import Settled

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
    request_id_of,
    turn_away_strangers,
    words,
    written,
)

KIND = reader_kind("hikvision", calls_device=True)

_REMOTE_CHECK = "/ISAPI/AccessControl/remoteCheck?format=json"
_EVENT_PARTS = ("event_log", "AccessControllerEvent")
_MOST_PARTS = 8
_LONGEST_BODY = 4 * 1024 * 1024
_LARGEST_SERIAL = 2**63 - 1

_STORED_AFTER_S = 300
"""An event that is older was stored by the terminal while it was cut off, and nobody waits for a verdict."""

_TO_TELL_S = 2.0
"""How much time has to be left to decide again where nothing could be decided, and to tell it."""

_PAUSE_S = 0.2

_WITH_A_CARD = (*range(1, 11), *range(40, 46), *range(60, 63), *range(66, 69))
_WITH_A_CODE = (156, 157)
_WITHOUT = (38, 39, *range(46, 50), *range(54, 60), 63, 64, 65, *range(69, 81), 101, 102, 103, 105, 112, 181)
_METHODS = {
    **dict.fromkeys(_WITH_A_CARD, Method.CARD),
    **dict.fromkeys(_WITH_A_CODE, Method.CODE),
    **dict.fromkeys(_WITHOUT, Method.RECOGNISED),
}
"""The `subEventType`s that say how somebody was verified, or not. Of the others nothing is believed but a token.

Of somebody whom it recognised otherwise, the terminal may send the number of a card that it knows they have. Nobody has
shown that, so it counts for nothing.
"""

_TOOK = {"0": Delivery.DELIVERED, "1": Delivery.DELIVERED, "7": Delivery.DELIVERED} | dict.fromkeys(
    ("4", "5", "6"), Delivery.NOT_DELIVERED
)
"""What a `statusCode` says: 0 and 1 are OK, 7 wants a restart too, and 4, 5 and 6 find the message wrong.

Of the rest, busy and error among them, it is not known whether the terminal has done anything.
"""


class _Asked(NamedTuple):
    """An event that waits for a verdict. `read` is what was read, None where it was nothing."""

    serial: int
    read: Read | None
    request_id: str | None


def tell(fault: Exception) -> Response:
    """What went wrong, as ISAPI says it."""
    match fault:
        case Problem(status=429 | 503 as status):
            return _status(status, 2, "Device Busy", "deviceBusy")
        case Problem(status=status) if status >= 500:
            return _status(status, 3, "Device Error", "deviceError")
        case Problem(status=status):
            return _status(status, 6, "Invalid Content", "badParameters")
        case _:
            return _status(400, 6, "Invalid Content", "badParameters")


async def event(request: Request) -> Response:
    """Take an event. One that waits for a verdict gets it in a call of its own; all others are dropped."""
    app = context_of(request)
    await turn_away_strangers(request, KIND)
    told, pictures = _told(request.headers.get("content-type", ""), await request.body())
    serial = told.get("shortSerialNumber")
    connection = await device_of(request, KIND, serial if isinstance(serial, str) else None)
    app.metrics.discarded(KIND.name, pictures)
    asked = _asked(told, app.clock.now())
    if asked is not None:

        async def work(until: float) -> None:
            await _answer(request, connection, asked, until)

        if not app.devices.start(connection.device.url or "", work):
            raise Problem(503, "Too much is under way with this device, or it may not be called.")
    return _status(200, 1, "OK", "ok")


async def _answer(request: Request, connection: Connection, asked: _Asked, until: float) -> None:
    """Settle what was read and tell the terminal."""
    settled = await _settled(request, connection, asked, until)
    admits = opens(settled)
    if settled is not None and admits and settled.repeated is not None:
        return  # the first event's verdict is on its way
    verdict = {"serialNo": asked.serial, "checkResult": "success" if admits else "failed", "info": words(settled)}
    url, username, password = connection.device.url, connection.device.username, connection.device.password
    body = json.dumps({"RemoteCheck": verdict}).encode()
    message = Message(url or "", _REMOTE_CHECK, body, username or "", password or "", _taken)
    admission = settled.verification if settled is not None and admits else None
    await deliver(context_of(request), connection, message, until, admission)


async def _settled(request: Request, connection: Connection, asked: _Asked, until: float) -> Settled | None:
    """What the gate says; asked again under the same request id while that cannot be had and there is time.

    What an earlier try has decided, without being heard, is this event's own, and no repetition.
    """
    app, now = context_of(request), asyncio.get_running_loop().time
    request_id, unheard = asked.request_id or app.new_id().hex(), set[bytes]()
    while True:
        settled = await decide(request, connection, asked.read, request_id)
        if settled is None:
            return None
        if settled.verification in unheard and settled.repeated == "request_id":
            return settled._replace(repeated=None)
        if settled.reason != UNAVAILABLE or now() + _PAUSE_S > until - _TO_TELL_S:
            return settled
        unheard.add(settled.verification)
        await asyncio.sleep(_PAUSE_S)


def _told(content_type: str, body: bytes) -> tuple[dict[str, Any], int]:
    """The event, which is the body or a part of it, and how many pictures are beside it: they are not looked at."""
    pictures = 0
    try:
        if content_type.lower().startswith("multipart/"):
            parts = read_parts(content_type, body, max_parts=_MOST_PARTS)
            events = [part.content for part in parts if part.name in _EVENT_PARTS]
            pictures = len(parts) - len(events)
            body = events[0] if events else b""
        if len(body) > LONGEST_JSON:
            raise Problem(413, f"An event may have at most {LONGEST_JSON} bytes.")
        told = read_json(body)
    except ValueError as fault:
        raise Problem(400, str(fault)) from None
    if not isinstance(told, dict):
        raise Problem(400, "The event is no JSON object.")
    return told, pictures


def _asked(told: dict[str, Any], now: int) -> _Asked | None:
    """What the terminal asks; None where it does not wait for a verdict (any more)."""
    details = told.get("AccessControllerEvent")
    if not isinstance(details, dict) or details.get("remoteCheck") is not True:
        return None
    at = told.get("dateTime")
    if "frontSerialNo" in details or details.get("currentEvent") is False or _is_stored(at, now):
        return None
    serial = details.get("serialNo")
    if type(serial) is not int or not 0 <= serial <= _LARGEST_SERIAL:
        raise Problem(400, "The event has no serialNo.")
    # A terminal counts from 1 again when it is reset, so the number alone may have been another event's.
    where = [told.get("macAddress"), *(details.get(name) for name in ("cardReaderNo", "doorNo")), at]
    device = written(told.get("shortSerialNumber"))
    return _Asked(serial, _read(details), request_id_of(device, str(serial), *map(written, where)))


def _read(details: dict[str, Any]) -> Read | None:
    """What was read; None where neither a code nor a card was shown."""
    kind = details.get("subEventType")
    method = _METHODS.get(kind, Method.UNSAID) if type(kind) is int else Method.UNSAID
    nobody = is_nobody(details.get("employeeNoString"), details.get("employeeNo"))
    return read_of(written(details.get("QRCodeInfo")), number_in(details.get("cardNo")), method, nobody=nobody)


def _is_stored(at: object, now: int) -> bool:
    """Whether an event of that time was kept by the terminal. Where it says no time, or no zone, it is of now."""
    try:
        then = datetime.fromisoformat(at) if isinstance(at, str) else None
    except ValueError:
        return False
    return then is not None and then.tzinfo is not None and now - then.timestamp() * SECOND > _STORED_AFTER_S * SECOND


def _taken(answer: bytes) -> Delivery:
    """What became of a verdict, by the `statusCode` of the terminal's answer."""
    try:
        status = json.loads(answer)
    except (ValueError, RecursionError):
        return Delivery.UNKNOWN
    code = status.get("statusCode") if isinstance(status, dict) else None
    return _TOOK.get(written(code), Delivery.UNKNOWN)


def _status(http: int, code: int, words_: str, sub_code: str) -> JSONResponse:
    """The `ResponseStatus` of ISAPI."""
    return JSONResponse({"statusCode": code, "statusString": words_, "subStatusCode": sub_code}, http)


ROUTES: Sequence[Route] = reader_calls(KIND, "", ["POST"], event)

HIKVISION = Dialect(KIND, ROUTES, tell, prefixes=(f"/readers/{KIND.name}/",), longest_body=_LONGEST_BODY)
