"""Bundles as a kiosk fetches them, and as they would be if they were made of nothing."""

from typing import Any

import cbor2

from app.core.bundle import Bundle, Manifest, open_manifest
from app.core.keys import Ed25519Key
from app.services.bundles import Bundles
from tests.service import Service


def pinned(service: Service) -> dict[bytes, Ed25519Key]:
    """The keys that `/.well-known/jwks.json` shows."""
    return {key.kid: Ed25519Key(key.public) for key in service.context.keychain.published()}


async def fetched(service: Service, gate: str = "main-door", *, key: str | None = None) -> Bundle:
    """The bundle with all its chunks, over HTTP."""
    answer = await service.call("GET", f"/v1/gates/{gate}/bundle", key=key)
    assert answer.status_code == 200, answer.text
    manifest = open_manifest(answer.content, pinned(service))
    chunks: dict[bytes, bytes] = {}
    missing = Bundle.missing(manifest, chunks)
    for start in range(0, len(missing), 64):
        some = missing[start : start + 64]
        of = ",".join(each.hex() for each in some)
        found = await service.call("GET", f"/v1/gates/{gate}/bundle/chunks", key=key, params={"of": of})
        assert found.status_code == 200, found.text
        chunks |= dict(zip(some, cbor2.loads(found.content), strict=True))
    return Bundle(manifest, chunks)


async def later(service: Service, gate: str = "main-door") -> Bundle:
    """The bundle once it is looked at again."""
    service.clock.advance(1)
    return await fetched(service, gate)


def anew(service: Service) -> Bundles:
    """What makes bundles, and has made none yet."""
    app = service.context
    return Bundles(app.store, app.clock, app.calendar, app.keychain)


async def made_of_nothing(service: Service, gate: str = "main-door", tenant: str = "acme") -> Manifest:
    """The manifest as one who has seen none would make it now."""
    issued = await anew(service).bundle(tenant, gate)
    return open_manifest(issued.body, pinned(service))


def without_time(manifest: Manifest) -> dict[str, Any]:
    """All that it says but as of when."""
    return manifest._asdict() | {"seq": None}


async def idx_of(service: Service, pass_: dict[str, Any]) -> int:
    """The place of a pass in the status list."""
    from app.core.ids import parse  # noqa: PLC0415  here alone

    id_ = parse("pass", pass_["id"])
    assert id_ is not None
    stored = await service.context.store.read(lambda tx: tx.passes.get("acme", id_))
    assert stored is not None
    return stored.idx
