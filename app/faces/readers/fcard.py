"""FCARD face terminals, HTTPv2 (FC-8200H, 8190H, 8380T ...): forms in, `Success` and a message out.

From the vendor's protocol document, version 6.0; not proved on hardware. A terminal asks before it opens, and gives up
after 2 seconds. `RecordType` says what it read: a code counts as a token only, a card also by its number. Whom it
recognised by face, finger or palm is refused, also where a code or that person's card number stands beside. In a
record of another type a token counts, where no `UserID` is named. Photos are dropped unread, records only acknowledged.
Whether it is at the entry or the exit says the connection, not `IsEntry`.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.faces.dialect import Dialect, context_of
from app.faces.parts import Part, read_parts
from app.faces.problems import Problem
from app.faces.strict_json import read_json
from app.services.connected import Connection

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

KIND = reader_kind("fcard")

_PHOTOS = ("Photo", "pic")
_RECORDS = ("RecordDetail", "recordJson")
_METHODS = {
    **dict.fromkeys(range(2, 15), Method.RECOGNISED),  # finger, face, a typed number, and these together with others
    **dict.fromkeys((1, 48), Method.CARD),  # of a registered person, or of nobody
    **dict.fromkeys((32, 49), Method.CODE),  # a dynamic one, or one that the terminal does not know
}
"""The `RecordType`s that say how something was read. Of the others nothing is believed but a token."""

_MAX_PARTS = 16
_LONGEST_BODY = 1024 * 1024
_SERIAL = re.compile(rb'"(?:Device)?SN"\s*:\s*"([^"]{1,64})"')


class Sent(NamedTuple):
    """What a terminal sent: its serial number, a record as JSON, and how many photos."""

    serial: str | None
    record: bytes | None
    photos: int


def read_sent(content_type: str, body: bytes) -> Sent:
    """The parts that count of a form, or of JSON that need not be strict. Raises ValueError for a broken form."""
    if not content_type.lower().startswith("multipart/"):
        found = _SERIAL.search(body)
        return Sent(_text(found[1]) if found else None, None, 0)
    parts = {part.name: part for part in read_parts(content_type, body, max_parts=_MAX_PARTS)}
    record = next((_inflated(parts[name]) for name in _RECORDS if name in parts), None)
    serial = _text(parts["SN"].content) if "SN" in parts else None
    return Sent(serial, record, sum(name in parts and bool(parts[name].content) for name in _PHOTOS))


async def authorize(request: Request) -> Response:
    """Whether the door opens for what the terminal read. A record that it sends again gets the first answer again."""
    connection, sent = await _sender(request)
    if sent.record is None:
        raise Problem(400, "The request has no record.")
    record = _record(sent.record)
    number, way, date = (written(record.get(name)) for name in ("RecordID", "IsEntry", "RecordDate"))
    settled = await decide(request, connection, _read(record), request_id_of(sent.serial, number, way, date))
    return JSONResponse({"Success": int(opens(settled)), "Message": words(settled)})


async def acknowledge(request: Request) -> Response:
    """Take a heartbeat, a record or settings: nothing of it is kept."""
    await _sender(request)
    return JSONResponse({"Success": 1})


def tell(fault: Exception) -> Response:
    """What went wrong. Only a stranger and a fault of ours get an error: a terminal falls silent for a while at one."""
    status = fault.status if isinstance(fault, Problem) else 400
    if status == 401:
        return JSONResponse({"Success": 401, "Message": "Unknown device"}, 401)
    if status < 500:
        return JSONResponse({"Success": 0, "Message": words(None)})
    return JSONResponse({"Success": status, "Message": words(None)}, status)


async def _sender(request: Request) -> tuple[Connection, Sent]:
    await turn_away_strangers(request, KIND)
    try:
        sent = read_sent(request.headers.get("content-type", ""), await request.body())
    except ValueError:
        sent = Sent(None, None, 0)
    connection = await device_of(request, KIND, sent.serial)
    context_of(request).metrics.discarded(KIND.name, sent.photos)
    return connection, sent


def _record(sent: bytes) -> Mapping[str, Any]:
    try:
        record = read_json(sent)
    except ValueError as fault:
        raise Problem(400, str(fault)) from None
    if not isinstance(record, dict):
        raise Problem(400, "The record is no object.")
    return record


def _read(record: Mapping[str, Any]) -> Read | None:
    """What was read; None where somebody was recognised otherwise."""
    kind = record.get("RecordType")
    method = _METHODS.get(kind, Method.UNSAID) if type(kind) is int else Method.UNSAID
    code, card = written(record.get("QRCode")), number_in(record.get("CardNum"))
    return read_of(code, card, method, nobody=is_nobody(record.get("UserID")))


def _inflated(part: Part) -> bytes:
    """The content of a part that may be compressed. Raises ValueError where that is broken or much too long."""
    if part.encoding != "gzip" and not part.content.startswith(b"\x1f\x8b"):
        if len(part.content) > LONGEST_JSON:
            raise ValueError("The record is too long.")
        return part.content
    inflating = zlib.decompressobj(wbits=31)
    try:
        content = inflating.decompress(part.content, LONGEST_JSON)
    except zlib.error:
        raise ValueError("The record is no gzip.") from None
    if not inflating.eof:
        raise ValueError("The record is cut short, or too long.")
    return content


def _text(raw: bytes) -> str | None:
    return raw.decode("utf-8", "replace").strip() or None


_ACKNOWLEDGED = (
    "/Device/Keepalive",
    "/Device/UploadWorkSetting",
    "/Record/UploadIdentifyRecord",
    "/Record/UploadSystemRecord",
)

ROUTES: Sequence[Route] = (
    *reader_calls(KIND, "/Device/RequestAuthorization", ["POST"], authorize),
    *(route for path in _ACKNOWLEDGED for route in reader_calls(KIND, path, ["POST"], acknowledge)),
)

FCARD = Dialect(KIND, ROUTES, tell, prefixes=("/readers/fcard/",), longest_body=_LONGEST_BODY)
