"""What all readers have in common: which device it is, and what its gate says to the text that it read."""

import hashlib
import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import Route

from app.core.model import Direction
from app.faces.dialect import Endpoint, calls, clean, context_of
from app.faces.problems import Problem
from app.services.connected import Connection, Kind, drawn
from app.services.mistakes import Mistake
from app.services.verify import Presentation, verify
from app.storage.attempt import Settled

_PATH_CHARACTERS = 27
"""160 bits of base62."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
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


def request_id_of(serial: str | None, record: str | None) -> str | None:
    """The request id of a record of the device's, by the device and the record's number; None where it has none."""
    if not record:
        return None
    plain = f"{serial or 'device'}.{record}"
    if _REQUEST_ID.fullmatch(plain):
        return plain
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


async def decide(
    request: Request,
    connection: Connection,
    text: str | None,
    request_id: str | None = None,
    *,
    picture: bytes | None = None,
) -> Settled | None:
    """What the gate says to what was read, a text or a picture; None where nothing can be said, which opens nothing.

    `request_id` makes a repeated record of the device's safe: it gets the first answer again.
    """
    presentation = Presentation(connection.gate, token=text, picture=picture, request_id=request_id)
    try:
        return await verify(context_of(request), connection.caller, presentation)
    except Mistake:  # the gate was deleted, or the device used a record's number again for something else
        return None


def opens(settled: Settled | None) -> bool:
    """Whether the door is to open now: not for what a repeat window gives again, since nobody polls here."""
    return settled is not None and settled.outcome == "admit" and settled.repeated != "window"


def words(settled: Settled | None) -> str:
    """What a screen shows: one of a few constants in ASCII, never a name and never what was read."""
    if settled is not None and opens(settled):
        return _GOODBYE if settled.direction == Direction.EXIT else _WELCOME
    return _WORDS.get(settled.reason, _REFUSED) if settled is not None else _REFUSED
