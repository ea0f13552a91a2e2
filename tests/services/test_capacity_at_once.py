"""A zone takes as many people as it holds, however many come at once, over processes that share only the database."""

import asyncio
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from app.core.model import SECOND, PassStatus
from app.core.tokens.short import SECRET_BYTES, SHORT
from app.storage.records import HolderRecord, PassRecord, TokenRecord
from app.storage.tables import presences, redemptions, zones
from app.storage.transaction import Transaction
from tests.conftest import make_settings
from tests.service import Service, running_service
from tests.services.serving import callers, served
from tests.storage.conftest import opened

CAPACITY = 100
EVERY_GATE = '{"gates": "all", "zones": []}'


async def a_hall(service: Service) -> None:
    """A hall with two doors and a gallery in it."""
    await service.create("/v1/zones", id="hall", name="Hall", capacity=CAPACITY, anti_passback="hard")
    await service.create("/v1/zones", id="gallery", name="Gallery", within="hall", counted=True)
    await service.gate("west", into_zone="hall")
    await service.gate("east", into_zone="gallery")
    await service.gate("out", direction="exit", from_zone="hall")


async def tokens(service: Service, count: int) -> list[str]:
    """A token each for so many holders, made past the API, which is not what is tested here."""
    app = service.context
    caller = await app.credentials.authenticate(service.key)
    assert caller is not None
    tenant, now, pepper = caller.tenant, app.clock.now(), app.keychain.keyring.peppers[0]

    def work(tx: Transaction) -> list[str]:
        texts = []
        for n in range(count):
            holder = HolderRecord(app.new_id(), f"guest-{n}", 1000 + n, None, None, now)
            pass_ = PassRecord(
                *(app.new_id(), n, holder.id, holder.ref, holder.number, EVERY_GATE),
                *(None, None, None, 0, PassStatus.ACTIVE, now),
            )
            text = SHORT.mint(app.entropy.bytes(SECRET_BYTES))
            lookup = SHORT.keyed_hash(text, tenant, pepper)
            validity = (now, now + 3600 * SECOND, None, False, 0, None)
            token = TokenRecord(app.new_id(), "short", pass_.id, lookup, pepper.version, None, *validity)
            tx.holders.insert(tenant, holder)
            tx.passes.insert(tenant, pass_)
            tx.tokens.insert(tenant, token)
            texts.append(text)
        return texts

    return await app.store.write(work)


def counted(url: str) -> dict[str, int]:
    with opened(url) as database:
        return {row[0]: row[1] for row in database.rows(select(zones.c.id, zones.c.people))}


def inside(url: str) -> dict[str, int]:
    """How many people are in each zone, by who they are."""
    with opened(url) as database:
        rows = database.rows(select(presences.c.zone, func.sum(presences.c.people)).group_by(presences.c.zone))
        return {row[0]: int(row[1]) for row in rows}


async def test_of_a_thousand_at_once_a_hundred_get_in(postgresql_url: str, tmp_path: Path) -> None:
    async with running_service(make_settings(postgresql_url)) as service:
        await a_hall(service)
        texts = await tokens(service, 1000)
        with served(postgresql_url, tmp_path, workers=2) as serving:
            async with callers(serving.url, service.key, connections=64) as at_gates:
                shown = [{"token": text, "gate": ("west", "east")[n % 2]} for n, text in enumerate(texts)]
                answers = [answer for answer in await at_gates.verify_all(shown) if answer is not None]
    assert Counter(answer["reason"] for answer in answers) == {"ok": CAPACITY, "zone_full": 1000 - CAPACITY}
    assert counted(postgresql_url)["hall"] == CAPACITY
    assert inside(postgresql_url) == counted(postgresql_url)
    with opened(postgresql_url) as database:
        assert database.value(select(func.count()).select_from(redemptions)) == CAPACITY


async def test_coming_going_and_undoing_at_once_keep_the_count_right(postgresql_url: str, tmp_path: Path) -> None:
    async with running_service(make_settings(postgresql_url)) as service:
        await a_hall(service)
        texts = await tokens(service, 90)
        with served(postgresql_url, tmp_path, workers=2) as serving:
            async with callers(serving.url, service.key, connections=32) as at_gates:

                async def visit(n: int, text: str) -> Counter[str]:
                    """Comes in by either door; leaves, or takes the entry back, or stays."""
                    body = {"token": text, "gate": ("west", "east")[n % 2]}
                    (entry,) = await at_gates.verify_all([body])
                    assert entry is not None
                    if entry["decision"] == "admit" and n % 3 == 0:
                        await at_gates.verify_all([{"token": text, "gate": "out"}] * 2)
                    if entry["decision"] == "admit" and n % 3 == 1:
                        undone = await service.call("POST", f"/v1/verifications/{entry['id']}/undo")
                        assert undone.status_code == 200, undone.text
                    return Counter([entry["reason"], f"kind {n % 3}" if entry["decision"] == "admit" else "out"])

                visits = await asyncio.gather(*(visit(n, text) for n, text in enumerate(texts)))
    total = sum(visits, Counter())
    assert set(total) <= {"ok", "zone_full", "kind 0", "kind 1", "kind 2", "out"}
    assert counted(postgresql_url)["hall"] == total["kind 2"]
    assert inside(postgresql_url) == counted(postgresql_url)


async def test_two_passes_of_one_holder_get_in_once_at_hard_anti_passback(postgresql_url: str) -> None:
    async with (
        running_service(make_settings(postgresql_url)) as one,
        running_service(make_settings(postgresql_url), key=one.key) as other,
    ):
        await a_hall(one)
        for n in range(20):
            pair = [await one.token(await one.pass_(f"guest-{n}"), "short") for _ in range(2)]
            answers = await asyncio.gather(
                *(each.verify(token["token"], "west") for each, token in zip((one, other), pair, strict=True))
            )
            assert sorted(answer["reason"] for answer in answers) == ["anti_passback", "ok"]
    assert inside(postgresql_url) == {"hall": 20}
