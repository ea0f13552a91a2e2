"""`/v1/connections`: clients and readers that were made for face scanning."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field

from app.core.ids import show
from app.faces.dialects import DIALECTS
from app.services.connected import Device
from app.services.connections import (
    NOBODY,
    ConnectionWish,
    create_connection,
    get_connection,
    list_connections,
    revoke_connection,
)
from app.services.context import Context
from app.services.credentials import Caller
from app.services.mistakes import Invalid
from app.storage.records import ConnectionRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, ShownTime, Side, id_of, show_time
from .lists import ListQuery
from .passes import PassTemplate

router = APIRouter(prefix="/v1/connections", tags=["connections"])

_KINDS = {"enum": list(DIALECTS)}


class ConnectedDevice(Body):
    """A reader or terminal. `serial` is the number it says it has; another is then refused.

    `output` is what it opens, for kinds whose models differ in that. The rest is for devices that Gatepass has to call:
    `url` is `http://` and an IP address in a network that is allowed for them.
    """

    serial: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    output: Annotated[str, Field(max_length=32)] | None = None
    url: Annotated[str, Field(max_length=200)] | None = None
    username: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class NewConnection(Body):
    """A client or reader to connect, at one gate. `pass_template` is the pass of whom it enrols: else for that gate.

    At a gate for both directions, `side` says on which side it is.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "compreface", "gate": "main-door"}]})

    kind: Annotated[str, Field(max_length=32, json_schema_extra=_KINDS)]
    gate: GateId
    side: Side | None = None
    pass_template: PassTemplate | None = None
    device: ConnectedDevice | None = None


class Connection(Answer):
    """A connection, without its credentials. `base_url` is what its client is given in place of the one it has."""

    id: str
    kind: Annotated[str, Field(json_schema_extra=_KINDS)]
    gate: str
    side: Side | None
    base_url: str
    created_at: ShownTime


class CreatedConnection(Connection):
    """A new connection. `credentials` are shown here only; null where an earlier request with this key got them.

    They have the names that its client has for them: `api_key`, `access_key_id`, `secret_key`, `path` and so on.
    """

    credentials: dict[str, str] | None


class ConnectionList(Answer):
    """A page of connections that are not revoked, newest first."""

    items: list[Connection]
    next: str | None


Admin = Annotated[Caller, allowed("admin")]


@router.post(
    "",
    status_code=201,
    summary="Create a connection",
    response_description="The connection and its credentials, shown this once",
    response_model=CreatedConnection,
)
async def create(app: App, caller: Admin, body: NewConnection, retry: RetryKey, request: Request) -> object:
    """Connect a client that was made for face recognition, or a door reader, at a gate.

    A gate whose `repeat_window_s` is 0 gets one of 5 seconds with its first camera, since cameras poll.
    """
    if body.kind not in DIALECTS:
        raise Invalid("kind", f"There is no such kind. There are: {', '.join(DIALECTS)}.")
    grants = body.pass_template.wish(NOBODY) if body.pass_template else None
    device = Device(**body.device.model_dump()) if body.device else Device()
    wish = ConnectionWish(body.gate, body.side, grants, device)
    made = await create_connection(app, caller, DIALECTS[body.kind].kind, wish, retry)
    return {**_show(app, request, made.record), "credentials": made.credentials}


@router.get("", summary="List connections", response_description="A page of connections", response_model=ConnectionList)
async def list_(app: App, caller: Admin, query: Annotated[ListQuery, Query()], request: Request) -> object:
    """The tenant's connections, newest first, without their credentials."""
    page = await list_connections(app, caller, query.after("connections", bytes), query.limit)
    return query.answer("connections", page, lambda record: _show(app, request, record))


@router.get("/{id}", summary="Retrieve a connection", response_description="The connection", response_model=Connection)
async def get(app: App, caller: Admin, id: str, request: Request) -> object:  # noqa: A002
    """One connection, without its credentials."""
    return _show(app, request, await get_connection(app, caller, id_of("conn", "connection", id)))


@router.delete(
    "/{id}", status_code=204, summary="Revoke a connection", response_description="It is refused from now on"
)
async def revoke(app: App, caller: Admin, id: str) -> None:  # noqa: A002
    """Refuse the client: within two seconds everywhere. The passes of whom it enrolled stay."""
    await revoke_connection(app, caller, id_of("conn", "connection", id))


def _show(app: Context, request: Request, record: ConnectionRecord) -> dict[str, Any]:
    return {
        "id": show("conn", record.id),
        "kind": record.kind,
        "gate": record.gate,
        "side": record.side,
        "base_url": _base_url(app, request, record.kind),
        "created_at": show_time(record.created_at),
    }


def _base_url(app: Context, request: Request, kind: str) -> str:
    """Where the client is to call: the service's address, but for the port or host name that the kind has to itself."""
    here = app.network.public_url or str(request.base_url)
    own = app.network.faces.get(kind)
    if own is None:
        return here.rstrip("/")
    parts = urlsplit(here)
    host, port = (parts.hostname or "", own) if own.isdigit() else (own, parts.port)
    if ":" in host:
        host = f"[{host}]"
    scheme = "http" if own.isdigit() and app.network.tls else parts.scheme
    return f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
