"""Vguang QR readers in HTTP mode (TX, M300, M350, KQT300, DW200 ...): the text of a code in, `code=...` out.

From the vendor's published firmware application and what public servers do; not proved on hardware. A reader takes
the four digits as hexadecimal: 0000 opens, and so do 0001 to 0008, with which most servers believe to refuse. Others
change its firmware, have it tell its passwords, or show a text. So the answer is one of two constants, whatever was
sent: nothing scanned and no name is ever in it, and every error is the refusal, with status 200.

A reader does not say whether it read a code or a card, so what it read counts as a token only.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.core.model import Claims
from app.faces.dialect import Dialect, context_of
from app.faces.strict_json import read_json
from app.services.connected import Connection
from app.services.sight import opened

from .reading import Method, Read, decide, device_of, opens, reader_calls, reader_kind, turn_away_strangers

KIND = reader_kind("vguang")

OPEN, REFUSE = "code=0000", "code=1000"
HEARTBEAT = "www.vguang.cn"
"""What a reader sends in the place of a code every half minute, unless it was configured otherwise."""

_NAMES = (b"vgdecoderesult", b"vgdecoderresult")  # some firmware misspells it
_NUMBER = b"devicenumber"
_LONGEST_BODY = 32 * 1024


class Frame(NamedTuple):
    """What a reader sent: the text of a code, "" where there is none, and its own number if it says it."""

    text: str
    number: str | None


def read_frame(raw: bytes) -> Frame:
    """The text and the number in what a reader sent, in any of the forms that there are.

    Nothing in it is encoded, so the text may have `&` and `=` in it: it ends at the last device number.
    """
    if raw.lstrip()[:1] == b"{":
        return _of_json(raw)
    head, number = raw, None
    place = raw.lower().rfind(_NUMBER)
    before, after = raw[: max(place, 0)].rstrip(), raw[place + len(_NUMBER) :].lstrip()
    if place > 0 and before[-1:] == b"&" and after[:1] == b"=":
        head = before[:-1].removesuffix(b"&")
        number = after[1:].partition(b"&")[0].strip().decode("utf-8", "replace") or None
    for name in _NAMES:
        label, equals, text = head.partition(b"=")
        if equals and label.strip().lower() == name:
            head = text
            break
    return Frame(head.strip().decode("utf-8", "replace"), number)


async def scan(request: Request) -> Response:
    """Open, if the gate says so to what was read. A heartbeat is not shown to the gate."""
    await turn_away_strangers(request, KIND)
    frame = read_frame(await request.body() or request.scope["query_string"])
    if frame.text in ("", HEARTBEAT):
        return _told(REFUSE)
    connection = await device_of(request, KIND, frame.number)
    read = Read(_as_shown(request, connection, frame.text), Method.CODE)
    settled = await decide(request, connection, read)
    return _told(OPEN if opens(settled) else REFUSE)


def tell(_fault: Exception) -> Response:
    """The refusal, whatever went wrong: a reader learns nothing, and stays shut."""
    return _told(REFUSE)


def _told(code: str) -> Response:
    return Response(code, media_type="text/plain")


def _of_json(raw: bytes) -> Frame:
    try:
        value = read_json(raw)
    except ValueError:
        return Frame("", None)
    named = {name.lower(): each for name, each in value.items()}
    text = next((named[name.decode()] for name in _NAMES if name.decode() in named), "")
    number = named.get(_NUMBER.decode())
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    return Frame(text if isinstance(text, str) else "", number if isinstance(number, str) and number else None)


def _as_shown(request: Request, connection: Connection, text: str) -> str:
    """The text as the code has it: some readers encode it on the way, as in a URL or in hexadecimal.

    Which did is told by what opens as a token. What does not, however it is read, is left as it came.
    """
    readings = dict.fromkeys((text, unquote(text), unquote_plus(text), _from_hexadecimal(text)))
    shown = opened(context_of(request), connection.tenant, tuple(readings))
    return next((each for each in readings if isinstance(shown[each], Claims)), text)


def _from_hexadecimal(text: str) -> str:
    try:
        return bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text


ROUTES: Sequence[Route] = (
    *reader_calls(KIND, "", ["GET", "POST"], scan),
    *reader_calls(KIND, "/{rest:path}", ["GET", "POST"], scan),
)

VGUANG = Dialect(KIND, ROUTES, tell, prefixes=("/readers/vguang/",), longest_body=_LONGEST_BODY)
