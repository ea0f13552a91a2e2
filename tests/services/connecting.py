"""A client's connection at a gate, and what its camera sees."""

from typing import Any

from app.services.connected import Connection
from app.services.identify import Sight, look
from tests.faces.http.pictures import photo
from tests.service import Service


async def connect(service: Service, gate: str = "main-door", **body: Any) -> Connection:
    """A CompreFace connection at the gate, which is made if it is not there."""
    if (await service.call("GET", f"/v1/gates/{gate}")).status_code == 404:
        await service.gate(gate)
    made = await service.create("/v1/connections", kind="compreface", gate=gate, **body)
    connection = await service.context.connections.by_key("compreface", made["credentials"]["api_key"])
    assert connection is not None
    return connection


async def sight(service: Service, connection: Connection, *texts: str) -> Sight:
    """What the camera sees of the codes of these texts, drawn side by side."""
    return await look(service.context, connection, photo(*texts, form="PNG"))


async def token(service: Service, holder: str, **body: Any) -> str:
    """The text of a token of the holder's newest pass, of a new one for whom there is none."""
    listed = (await service.call("GET", "/v1/passes", params={"holder": holder})).json()["items"]
    issued = await service.token(listed[0] if listed else await service.pass_(holder), **{"kind": "short", **body})
    text: str = issued["token"]
    return text
