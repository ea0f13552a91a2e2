"""Control iD terminals in on-line mode (iDFace, iDAccess, iDBlock ...): an event in, an answer with actions out.

From the vendor's API pages and samples of a server; not proved on hardware. What a terminal read and did not know
itself comes as text, by a call for each way of reading it: a QR code counts as a token only, a card also by its number.
What is typed comes as a user id and a password: here a holder's number and the eight digits behind it, and no card's
number. Whom it recognised itself, by face or finger, is denied at every gate. The one picture that it sends, in
Enterprise mode, is its sensor's: a file, or a byte of gray for each pixel. It is looked at for a code.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.faces.dialect import Dialect, context_of, query_of
from app.faces.fields import read_fields
from app.faces.pictures import MAX_PICTURE
from app.faces.problems import Problem
from app.services.connected import Connection
from app.storage.attempt import Settled
from app.storage.failures import Unavailable

from .reading import (
    LONGEST_JSON,
    Method,
    Read,
    decide,
    device_of,
    opens,
    reader_calls,
    reader_kind,
    request_id_of,
    turn_away_strangers,
    words,
)

_ACTIONS = {
    "door": ("door", "door=1"),
    "door-2": ("door", "door=2"),
    "door-3": ("door", "door=3"),
    "door-4": ("door", "door=4"),
    "sec_box": ("sec_box", "id=65793, reason=1"),
    "clockwise": ("catra", "allow=clockwise"),
    "anticlockwise": ("catra", "allow=anticlockwise"),
    "both": ("catra", "allow=both"),
}
KIND = reader_kind("controlid", outputs=tuple(_ACTIONS))

_NOT_IDENTIFIED, _DENIED, _GRANTED = 3, 6, 7
_TYPED = re.compile(r"[0-9]{4,12}")
_TYPED_SECRET = re.compile(r"[0-9]{8}")
_PORTAL = re.compile(r"[0-9]{1,9}")
_DEVICE = re.compile(rb'"device_id"\s*:\s*"?([0-9]{1,20})')
_SIDES = range(21, 10_001)
"""How many pixels a side of a picture may have: the smallest QR code has 21 modules."""

_OCTETS = "application/octet-stream"
_LONGEST_BODY = MAX_PICTURE + 64 * 1024


class Event(NamedTuple):
    """What a terminal sent: its fields, wherever they stand, and the octets beside them."""

    fields: Mapping[str, str]
    octets: bytes

    @property
    def device(self) -> str | None:
        """The terminal's number."""
        return self.fields.get("device_id") or None

    @property
    def request_id(self) -> str | None:
        """The request id of the event: the same where it is sent again."""
        more = (self.fields.get(name) for name in ("identifier_id", "portal_id", "time"))
        return request_id_of(self.device, self.fields.get("uuid"), *more)

    @property
    def portal(self) -> int:
        """The door that it is at, as the terminal numbers them."""
        portal = self.fields.get("portal_id", "")
        return int(portal) if _PORTAL.fullmatch(portal) else 1


async def new_qrcode(request: Request) -> Response:
    """A QR code was shown."""
    return await _answer_to(request, "qrcode_value", Method.CODE)


async def new_card(request: Request) -> Response:
    """A card was held to the terminal. What counts is its number as the terminal writes it, in decimal."""
    return await _answer_to(request, "card_value", Method.CARD)


async def new_user_id_and_password(request: Request) -> Response:
    """A number and a password were typed: together a code, never a card's number.

    Without a number the password may be all of it.
    """
    connection, event = await _event(request)
    text = typed_code(event.fields.get("user_id", ""), event.fields.get("password", ""))
    settled = await decide(request, connection, Read(text, Method.CODE), event.request_id)
    return await _answer(request, connection, event, settled)


async def new_biometric_image(request: Request) -> Response:
    """A picture of the terminal's sensor: whoever shows a code in it is who the code says."""
    connection, event = await _event(request)
    picture = as_file(event.octets, event.fields.get("width", ""), event.fields.get("height", ""))
    settled = await decide(request, connection, None, event.request_id, picture=picture)
    return await _answer(request, connection, event, settled)


async def new_user_identified(request: Request) -> Response:
    """The terminal recognised somebody itself. Gatepass admits nobody by face or finger: denied, nothing is settled."""
    _, event = await _event(request)
    return JSONResponse(_result(_DENIED, event, words(None)))


async def new_biometric_template(request: Request) -> Response:
    """A biometric template: dropped unread, and nobody is identified by it."""
    event = await _known(request)
    context_of(request).metrics.discarded(KIND.name)
    return JSONResponse(_result(_NOT_IDENTIFIED, event, words(None)))


async def acknowledge(request: Request) -> Response:
    """Take a sign of life or a notification: nothing of it is kept."""
    await _known(request)
    return Response()


async def discard(request: Request) -> Response:
    """Take what was enrolled at the terminal, a face or a finger: dropped unread."""
    await _known(request)
    context_of(request).metrics.discarded(KIND.name)
    return Response()


async def session_is_valid(request: Request) -> Response:
    """Whether the terminal may go on: it may, if it is known."""
    await _known(request)
    return JSONResponse({"session_is_valid": True})


def tell(fault: Exception) -> Response:
    """What went wrong. Only a stranger and a fault of ours get an error: after some, a terminal decides by itself."""
    status = fault.status if isinstance(fault, Problem) else 400
    told = status if status in (401, 404) or status >= 500 else 200
    return JSONResponse(_result(_NOT_IDENTIFIED, Event({}, b""), words(None)), told)


def typed_code(user: str, password: str) -> str:
    """The code that was typed; "" where it does not look like one."""
    if user in ("", "0") and len(password) > 8:
        user, password = password[:-8], password[-8:]
    return user + password if _TYPED.fullmatch(user) and _TYPED_SECRET.fullmatch(password) else ""


def as_file(octets: bytes, width: str, height: str) -> bytes:
    """The picture as a file: as it is, or the gray of each pixel, rows from the top down, as a BMP of 8 bits.

    Octets that cannot be the pixels of a picture of that size, or of one with a code in it, are left as they are.
    """
    if not (_PORTAL.fullmatch(width) and _PORTAL.fullmatch(height)):
        return octets
    across, down = int(width), int(height)
    if across not in _SIDES or down not in _SIDES or across * down != len(octets):
        return octets
    padding = -across % 4
    rows = octets
    if padding:
        rows = b"".join(octets[start : start + across] + bytes(padding) for start in range(0, len(octets), across))
    grays = b"".join(bytes((gray, gray, gray, 0)) for gray in range(256))
    begins = 14 + 40 + len(grays)
    head = struct.pack("<2sIHHI", b"BM", begins + len(rows), 0, 0, begins)
    # A negative height says that the rows come from the top down.
    head += struct.pack("<IiiHHIIiiII", 40, across, -down, 1, 8, 0, len(rows), 0, 0, 256, 0)
    return head + grays + rows


async def _event(request: Request) -> tuple[Connection, Event]:
    await turn_away_strangers(request, KIND)
    fields = dict(query_of(request))
    octets = b""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _OCTETS:
        octets = await request.body()
    else:
        if len(await request.body()) > LONGEST_JSON:
            raise Problem(413, f"An event may have at most {LONGEST_JSON} bytes.")
        sent = await read_fields(request)
        named: Mapping[str, Any] = sent.value if isinstance(sent.value, dict) else {}
        fields |= {name: text for name in named if name in _FIELDS and (text := sent.text(name)) is not None}
    event = Event(fields, octets)
    return await device_of(request, KIND, event.device), event


async def _known(request: Request) -> Event:
    """What a terminal sent, where it is known. The content does not matter, and need not be readable."""
    try:
        _, event = await _event(request)
    except Problem as fault:
        if fault.status == 401:
            raise
        found = _DEVICE.search(await request.body())
        said = {"device_id": found[1].decode()} if found else {}
        event = Event(said | dict(query_of(request)), b"")
        await device_of(request, KIND, event.device)
    return event


async def _answer_to(request: Request, name: str, method: Method) -> Response:
    connection, event = await _event(request)
    text = event.fields.get(name, "")
    if not text:
        raise Problem(400, "The event has no text.")
    settled = await decide(request, connection, Read(text, method), event.request_id)
    return await _answer(request, connection, event, settled)


async def _answer(request: Request, connection: Connection, event: Event, settled: Settled | None) -> Response:
    """Granted with the holder's number and name, denied to a holder whose code was refused, or nobody."""
    if settled is None or not opens(settled):
        known = settled is not None and settled.ref is not None
        return JSONResponse(_result(_DENIED if known else _NOT_IDENTIFIED, event, words(settled)))
    action, parameters = _ACTIONS[connection.device.output or "door"]
    result = _result(_GRANTED, event, words(settled))
    result["result"] |= {
        "user_id": await _number(request, connection, settled.ref),
        "user_name": settled.name or "",
        "actions": [{"action": action, "parameters": parameters}],
    }
    return JSONResponse(result)


def _result(code: int, event: Event, message: str) -> dict[str, Any]:
    nobody = {"user_id": 0, "user_name": "", "user_image": False}
    return {"result": {"event": code, **nobody, "portal_id": event.portal, "actions": [], "message": message}}


async def _number(request: Request, connection: Connection, ref: str | None) -> int:
    """The holder's number; 0 where there is no holder, or it cannot be had just now: the door opens all the same."""
    if ref is None:
        return 0
    try:
        holder = await context_of(request).store.read(lambda tx: tx.holders.by_ref(connection.tenant, ref))
    except Unavailable:
        return 0
    return holder.number if holder is not None else 0


_FIELDS = (
    *("device_id", "uuid", "identifier_id", "portal_id", "time"),
    *("qrcode_value", "card_value", "user_id", "password"),
)

_EVENTS = {
    "new_qrcode.fcgi": new_qrcode,
    "new_card.fcgi": new_card,
    "new_user_id_and_password.fcgi": new_user_id_and_password,
    "new_biometric_image.fcgi": new_biometric_image,
    "new_biometric_template.fcgi": new_biometric_template,
    "new_user_identified.fcgi": new_user_identified,
    "device_is_alive.fcgi": acknowledge,
    "session_is_valid.fcgi": session_is_valid,
    "new_rex_log.fcgi": acknowledge,
    "face_create.fcgi": discard,
    "fingerprint_create.fcgi": discard,
    "template_create.fcgi": discard,
    "api/notifications/user_image": discard,
    "api/notifications/face_template": discard,
    "api/notifications/template": discard,
    "api/notifications/{rest:path}": acknowledge,
}

ROUTES: Sequence[Route] = tuple(
    route for path, endpoint in _EVENTS.items() for route in reader_calls(KIND, f"/{path}", ["POST"], endpoint)
)

CONTROLID = Dialect(KIND, ROUTES, tell, prefixes=("/readers/controlid/",), longest_body=_LONGEST_BODY)
