"""Bundles as a kiosk fetches them, and as they would be if they were made of nothing."""

from typing import Any

import cbor2

from app.core.bundle import Bundle, Manifest, open_manifest
from app.core.ids import parse
from app.core.keys import Ed25519Key
from app.core.model import Pass
from app.services.bundles import Bundles
from tests.service import Service


def pinned(service: Service) -> dict[bytes, Ed25519Key]:
    """The keys that `/.well-known/jwks.json` shows."""
    return {key.kid: Ed25519Key(key.public) for key in service.context.keychain.published()}


async def tenant_of(service: Service) -> str:
    caller = await service.context.credentials.authenticate(service.key)
    assert caller is not None
    return caller.tenant


async def fetched(service: Service, gate: str = "main-door", *, key: str | None = None) -> Bundle:
    """The bundle with all its chunks, over HTTP."""
    answer = await service.call("GET", f"/v1/gates/{gate}/bundle", key=key)
    assert answer.status_code == 200, answer.text
    manifest = open_manifest(answer.content, pinned(service))
    chunks: dict[bytes, bytes] = {}
    missing = Bundle.missing(manifest, chunks)
    for start in range(0, len(missing), 64):
        some = missing[start : start + 64]
        chunks |= dict(zip(some, await chunks_of(service, some, gate, key=key), strict=True))
    return Bundle(manifest, chunks)


async def chunks_of(
    service: Service, hashes: list[bytes], gate: str = "main-door", *, key: str | None = None
) -> list[Any]:
    """Chunks by their hash; None for what is not there."""
    of = ",".join(each.hex() for each in hashes)
    answer = await service.call("GET", f"/v1/gates/{gate}/bundle/chunks", key=key, params={"of": of})
    assert answer.status_code == 200, answer.text
    found: list[Any] = cbor2.loads(answer.content)
    return found


async def later(service: Service, gate: str = "main-door", *, seconds: float = 1) -> Bundle:
    """The bundle once it is looked at again."""
    service.clock.advance(seconds)
    return await fetched(service, gate)


def anew(service: Service) -> Bundles:
    """What makes bundles, and has made none yet."""
    app = service.context
    return Bundles(app.store, app.clock, app.calendar, app.keychain)


async def made_of_nothing(service: Service, gate: str = "main-door") -> Manifest:
    """The manifest as one who has seen none would make it now."""
    issued = await anew(service).bundle(await tenant_of(service), gate)
    return open_manifest(issued.body, pinned(service))


def timeless(manifest: Manifest) -> Manifest:
    """All that it says but as of when."""
    return manifest._replace(seq=0)


async def idx_of(service: Service, pass_: dict[str, Any]) -> int:
    """The place of a pass in the status list."""
    id_, tenant = parse("pass", pass_["id"]), await tenant_of(service)
    assert id_ is not None
    stored = await service.context.store.read(lambda tx: tx.passes.get(tenant, id_))
    assert stored is not None
    return stored.idx


async def told(service: Service, bundle: Bundle, pass_: dict[str, Any]) -> Pass | None:
    """What the bundle says of a pass."""
    return bundle.pass_(await idx_of(service, pass_))
