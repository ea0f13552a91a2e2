"""FCARD face terminals, HTTPv2 (FC-8200H, 8190H, 8380T ...): forms in, `Success` and a message out.

From the vendor's protocol document, version 6.0; not proved on hardware. A terminal asks before it opens, and gives up
after 2 seconds. What it read counts: the text of a QR code, or the number of a card that was held to it. Whom it
recognised by face, finger or palm is refused, also where that person's card number stands beside. Photos are dropped
unread, records only acknowledged. Whether it is at the entry or the exit says the connection, not `IsEntry`.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.faces.dialect import Dialect, clean, context_of
from app.faces.parts import Part, read_parts
from app.faces.problems import Problem
from app.faces.strict_json import read_json
from app.services.connected import Connection

from .reading import decide, device_of, opens, reader_calls, reader_kind, request_id_of, words

KIND = reader_kind("fcard")

_PHOTOS = ("Photo", "pic")
_RECORDS = ("RecordDetail", "recordJson")
_CARD_WAS_READ = (1, 48)  # of a registered person, or of nobody
_NO_CARD = ("", "0")
_MAX_PARTS = 16
_LONGEST_RECORD = 64 * 1024
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
    shown = _shown(record)
    settled = None
    if shown:
        number = record.get("RecordID")
        request_id = request_id_of(sent.serial, str(number) if isinstance(number, int | str) else None)
        settled = await decide(request, connection, shown, request_id)
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


def _shown(record: Mapping[str, Any]) -> str:
    """The text of the code that was read, or the number of the card; "" where somebody was recognised otherwise."""
    kind, code, card = record.get("RecordType"), record.get("QRCode"), record.get("CardNum")
    if isinstance(code, str) and code.strip():
        return clean(code)
    if isinstance(card, int) and not isinstance(card, bool):
        card = str(card)
    if type(kind) is not int or kind not in _CARD_WAS_READ or not isinstance(card, str) or card.strip() in _NO_CARD:
        return ""
    return clean(card)


def _inflated(part: Part) -> bytes:
    """The content of a part that may be compressed. Raises ValueError where that is broken or much too long."""
    if part.encoding != "gzip" and not part.content.startswith(b"\x1f\x8b"):
        return part.content
    inflating = zlib.decompressobj(wbits=31)
    try:
        content = inflating.decompress(part.content, _LONGEST_RECORD)
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
