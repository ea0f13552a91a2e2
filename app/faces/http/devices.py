"""`/v1/devices`: kiosks, readers and terminals, how they are set up, and what they ask for themselves."""

import asyncio
import re
from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field, model_validator

from app.core.ids import show
from app.effects.draw_pictures import draw_png
from app.services.context import Context
from app.services.credentials import Caller
from app.services.device_calls import initialize, report, roll
from app.services.devices import (
    DeviceWish,
    ToSetUp,
    change_device,
    create_device,
    get_device,
    list_devices,
    revoke_device,
    set_up_again,
)
from app.services.mistakes import Clash, Invalid
from app.storage.records import DeviceRecord

from .caller import App, RetryKey, allowed
from .fields import Answer, Body, GateId, Name, Nothing, ShownTime, Side, id_of, maybe_time, show_time
from .lists import ListQuery

router = APIRouter(prefix="/v1/devices", tags=["devices"])

WITHOUT_KEY = ("POST", "/v1/devices/initialize")
"""The one request under `/v1` without an API key: whoever makes it shows a set-up token."""

HANDSHAKE = 1
"""The version of the set-up that this service knows."""

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")

Software = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ -~]+$")]


class NewDevice(Body):
    """A device to make. At a gate for both directions one without a `side` says the direction at each verification."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Tablet at the door", "gate": "main-door"}]})

    name: Name
    gate: GateId
    side: Side | None = None


class DeviceChange(Body):
    """What to change; what is not named stays. With another `gate` the device is moved."""

    name: Name = "-"
    gate: GateId = "-"
    side: Side | None = None


class Handshake(Body):
    """What a device shows to be set up: the token behind `#setup=` in the address it was given."""

    handshake_version: Annotated[int, Field(ge=1)]
    token: Annotated[str, Field(min_length=1, max_length=100)]
    name: Name | None = None
    software: Software | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_too_new(cls, body: Any) -> Any:  # noqa: ANN401  JSON
        """Looked at before all else: a later handshake may have other fields."""
        version = body.get("handshake_version") if isinstance(body, dict) else None
        if type(version) is int and version > HANDSHAKE:
            detail = f"This service knows the handshake up to version {HANDSHAKE}: the device's software is too new."
            raise Clash("handshake_too_new", detail)
        return body


class DeviceReport(Body):
    """What a device says of itself. `battery` is in percent, null where there is none; what is left out stays."""

    software: Software | None = None
    battery: Annotated[int, Field(ge=0, le=100)] | None = None


class Device(Answer):
    """A kiosk, reader or terminal, without its key. `last_seen_at` is right to within some seconds."""

    id: str
    name: str
    gate: str
    side: Side | None
    software: str | None
    battery: int | None
    last_seen_at: ShownTime | None
    initialized_at: ShownTime | None
    created_at: ShownTime


class Setup(Answer):
    """How a device is set up: it opens `url`, or scans `qr`, a data URI with a picture of that.

    `token`, `url` and `qr` are shown here only; null where an earlier request with this Idempotency-Key got them.
    """

    handshake_version: int
    url: str | None
    token: str | None
    expires_at: ShownTime
    qr: str | None


class DeviceToSetUp(Device):
    """A device that waits to be set up."""

    setup: Setup


class DeviceList(Answer):
    """A page of devices that are not revoked, newest first."""

    items: list[Device]
    next: str | None


class Initialized(Answer):
    """The device that the caller is now, where it verifies, and its key, which is shown here only."""

    device: str
    gate: str
    api_key: str


class Rolled(Answer):
    """The device's next key, which is shown here only."""

    api_key: str


Reader = Annotated[Caller, allowed("devices:read")]
Writer = Annotated[Caller, allowed("devices:write")]
Own = Annotated[Caller, allowed("devices:report")]


@router.post("", status_code=201, summary="Create a device", response_description="The device and how it is set up")
async def create(app: App, caller: Writer, body: NewDevice, retry: RetryKey, request: Request) -> DeviceToSetUp:
    """Make a device at a gate. What it opens to be set up is good once, for 30 minutes."""
    here = _public_url(app, request)
    made = await create_device(app, caller, DeviceWish(body.name, body.gate, body.side), retry)
    return await _show_setup(here, made)


@router.get("", summary="List devices", response_description="A page of devices", response_model=DeviceList)
async def list_(app: App, caller: Reader, query: Annotated[ListQuery, Query()]) -> object:
    """The tenant's devices, newest first."""
    page = await list_devices(app, caller, query.after("devices", bytes), query.limit)
    return query.answer("devices", page, _show)


@router.post(
    "/initialize",
    summary="Initialize a device",
    response_description="The device's key, shown this once",
    openapi_extra={"security": []},
)
async def first_key(app: App, body: Handshake) -> Initialized:
    """Exchange a set-up token for the device's key. This is the one call without a key, and it works once.

    409 `setup_used`, `setup_expired` or `handshake_too_new` say what is wrong with the set-up.
    """
    made = await initialize(app, body.token, body.name, body.software)
    return Initialized(device=show("dev", made.record.id), gate=made.record.gate, api_key=made.secret)


@router.post("/report", summary="Report as a device", response_description="The device, as it is now")
async def own_report(app: App, caller: Own, body: DeviceReport) -> Device:
    """Called by a device with its own key, to say how it is and to learn whether it was moved or renamed."""
    said = {name: getattr(body, name) for name in body.model_fields_set}
    return _show(await report(app, caller, said))


@router.post("/roll", summary="Roll a device's key", response_description="The next key, shown this once")
async def next_key(
    app: App,
    caller: Own,
    body: Nothing | None = None,  # noqa: ARG001  so that a field sent here is refused
) -> Rolled:
    """Called by a device with its own key. That stays good until the new one is first used."""
    return Rolled(api_key=await roll(app, caller))


@router.get("/{id}", summary="Retrieve a device", response_description="The device")
async def get(app: App, caller: Reader, id: str) -> Device:  # noqa: A002
    """One device."""
    return _show(await get_device(app, caller, id_of("dev", "device", id)))


@router.patch("/{id}", summary="Change a device", response_description="The device as it is now")
async def change(app: App, caller: Writer, id: str, body: DeviceChange) -> Device:  # noqa: A002
    """Change what is named. A device that is moved verifies at its new gate: within two seconds everywhere."""
    values = {name: getattr(body, name) for name in body.model_fields_set}
    return _show(await change_device(app, caller, id_of("dev", "device", id), values))


@router.delete("/{id}", status_code=204, summary="Revoke a device", response_description="It is refused from now on")
async def revoke(app: App, caller: Writer, id: str) -> None:  # noqa: A002
    """Refuse the device: within two seconds everywhere."""
    await revoke_device(app, caller, id_of("dev", "device", id))


@router.post("/{id}/setup", status_code=201, summary="Set up a device again", response_description="How it is set up")
async def setup(
    app: App,
    caller: Writer,
    id: str,  # noqa: A002
    retry: RetryKey,
    request: Request,
    *,
    body: Nothing | None = None,  # noqa: ARG001  so that a field sent here is refused
) -> DeviceToSetUp:
    """Give the device a new set-up token in place of the one before. Once it is exchanged, its old key is refused."""
    here = _public_url(app, request)
    return await _show_setup(here, await set_up_again(app, caller, id_of("dev", "device", id), retry))


def _public_url(app: Context, request: Request) -> str:
    """Where a device finds the service: as the operator says, or where this request came to."""
    if app.network.public_url is not None:
        return app.network.public_url.rstrip("/")
    if not _HOST.fullmatch(request.headers.get("host", "")):
        raise Invalid("Host", "This header has to name a host: it is where the device is told to go.")
    return str(request.base_url).rstrip("/")


async def _show_setup(here: str, made: ToSetUp) -> DeviceToSetUp:
    url = qr = None
    if made.token is not None:
        url = f"{here}/kiosk#setup={made.token}&v={HANDSHAKE}"
        qr = "data:image/png;base64," + b64encode(await asyncio.to_thread(draw_png, url)).decode("ascii")
    expires_at = show_time(made.record.setup_expires_at)
    shown = Setup(handshake_version=HANDSHAKE, url=url, token=made.token, expires_at=expires_at, qr=qr)
    return DeviceToSetUp(**_show(made.record).model_dump(), setup=shown)


def _show(device: DeviceRecord) -> Device:
    return Device.model_validate(
        {
            "id": show("dev", device.id),
            "name": device.name,
            "gate": device.gate,
            "side": device.side,
            "software": device.software,
            "battery": device.battery,
            "last_seen_at": maybe_time(device.last_seen_at),
            "initialized_at": maybe_time(device.initialized_at),
            "created_at": show_time(device.created_at),
        }
    )
