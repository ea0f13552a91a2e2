"""`/v1/gates/{id}/bundle` and its chunks."""

import cbor2
import pytest

from app.core.bundle import Bundle, chunk_hash, open_manifest
from app.core.model import SECOND, OfflinePolicy
from tests.service import Service
from tests.services.bundling import chunks_of, fetched, later, pinned, told

BUNDLE = "/v1/gates/main-door/bundle"
CHUNKS = f"{BUNDLE}/chunks"


async def test_a_bundle_is_a_signed_manifest_for_the_gate(service: Service) -> None:
    await service.gate(direction="both", repeat_window_s=5, second_proof_s=0, offline="bound_tokens")
    answer = await service.call("GET", BUNDLE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == 'application/cose; cose-type="cose-sign1"'
    assert answer.headers["cache-control"] == "private, no-cache"
    manifest = open_manifest(answer.content, pinned(service))
    assert (manifest.gate.id, manifest.gate.direction, manifest.gate.repeat_window) == ("main-door", "both", 5 * SECOND)
    assert (manifest.offline, manifest.max_stale) == (OfflinePolicy.BOUND_TOKENS, 14_400 * SECOND)
    assert abs(manifest.seq - service.context.clock.now()) < 10 * SECOND
    assert set(manifest.keys) == set(pinned(service))
    assert (manifest.passes, manifest.statuses, manifest.refused) == ({}, {}, None)


async def test_chunks_come_in_the_order_asked_for_and_null_for_what_is_not_there(service: Service) -> None:
    await service.gate()
    revoked = await service.pass_("emp-2")
    await service.pass_()
    await service.call("POST", f"/v1/passes/{revoked['id']}/revoke", json={"reason": "left"})
    manifest = (await fetched(service)).manifest
    wanted = Bundle.missing(manifest, ())
    assert len(wanted) == 2
    answer = await service.call("GET", CHUNKS, params={"of": f"{wanted[1].hex()},{'00' * 16},{wanted[0].hex()}"})
    assert answer.headers["content-type"] == "application/cbor"
    second, none, first = cbor2.loads(answer.content)
    assert (chunk_hash(first), none, chunk_hash(second)) == (wanted[0], None, wanted[1])


async def test_an_unchanged_bundle_keeps_its_bytes_for_a_minute_and_is_then_signed_anew(service: Service) -> None:
    await service.gate()
    await service.pass_()
    first = await service.call("GET", BUNDLE)
    etag = first.headers["etag"]
    service.clock.advance(50)
    same = await service.call("GET", BUNDLE)
    assert (same.content, same.headers["etag"]) == (first.content, etag)
    for named in (etag, f'"another", W/{etag}', "*"):
        unchanged = await service.call("GET", BUNDLE, headers={"If-None-Match": named})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert (unchanged.headers["etag"], unchanged.headers["cache-control"]) == (etag, "private, no-cache")
    service.clock.advance(10)
    anew = await service.call("GET", BUNDLE, headers={"If-None-Match": etag})
    assert anew.status_code == 200
    before, after = (open_manifest(each.content, pinned(service)) for each in (first, anew))
    assert after.seq > before.seq
    assert after == before._replace(seq=after.seq)


async def test_chunks_of_the_bundle_before_are_there_and_of_older_ones_for_a_minute(service: Service) -> None:
    await service.gate()
    manifests = []
    for holder in ("emp-1", "emp-2", "emp-3"):
        pass_ = await service.pass_(holder)
        await service.call("POST", f"/v1/passes/{pass_['id']}/revoke", json={"reason": "left"})
        manifests.append((await later(service, seconds=31)).manifest)
    chunks = [each.statuses[0] for each in manifests]
    assert len(set(chunks)) == 3
    assert None not in await chunks_of(service, chunks)
    await service.pass_("emp-4", party_size=2)
    await later(service, seconds=31)
    assert [each is not None for each in await chunks_of(service, chunks)] == [False, True, True]


async def test_a_change_is_seen_a_second_later(service: Service) -> None:
    await service.gate()
    pass_ = await service.pass_()
    assert await told(service, await fetched(service), pass_)
    await service.call("PATCH", f"/v1/passes/{pass_['id']}", json={"valid_until": "2020-01-01T00:00:00Z"})
    assert await told(service, await later(service), pass_) is None


async def test_a_devices_key_gets_the_bundle_of_its_gate_and_of_no_other(service: Service) -> None:
    await service.gate()
    await service.gate("back-door")
    device = await service.create("/v1/devices", name="Kiosk", gate="main-door")
    wish = {"handshake_version": 1, "token": device["setup"]["token"]}
    key = (await service.call("POST", "/v1/devices/initialize", json=wish)).json()["api_key"]
    assert (await fetched(service, key=key)).manifest.gate.id == "main-door"
    for path in ("bundle", f"bundle/chunks?of={'00' * 16}"):
        for gate in ("back-door", "no-such-gate"):
            refused = await service.call("GET", f"/v1/gates/{gate}/{path}", key=key)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["bundle", f"bundle/chunks?of={'00' * 16}"])
@pytest.mark.parametrize("gate", ["no-such-gate", "not an id", "x" * 65])
async def test_there_is_none_for_a_gate_that_there_is_not(still_service: Service, gate: str, path: str) -> None:
    answer = await still_service.call("GET", f"/v1/gates/{gate}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_bundle_of_a_gate_that_goes_goes_too(service: Service) -> None:
    await service.gate()
    await fetched(service)
    await service.call("DELETE", "/v1/gates/main-door")
    service.clock.advance(1)
    assert (await service.call("GET", BUNDLE)).status_code == 404


@pytest.mark.parametrize(
    "of", ["", "00", "zz" * 16, "AB" * 16, "00" * 17, "00" * 16 + ",", ",".join(["00" * 16] * 65), "00" * 16 + " "]
)
async def test_chunks_are_named_by_up_to_64_hashes(still_service: Service, of: str) -> None:
    answer = await still_service.call("GET", CHUNKS, params={"of": of})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["of"]
    most = await still_service.call("GET", CHUNKS, params={"of": ",".join(["00" * 16] * 64)})
    assert cbor2.loads(most.content) == [None] * 64


async def test_two_tenants_have_bundles_of_their_own(service: Service) -> None:
    other = await service.another_tenant()
    for each in (service, other):
        await each.gate()
    pass_ = await service.pass_()
    mine, theirs = await fetched(service), await fetched(other)
    assert mine.manifest.tenant != theirs.manifest.tenant
    assert await told(service, mine, pass_)
    assert theirs.manifest.passes == {}
    wanted = list(mine.manifest.passes.values())
    assert await chunks_of(other, wanted) == [None]
