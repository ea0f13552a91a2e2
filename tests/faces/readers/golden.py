"""Golden exchanges: what a device sends and what it is answered, byte for byte. tests/vectors/readers/README.md."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from tests.service import Service

FOLDER = Path(__file__).parents[2] / "vectors" / "readers"
GATE = "main-door"
REF, NAME = "emp-1042", "Ada Example"

_PLACEHOLDER = re.compile(rb"\{\{([a-z_]+)(:url)?\}\}")


class Exchange(NamedTuple):
    """One golden exchange of a kind of reader."""

    kind: str
    name: str
    given: Mapping[str, Any]
    request: Mapping[str, Any]
    answer: Mapping[str, Any]


class Placed(NamedTuple):
    """A reader at a gate, and what the placeholders stand for."""

    connection: Mapping[str, Any]
    values: Mapping[str, str]


def exchanges() -> list[Exchange]:
    """All of them, of all kinds."""
    return [
        Exchange(path.stem, **each) for path in sorted(FOLDER.glob("*.json")) for each in json.loads(path.read_bytes())
    ]


async def place(service: Service, kind: str, given: Mapping[str, Any]) -> Placed:
    """A new reader, holder, pass and token, as `given` says."""
    await service.gate(GATE, direction=given.get("gate", "entry"))
    device = {"device": given["device"]} if "device" in given else {}
    connection = await service.create("/v1/connections", kind=kind, gate=GATE, **device)
    holder = await service.create("/v1/holders", ref=REF, name=NAME)
    pass_ = await service.pass_(REF)
    if "card" in given:
        await service.create(f"/v1/holders/{holder['id']}/credentials", kind="barcode", value=given["card"])
    token = await _token(service, pass_, given.get("token", "good"), given.get("token_kind", "signed"))
    values = {
        "key": connection["credentials"].get("path", "").rpartition("/")[2],
        "token": token,
        "digits": token[-8:],
        "number": str(holder["number"]),
    }
    return Placed(connection, values)


async def send(service: Service, placed: Placed, request: Mapping[str, Any]) -> httpx.Response:
    """The answer to a request whose placeholders are filled in."""
    path = _filled(request["path"].encode("ascii"), placed.values)
    body = b64decode(request["body_b64"]) if "body_b64" in request else request.get("body", "").encode()
    url = httpx.URL(service.http.base_url).copy_with(raw_path=path)
    headers = request.get("headers", {})
    return await service.http.request(
        request["method"], url, headers=headers, content=_filled(body, placed.values) or None
    )


async def replay(service: Service, exchange: Exchange) -> None:
    """Send what was sent before, then the request, and see that it is answered so."""
    placed = await place(service, exchange.kind, exchange.given)
    try:
        await _replay(service, placed, exchange)
    finally:  # a serial number is one device's, whoever's it is
        await service.call("DELETE", f"/v1/connections/{placed.connection['id']}")


async def _replay(service: Service, placed: Placed, exchange: Exchange) -> None:
    for earlier in exchange.given.get("before", ()):
        await send(service, placed, exchange.request if earlier == "the same" else earlier)
    answer = await send(service, placed, exchange.request)
    expected = exchange.answer
    assert answer.status_code == expected["status"], answer.text
    for name, value in expected.get("headers", {}).items():
        assert answer.headers.get(name) == value
    if "body" in expected:
        assert answer.content == _filled(expected["body"].encode(), placed.values)


def _filled(template: bytes, values: Mapping[str, str]) -> bytes:
    def value(found: re.Match[bytes]) -> bytes:
        text = values[found[1].decode()]
        return (quote(text, safe="") if found[2] else text).encode()

    return _PLACEHOLDER.sub(value, template)


async def _token(service: Service, pass_: dict[str, Any], state: str, kind: str) -> str:
    if state == "of_nobody":
        elsewhere = await service.another_tenant()
        await elsewhere.gate(GATE)
        return await _token(elsewhere, await elsewhere.pass_(), "good", kind)
    gate = {}
    if state == "for_another_gate":
        gate = {"gate": (await service.gate("other-door"))["id"]}
    token = await service.token(pass_, kind, **gate)
    text: str = token["token"]
    match state:
        case "used":
            await service.verify(text, GATE)
        case "revoked":
            await service.call("POST", f"/v1/tokens/{token['id']}/revoke")
        case "expired":
            service.clock.advance(3600)
        case "good" | "for_another_gate":
            pass
        case _:
            raise ValueError(state)
    return text
