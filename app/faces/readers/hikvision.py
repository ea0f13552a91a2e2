"""Hikvision MinMoe terminals with remote verification (ISAPI): they post an event, and are then told what to do.

The terminal reads a QR code itself and posts what was in it as the number of a card. An event with `remoteCheck` waits
for a verdict, which Gatepass PUTs to the terminal under the event's `serialNo`. The event itself is answered at once,
before anything is settled: a terminal that waits for that answer would not hear the verdict.

A repeated event settles nothing again, and an admission is told by whoever settled it and nobody else: so one that
surely did not arrive can be taken back (`services/deliver.py`).

Not proved on hardware: written from Hikvision's field names and from public servers.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.core.model import SECOND
from app.effects.devices import Message
from app.faces.dialect import Dialect, context_of
from app.faces.parts import read_parts
from app.faces.problems import Problem
from app.faces.strict_json import read_json
from app.services.connected import Connection
from app.services.context import Context
from app.services.deliver import deliver

from .reading import decide, device_of, opens, reader_calls, reader_kind, request_id_of, words

KIND = reader_kind("hikvision", calls_device=True)

_REMOTE_CHECK = "/ISAPI/AccessControl/remoteCheck?format=json"
_EVENT_PARTS = ("event_log", "AccessControllerEvent")
_MOST_PARTS = 8
_LONGEST_BODY = 4 * 1024 * 1024
_LARGEST_SERIAL = 2**63 - 1

_STORED_AFTER_S = 300
"""An event that is older was stored by the terminal while it was cut off, and nobody waits for a verdict."""

_CARD_OR_CODE = frozenset({*range(1, 11), *range(40, 46), *range(60, 63), *range(66, 69), 156, 157})
"""The `subEventType`s in which a card or a code was shown, be it together with something else.

Of somebody whom it recognised otherwise, the terminal may send the number of a card that it knows they have. Nobody has
shown that, so it counts for nothing.
"""


class _Asked(NamedTuple):
    """An event that waits for a verdict. `text` is what was read, None where it was nothing."""

    serial: int
    text: str | None
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
    told = _told(app, request.headers.get("content-type", ""), await request.body())
    serial = told.get("shortSerialNumber")
    connection = await device_of(request, KIND, serial if isinstance(serial, str) else None)
    asked = _asked(told, app.clock.now())
    if asked is not None:

        async def work(until: float) -> None:
            await _answer(request, connection, asked, until)

        if not app.devices.start(connection.device.url or "", work):
            raise Problem(503, "Too much is under way with this device, or it may not be called.")
    return _status(200, 1, "OK", "ok")


async def _answer(request: Request, connection: Connection, asked: _Asked, until: float) -> None:
    """Settle what was read and tell the terminal."""
    settled = await decide(request, connection, asked.text, asked.request_id) if asked.text is not None else None
    admits = opens(settled)
    if settled is not None and admits and settled.repeated is not None:
        return  # the first event's verdict is on its way
    verdict = {"serialNo": asked.serial, "checkResult": "success" if admits else "failed", "info": words(settled)}
    url, username, password = connection.device.url, connection.device.username, connection.device.password
    body = json.dumps({"RemoteCheck": verdict}).encode()
    message = Message(url or "", _REMOTE_CHECK, body, username or "", password or "", _taken)
    admission = settled.verification if settled is not None and admits else None
    await deliver(context_of(request), connection, message, until, admission)


def _told(app: Context, content_type: str, body: bytes) -> dict[str, Any]:
    """The event: the body, or a part of it. The pictures beside it are counted, and not looked at."""
    try:
        if content_type.lower().startswith("multipart/"):
            parts = read_parts(content_type, body, max_parts=_MOST_PARTS)
            events = [part.content for part in parts if part.name in _EVENT_PARTS]
            app.metrics.discarded(KIND.name, len(parts) - len(events))
            body = events[0] if events else b""
        told = read_json(body)
    except ValueError as fault:
        raise Problem(400, str(fault)) from None
    if not isinstance(told, dict):
        raise Problem(400, "The event is no JSON object.")
    return told


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
    return _Asked(serial, _read(details), request_id_of(None, f"{serial}.{at if isinstance(at, str) else ''}"))


def _read(details: dict[str, Any]) -> str | None:
    """What was in the code, or the number of the card; None where neither was shown."""
    code, card, kind = details.get("QRCodeInfo"), details.get("cardNo"), details.get("subEventType")
    if isinstance(code, str) and code.strip():
        return code
    nobody = all(details.get(name) in (None, "", "0", 0) for name in ("employeeNoString", "employeeNo"))
    shown = nobody or (type(kind) is int and kind in _CARD_OR_CODE)
    if type(card) is int:
        card = str(card)
    return card if shown and isinstance(card, str) and card.strip("0 ") else None


def _is_stored(at: object, now: int) -> bool:
    """Whether an event of that time was kept by the terminal. Where it says no time, or no zone, it is of now."""
    try:
        then = datetime.fromisoformat(at) if isinstance(at, str) else None
    except ValueError:
        return False
    return then is not None and then.tzinfo is not None and now - then.timestamp() * SECOND > _STORED_AFTER_S * SECOND


def _taken(answer: bytes) -> bool:
    """Whether the terminal took the verdict: its `statusCode` is 1, or it says none."""
    try:
        status = json.loads(answer)
    except (ValueError, RecursionError):
        return True
    return not isinstance(status, dict) or status.get("statusCode", 1) == 1


def _status(http: int, code: int, words_: str, sub_code: str) -> JSONResponse:
    """The `ResponseStatus` of ISAPI."""
    return JSONResponse({"statusCode": code, "statusString": words_, "subStatusCode": sub_code}, http)


ROUTES: Sequence[Route] = reader_calls(KIND, "", ["POST"], event)

HIKVISION = Dialect(KIND, ROUTES, tell, prefixes=(f"/readers/{KIND.name}/",), longest_body=_LONGEST_BODY)
