"""Bundles as they are kept up to date: after whatever happens, they are what they would be if they were made of nothing."""

import asyncio
import json
import random
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import pytest
import pytest_asyncio

from app.core.bundle import Bundle, chunk_hash, open_manifest
from app.core.ids import parse
from app.core.model import DAY, SECOND, PassStatus
from app.services import bundles as bundles_of
from app.services.bundle_content import Content
from app.services.bundles import Bundles
from app.storage.repositories.bundles import PassRow
from tests.postgres import PostgresServer
from tests.service import Service
from tests.services.bundle_deeds import DEEDS, OFFICE, Site
from tests.services.bundling import (
    anew,
    chunks_of,
    fetched,
    later,
    made_of_nothing,
    pinned,
    tenant_of,
    timeless,
    told,
)
from tests.services.test_outages import service_on
from tests.shared import on_each_engine, service, shared_service, shared_url

__all__ = ["service", "shared_service", "shared_url"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc)


@pytest_asyncio.fixture(loop_scope="session")
async def site(service: Service) -> Site:
    site = Site(service)
    await site.build()
    return site


@pytest.mark.parametrize("name", DEEDS)
async def test_whatever_happens_the_bundle_is_what_it_would_be_if_it_were_made_of_nothing(
    site: Site, name: str
) -> None:
    await site.say("suspended", "suspend")
    await site.say("revoked", "revoke")
    await fetched(site.service)
    before = await later(site.service, seconds=200)  # so that what was made before is read again only if it changed
    assert timeless(before.manifest) == timeless(await made_of_nothing(site.service))
    await DEEDS[name](site)
    after = await later(site.service)
    assert timeless(after.manifest) == timeless(await made_of_nothing(site.service))
    nothing_to_see = name == "a holder is blocked whose pass is revoked"
    assert (timeless(after.manifest) == timeless(before.manifest)) is nothing_to_see
    assert (after.manifest.seq == before.manifest.seq) is nothing_to_see
    service = site.service
    service.clock.advance(120)  # what is not read again any more has been taken in
    assert timeless((await fetched(service)).manifest) == timeless(await made_of_nothing(service))


@pytest.mark.parametrize("seed", range(3))
async def test_in_whatever_order_things_happen(site: Site, seed: int) -> None:
    dice = random.Random(seed)
    deeds = [deed for name, deed in DEEDS.items() if "gate goes" not in name]
    for deed in dice.sample(deeds, len(deeds)):
        try:
            await deed(site)
        except AssertionError:  # some of them cannot be after others: a revoked pass lets nobody in
            continue
        if dice.random() < 0.4:
            there = await later(site.service, seconds=dice.choice([1, 1, 30, 70]))
            assert timeless(there.manifest) == timeless(await made_of_nothing(site.service))
    there = await later(site.service)
    assert timeless(there.manifest) == timeless(await made_of_nothing(site.service))


async def test_who_is_in_the_bundle_and_what_it_says_of_them(site: Site) -> None:
    await site.say("suspended", "suspend")
    await site.say("revoked", "revoke")
    await site.block("plain")
    await site.admit(people=2)
    bundle = await later(site.service)
    passes = {name: await told(site.service, bundle, pass_) for name, pass_ in site.passes.items()}
    absent = {name for name, pass_ in passes.items() if pass_ is None}
    assert absent == {"in-yard", "elsewhere"}
    there = {name: pass_ for name, pass_ in passes.items() if pass_ is not None}
    assert {name for name, pass_ in there.items() if pass_.holder.blocked} == {"plain"}
    assert {name: pass_.status for name, pass_ in there.items() if pass_.status != PassStatus.ACTIVE} == {
        "suspended": PassStatus.SUSPENDED,
        "revoked": PassStatus.REVOKED,
    }
    limited, office = there["limited"], there["office"]
    assert (limited.max_entries, limited.entries, limited.limits.party_size) == (5, 2, 2)
    as_of = bundle.manifest.seq
    open_at = site.service.context.calendar.windows(json.dumps({"weekly": OFFICE}), "UTC", as_of)
    assert office.hours == tuple(each for each in open_at if each[1] > as_of - DAY and each[0] < as_of + 8 * DAY)
    assert len(office.hours) in (9, 10)
    assert {name for name, pass_ in there.items() if pass_.hours is not None} == {"office"}
    visiting = site.passes["visiting"]
    assert there["visiting"].valid_from == -(-microseconds(visiting["valid_from"]) // SECOND) * SECOND
    assert there["visiting"].valid_until == microseconds(visiting["valid_until"]) // SECOND * SECOND


FAR = {  # the last second of which the chunks can tell, and what lies behind it
    "2255-06-05T23:47:34Z": True,
    "2255-06-05T23:47:34.999999Z": True,
    "2255-06-05T23:47:35Z": False,
    "8999-12-31T23:59:59Z": False,
}


@pytest.mark.parametrize("until", FAR)
async def test_a_pass_that_ends_when_no_bundle_can_tell_is_good_for_ever(site: Site, until: str) -> None:
    pass_ = await site.service.pass_("somebody", valid_until=until)
    there = await told(site.service, await fetched(site.service), pass_)
    assert there is not None
    assert there.valid_until == (9_007_199_254 * SECOND if FAR[until] else None)
    await site.service.pass_("another", gates=["main-door"], valid_until=until)
    after = await later(site.service)
    assert timeless(after.manifest) == timeless(await made_of_nothing(site.service))


FAR_TOO_FAR = {
    "2255-06-05T23:47:34Z": False,
    "2255-06-05T23:47:34.000001Z": True,
    "2255-06-05T23:47:35Z": True,
    "8999-12-31T23:59:59Z": True,
}


@pytest.mark.parametrize("begins", FAR_TOO_FAR)
async def test_a_pass_that_begins_when_no_bundle_can_tell_is_left_out(site: Site, begins: str) -> None:
    pass_ = await site.service.pass_("somebody", valid_from=begins)
    there = await told(site.service, await fetched(site.service), pass_)
    assert (there is None) is FAR_TOO_FAR[begins]
    await site.change("plain", valid_from=begins)
    after = await later(site.service)
    assert (await told(site.service, after, site.passes["plain"]) is None) is FAR_TOO_FAR[begins]
    assert timeless(after.manifest) == timeless(await made_of_nothing(site.service))


async def test_an_update_that_fails_leaves_nothing_behind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look makes the bundle anew, whatever had been done to it by then."""
    await fetched(site.service)
    await later(site.service, seconds=200)
    bundles, tenant = site.service.context.bundles, await tenant_of(site.service)
    await site.say("plain", "suspend")
    site.service.clock.advance(1)
    with monkeypatch.context() as broken:
        broken.setattr(Content, "put", spoiling)
        broken.setattr(Content, "drop_ended", failing)
        with pytest.raises(ZeroDivisionError):
            await bundles.bundle(tenant, "main-door")
    after = await later(site.service)
    assert timeless(after.manifest) == timeless(await made_of_nothing(site.service))


def failing(content: Content, ended_by: int) -> None:
    raise ZeroDivisionError


def spoiling(content: Content, rows: Iterable[PassRow], ended_by: int) -> set[int]:
    content.passes.clear()
    return set()


def microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


async def test_at_an_exit_are_the_passes_of_the_zone_that_is_left(site: Site) -> None:
    await site.service.gate("way-out", direction="exit", from_zone="floor", into_zone="yard")
    await site.service.gate("hall", direction="both", from_zone="yard", into_zone="floor")
    for gate in ("way-out", "hall"):
        bundle = await fetched(site.service, gate)
        absent = {name for name, pass_ in site.passes.items() if await told(site.service, bundle, pass_) is None}
        assert absent == {"in-yard", "elsewhere", "here"}


async def test_a_pass_is_in_the_bundle_until_it_ends(site: Site) -> None:
    ending = site.passes["ending"]
    assert await told(site.service, await later(site.service, seconds=30), ending) is not None
    bundle = await later(site.service, seconds=11)
    assert await told(site.service, bundle, ending) is None
    assert timeless(bundle.manifest) == timeless(await made_of_nothing(site.service))


async def test_hours_move_on_with_the_days(site: Site) -> None:
    before = await fetched(site.service)
    for days in (1, 6, 40):
        after = await later(site.service, seconds=days * 86_400)
        assert after.manifest.schedules[1][0][1] > before.manifest.schedules[1][0][1]
        assert timeless(after.manifest) == timeless(await made_of_nothing(site.service))
        before = after


async def test_a_transaction_that_was_late_in_committing_is_not_missed(site: Site) -> None:
    service, tenant = site.service, await tenant_of(site.service)
    await fetched(service)
    await later(service, seconds=300)
    pass_ = parse("pass", site.passes["plain"]["id"]) or b""
    late = service.context.clock.now() - 55 * SECOND
    await service.context.store.write(lambda tx: tx.passes.change(tenant, pass_, {"status": "suspended"}, late))
    suspended = await told(service, await later(service), site.passes["plain"])
    assert suspended is not None
    assert suspended.status == PassStatus.SUSPENDED


async def test_seq_never_goes_back_though_the_clock_does(site: Site) -> None:
    service = site.service
    service.clock.advance(7200)
    before = await fetched(service)
    service.clock.advance(-3600)
    try:
        await site.say("plain", "suspend")
        after = await later(service)
        assert after.manifest.seq == before.manifest.seq + 1
        assert timeless(after.manifest) == timeless(await made_of_nothing(service))
        await site.say("plain", "resume")
        await site.say("here", "revoke")
        again = await later(service)
        assert again.manifest.seq > after.manifest.seq
        assert timeless(again.manifest) == timeless(await made_of_nothing(service))
        assert (await later(service)).manifest.seq == again.manifest.seq
    finally:
        service.clock.advance(3600)


async def test_where_much_changed_it_is_made_anew(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await fetched(site.service)
    monkeypatch.setattr(bundles_of, "MOST_CHANGED", 2)
    for name in ("plain", "here", "in-hq"):
        await site.say(name, "suspend")
    bundle = await later(site.service)
    assert timeless(bundle.manifest) == timeless(await made_of_nothing(site.service))


async def test_it_is_not_made_anew_too_often_and_says_how_old_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles_of, "MOST_CHANGED", 2)
    monkeypatch.setattr(bundles_of, "_AT_MOST", 1_000_000)  # of what takes a few milliseconds
    before = await fetched(site.service)
    await site.say("plain", "suspend")
    meanwhile = await later(site.service, seconds=90)
    assert meanwhile.manifest == before.manifest, "it would be signed anew after a minute if it were looked at"
    monkeypatch.setattr(bundles_of, "MOST_CHANGED", 100)
    after = await later(site.service)
    assert after.manifest.seq > before.manifest.seq
    assert timeless(after.manifest) == timeless(await made_of_nothing(site.service))


async def test_one_that_is_forgotten_for_want_of_room_is_made_again(site: Site) -> None:
    app = site.service.context
    bundles = Bundles(app.store, app.clock, app.calendar, app.keychain, room=1)
    tenant = await tenant_of(site.service)
    first = await bundles.bundle(tenant, "main-door")
    await bundles.bundle(tenant, "back-door")
    second = await bundles.bundle(tenant, "main-door")
    assert first.etag != second.etag
    assert timeless(open_manifest(first.body, pinned(site.service))) == timeless(
        open_manifest(second.body, pinned(site.service))
    )


async def test_many_who_ask_at_once_are_given_the_same(site: Site) -> None:
    bundles, tenant = anew(site.service), await tenant_of(site.service)
    answers = await asyncio.gather(*(bundles.bundle(tenant, "main-door") for _ in range(20)))
    assert len({answer.etag for answer in answers}) == 1


async def test_who_goes_away_does_not_end_what_others_wait_for(site: Site) -> None:
    bundles, tenant = anew(site.service), await tenant_of(site.service)
    first = asyncio.create_task(bundles.bundle(tenant, "main-door"))
    second = asyncio.create_task(bundles.bundle(tenant, "main-door"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).body
    await bundles.bundle(tenant, "back-door")
    third = asyncio.create_task(bundles.bundle(tenant, "another"))
    await asyncio.sleep(0)
    await bundles.close()
    with pytest.raises(asyncio.CancelledError):
        await third


async def test_chunks_that_another_process_named_are_found(site: Site) -> None:
    there = await fetched(site.service)
    wanted = Bundle.missing(there.manifest, ())
    found = await anew(site.service).chunks(await tenant_of(site.service), "main-door", wanted)
    assert [chunk_hash(chunk or b"") for chunk in found] == wanted


async def test_chunks_are_there_for_a_minute_after_the_last_manifest_that_named_them(site: Site) -> None:
    """A kiosk on a slow line has its chunks though others ask for the bundle of a busy gate all the while."""
    service = site.service
    await site.change("limited", max_entries=1000)
    manifests = [(await later(service)).manifest]
    for _ in range(10):
        await site.admit()
        manifests.append((await later(service, seconds=6)).manifest)
    assert len({manifest.seq for manifest in manifests}) == len(manifests)
    for manifest in manifests:
        assert None not in await chunks_of(service, Bundle.missing(manifest, ()))
    await site.admit()
    after = (await later(service, seconds=61)).manifest
    gone = set(Bundle.missing(manifests[0], Bundle.missing(after, ())))
    assert gone
    assert set(await chunks_of(service, list(gone))) == {None}
    assert None not in await chunks_of(service, Bundle.missing(manifests[-1], ()))


async def test_of_earlier_chunks_so_many_bytes_are_kept_and_always_those_of_the_manifest_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = site.service
    monkeypatch.setattr(bundles_of, "_ROOM_BEFORE", 1)
    await site.change("limited", max_entries=1000)
    manifests = [(await later(service)).manifest]
    for _ in range(2):
        await site.admit()
        manifests.append((await later(service)).manifest)
    old, before, now = (Bundle.missing(manifest, ()) for manifest in manifests)
    assert None not in await chunks_of(service, before + now)
    assert None in await chunks_of(service, old)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may kill and start again; in a folder of its own, as in `tests/conftest.py`."""
    with tempfile.TemporaryDirectory(prefix="gatepass-postgresql-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        server.execute("CREATE DATABASE gatepass")
        yield server
        server.stop(at_once=True)


async def test_without_the_database_there_is_no_new_bundle_and_the_chunks_of_the_last_one_are_there(
    own_server: PostgresServer,
) -> None:
    async with service_on(own_server) as service:
        site = Site(service)
        await site.build()
        before = await fetched(service)
        own_server.stop(at_once=True)
        service.clock.advance(1)
        answer = await service.call("GET", "/v1/gates/main-door/bundle")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert None not in await chunks_of(service, Bundle.missing(before.manifest, ()))
        own_server.start()
        await site.say("plain", "suspend")
        after = await later(service)
        assert after.manifest.seq > before.manifest.seq
        assert timeless(after.manifest) == timeless(await made_of_nothing(service))


async def test_no_pass_or_holder_is_named(site: Site) -> None:
    """Neither in the bytes as they are nor in what they are compressed of: only places are."""
    service, tenant = site.service, await tenant_of(site.service)
    await site.block("here")
    await site.of_token("plain", "revoke")
    await service.create("/v1/holders", ref="ref-of-somebody", name="Name of Somebody")
    await service.pass_("ref-of-somebody")
    body = (await service.call("GET", "/v1/gates/main-door/bundle")).content
    manifest = open_manifest(body, pinned(service))
    chunks = await chunks_of(service, Bundle.missing(manifest, ()))
    plain = b"".join([body, *chunks, *(inflated(chunk) for chunk in chunks)])
    holders = (await service.call("GET", "/v1/holders", params={"limit": 200})).json()["items"]
    passes = (await service.call("GET", "/v1/passes", params={"limit": 200})).json()["items"]
    ids = [parse("hold", each["id"]) for each in holders] + [parse("pass", each["id"]) for each in passes]
    refs = [each[name] for each in holders for name in ("ref", "name", "id") if each[name] and len(each[name]) > 5]
    assert len(ids) > 20
    assert "Name of Somebody" in refs
    for secret in [id_ for id_ in ids if id_] + [ref.encode() for ref in refs]:
        assert secret not in plain
    revoked = parse("tok", site.tokens["plain"]["id"])
    assert revoked is not None
    assert revoked in plain, "so what was searched is what is in the chunks"
    assert tenant.encode() in plain


def inflated(chunk: bytes) -> bytes:
    try:
        return zlib.decompress(chunk)
    except zlib.error:
        inflated: bytes = zlib.decompress(cbor2.loads(chunk)["lst"])
        return inflated
