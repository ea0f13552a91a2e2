"""What all readers have in common: which device it is, and what its gate says to the text that it read."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import Route

from app.faces.dialect import Endpoint, calls, clean, context_of
from app.faces.problems import Problem
from app.services.connected import Connection, Kind, drawn
from app.services.mistakes import Mistake
from app.services.verify import Presentation, verify
from app.storage.attempt import Settled

_PATH_CHARACTERS = 27
"""160 bits of base62."""


def reader_kind(name: str, *, calls_device: bool = False) -> Kind:
    """A kind of reader: what it is given is a path that nobody else knows."""
    return Kind(
        name,
        key=drawn(_PATH_CHARACTERS),
        credentials=lambda key, _secret: {"path": f"/readers/{name}/{key}"},
        polls=False,
        calls_device=calls_device,
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


async def decide(request: Request, connection: Connection, text: str, request_id: str | None = None) -> Settled | None:
    """What the gate says to what was read; None where nothing can be said, which opens nothing.

    `request_id` makes a repeated record of the device's safe: it gets the first answer again.
    """
    presentation = Presentation(connection.gate, token=text, request_id=request_id)
    try:
        return await verify(context_of(request), connection.caller, presentation)
    except Mistake:  # the gate was deleted, or the device used a record's number again for something else
        return None


def opens(settled: Settled | None) -> bool:
    """Whether the door is to open now: not for what a repeat window gives again, since nobody polls here."""
    return settled is not None and settled.outcome == "admit" and settled.repeated != "window"
