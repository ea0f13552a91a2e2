"""What all readers have in common: which device it is, what counts of what it read, and what its gate says to that.

Whom a device recognised itself opens nothing. A card's number counts where the device says that it read a card, and
nowhere else, since such a number can be copied. A token is itself the proof: it also counts where the device does not
say how it read the text, unless it names somebody.
"""

import hashlib
import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from starlette.requests import Request
from starlette.routing import Route

from app.core.decision import Outcome, is_exit_side
from app.core.model import SECOND, Direction, Gate, Refused
from app.faces.dialect import Endpoint, calls, clean, context_of
from app.faces.problems import Problem
from app.services.connected import Connection, Kind, drawn
from app.services.context import Context
from app.services.mistakes import Clash, Mistake
from app.services.sight import opened
from app.services.verify import Presentation, settle, verify
from app.storage.attempt import Settled

ASKED_AGAIN_S = 30
"""How long a device that lost an answer may ask for it again: later the same record opens nothing."""

LONGEST_JSON = 64 * 1024
"""What a device has to say has room in this; what is longer is a photograph."""

_PATH_CHARACTERS = 27
"""160 bits of base62."""

_LONGEST_REQUEST_ID = 64
_LARGEST_EXACT = 2**53
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_WELCOME, _GOODBYE, _REFUSED = "Welcome", "Goodbye", "Not admitted"
_WORDS = {"already_used": "Code used already", "expired": "Code expired", "unavailable": "Try again"}


def reader_kind(name: str, *, calls_device: bool = False, outputs: tuple[str, ...] = ()) -> Kind:
    """A kind of reader: what it is given is a path that nobody else knows. `outputs` are those of its devices."""
    return Kind(
        name,
        key=drawn(_PATH_CHARACTERS),
        credentials=lambda key, _secret: {"path": f"/readers/{name}/{key}"},
        polls=False,
        calls_device=calls_device,
        outputs=outputs,
    )


def reader_calls(kind: Kind, path: str, methods: Sequence[str], endpoint: Endpoint) -> tuple[Route, ...]:
    """A call under the secret path; and as it is, for devices that have an address to themselves and no path."""
    return *calls(f"/readers/{kind.name}/{{key}}{path}", methods, endpoint), *calls(path or "/", methods, endpoint)


async def device_of(request: Request, kind: Kind, serial: str | None) -> Connection:
    """The connection of the device that calls: by its secret path, else by the serial number that it says it has.

    The serial number alone counts only at an address that the kind has to itself (`--face`); where the connection names
    one, another is refused. Raises `Problem` (401).
    """
    connections = context_of(request).connections
    key, connection = request.path_params.get("key"), None
    if key is not None:
        connection = await connections.by_key(kind.name, clean(key))
    elif serial and request.state.own_address:
        connection = await connections.by_serial(kind.name, clean(serial))
    known = connection.device.serial if connection is not None else None
    if connection is None or (known is not None and serial is not None and serial != known):
        raise Problem(401, "This is no path of a connection, or another device's.")
    return connection


async def turn_away_strangers(request: Request, kind: Kind) -> None:
    """See that a secret path is somebody's, before anything that was sent is looked at. Raises `Problem` (401)."""
    if request.path_params.get("key") is not None or not request.state.own_address:
        await device_of(request, kind, None)


class Method(Enum):
    """How a device says that it came to what it sent: RECOGNISED is by face, finger, palm or a number of its own."""

    CARD = auto()
    CODE = auto()
    RECOGNISED = auto()
    UNSAID = auto()


class Read(NamedTuple):
    """A text that counts as read. Of a CARD it may be a token or a card's number, of a CODE a token.

    UNSAID it is an attempt only if it opens as a token.
    """

    text: str
    method: Method


def read_of(code: str, card: str, method: Method, *, nobody: bool) -> Read | None:
    """What counts of a record that may have a code's text and a card's number ("" where it has none); None for nothing.

    `nobody` is whether the record names none of the people whom the device knows.
    """
    text = code or card
    if not text or method is Method.RECOGNISED or (method is Method.UNSAID and not nobody):
        return None
    return Read(text, Method.CODE if code and method is Method.CARD else method)


def written(value: object) -> str:
    """A text, or a whole number as its digits, however JSON has it; "" for anything else."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else ""


def number_in(value: object) -> str:
    """What is written there; "" where that is nothing or 0, by which devices say that there is none."""
    text = written(value)
    return text if text.strip("0 ") else ""


def is_nobody(*ids: object) -> bool:
    """Whether none of the ids of people is one: they are missing, empty or 0."""
    return all(each is None or (isinstance(each, int | str) and not str(each).strip("0 ")) for each in ids)


def request_id_of(serial: str | None, record: str | None, *more: str | None) -> str | None:
    """The request id of a device's record, by the device, the record's number and what else tells it from others.

    None where the record has no number, or 0: that is any record.
    """
    if not (record or "").strip("0-. "):
        return None
    parts = [each or "-" for each in (serial, record, *more)]
    plain = ".".join(parts)
    if len(plain) <= _LONGEST_REQUEST_ID and all(_PLAIN.fullmatch(part) for part in parts):
        return plain
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


async def decide(
    request: Request,
    connection: Connection,
    read: Read | None,
    request_id: str | None = None,
    *,
    picture: bytes | None = None,
) -> Settled | None:
    """What the gate says to what was read, or to a picture; None where nothing can be said, which opens nothing.

    `request_id` makes a repeated record of the device's safe: for a moment it gets the first answer again. Later an
    admission no longer counts, and one id for two things opens nothing. On the way out neither holds anybody back.
    """
    if read is None and picture is None:
        return None
    app = context_of(request)
    try:
        settled = await _attempt(app, connection, read, request_id, picture)
    except Clash:  # the device used a record's number again for something else
        if request_id is not None and await _leads_out(app, connection):
            return await decide(request, connection, read, picture=picture)
        return None
    except Mistake:  # the gate was deleted, or the picture is none
        return None
    return None if settled is None or _is_late(app, settled) else settled


def opens(settled: Settled | None) -> bool:
    """Whether the door is to open now: not for what a repeat window gives again, since nobody polls here."""
    return settled is not None and settled.outcome is Outcome.ADMIT and settled.repeated != "window"


def words(settled: Settled | None) -> str:
    """What a screen shows: one of a few constants in ASCII, never a name and never what was read."""
    if settled is not None and opens(settled):
        return _GOODBYE if settled.direction == Direction.EXIT else _WELCOME
    return _WORDS.get(settled.reason, _REFUSED) if settled is not None else _REFUSED


async def _attempt(
    app: Context, connection: Connection, read: Read | None, request_id: str | None, picture: bytes | None
) -> Settled | None:
    if read is None or read.method is Method.CARD:
        text = read.text if read is not None else None
        presentation = Presentation(connection.gate, token=text, picture=picture, request_id=request_id)
        return await verify(app, connection.caller, presentation)
    presented = opened(app, connection.tenant, [read.text])[read.text]
    if read.method is Method.UNSAID and isinstance(presented, Refused):
        return None
    presentation = Presentation(connection.gate, token=read.text, request_id=request_id)
    return await settle(app, connection.caller, presentation, presented, read.text)


def _is_late(app: Context, settled: Settled) -> bool:
    """Whether it is an admission that is given again, when nobody waits for it any more."""
    if settled.repeated is None or settled.outcome is not Outcome.ADMIT or settled.direction == Direction.EXIT:
        return False
    return app.clock.now() - settled.at > ASKED_AGAIN_S * SECOND


async def _leads_out(app: Context, connection: Connection) -> bool:
    """Whether nobody is held back there, by the gate as it is now."""
    stored = await app.store.read(lambda tx: tx.gates.get(connection.tenant, connection.gate))
    exit_bound = connection.caller.side == Direction.EXIT
    return stored is not None and is_exit_side(Gate(stored.id, Direction(stored.direction)), exit_bound=exit_bound)
