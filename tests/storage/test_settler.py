"""The settler: what waits is settled together, and nobody pays for another's fault."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, select

from app.core.decision import Outcome
from app.core.model import Direction, Refused
from app.effects.calendar import ZoneInfoCalendar
from app.storage.attempt import Attempt, Settled, Unsettled
from app.storage.failures import Unavailable
from app.storage.settler import MAX_BATCH
from app.storage.sql_store import SqlStore
from app.storage.tables import redemptions, verifications
from tests.storage.conftest import build
from tests.storage.database import Database
from tests.storage.world import DESK, World, an_id


@asynccontextmanager
async def busy(store: SqlStore, seconds: float = 0.1) -> AsyncIterator[None]:
    """A settler that has begun with something else, so that what comes meanwhile is settled as one batch."""
    begun = threading.Event()

    def work(_: Connection) -> None:
        begun.set()
        time.sleep(seconds)

    working = store._settler.submit(work)
    assert await asyncio.to_thread(begun.wait, 2)
    yield
    await asyncio.gather(working, return_exceptions=True)


async def settled_together(store: SqlStore, *work: Attempt) -> list[Settled | Unsettled | BaseException]:
    """The results of one batch."""
    async with busy(store):
        return await asyncio.gather(*(store.settle(each) for each in work), return_exceptions=True)


def failing(world: World) -> Attempt:
    """An attempt whose row the database refuses: a request id without the hash of what was asked."""
    return world.attempt(world.tokens[8].presented, request_id="broken", content=None)


async def test_what_waits_is_settled_in_one_transaction(store: SqlStore, database: Database, world: World) -> None:
    attempts = [world.attempt(token.presented) for token in world.tokens]
    await settled_together(store, *attempts)
    if not database.is_sqlite:
        assert len(set(database.column(select(verifications.c.xact)))) == 1
    assert database.column(select(verifications.c.id).order_by(verifications.c.seq)) == [
        attempt.verification for attempt in attempts
    ]


async def test_an_attempt_that_fails_harms_nobody_else_in_its_batch(
    store: SqlStore, database: Database, world: World
) -> None:
    good = [world.attempt(token.presented) for token in world.tokens[:3]]
    results = await settled_together(store, good[0], failing(world), *good[1:])
    assert [isinstance(result, Settled) and result.outcome for result in results] == [
        Outcome.ADMIT,
        False,
        Outcome.ADMIT,
        Outcome.ADMIT,
    ]
    recorded = database.column(select(redemptions.c.verification).order_by(redemptions.c.verification))
    assert recorded == sorted(attempt.verification for attempt in good)


async def test_an_attempt_that_cannot_be_settled_is_unavailable_and_not_a_fault(store: SqlStore, world: World) -> None:
    with pytest.raises(Unavailable):
        await store.settle(failing(world))


async def test_a_write_that_raises_harms_no_attempt_beside_it(
    store: SqlStore, database: Database, world: World
) -> None:
    def broken(_connection: Connection) -> None:
        raise LookupError("the service's own")

    attempt = world.attempt(world.tokens[0].presented)
    async with busy(store):
        writing, settling = store._settler.submit(broken), store._settler.submit(attempt)
        with pytest.raises(LookupError):
            await writing
        settled = await settling
    assert isinstance(settled, Settled)
    assert settled.outcome == Outcome.ADMIT
    assert database.column(select(redemptions.c.verification)) == [attempt.verification]


async def test_a_write_that_raises_undoes_what_it_wrote_and_nothing_else(
    store: SqlStore, database: Database, world: World
) -> None:
    def rename(id_: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            connection.exec_driver_sql(f"UPDATE gates SET name = 'renamed' WHERE id = '{id_}'")
            if id_ == "camera":
                raise LookupError

        return work

    async with busy(store):
        writes = [store._settler.submit(rename(id_)) for id_ in ("door", "camera", "hall")]
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), LookupError, type(None)]
    renamed = database.column("SELECT id FROM gates WHERE name = 'renamed' ORDER BY id")
    assert renamed == ["door", "hall"]


async def test_what_waited_too_long_is_unavailable_and_is_not_settled_behind_the_callers_back(
    database: Database, world: World
) -> None:
    store = SqlStore(database.url, ZoneInfoCalendar(), timeout_s=0.3)
    attempt = world.attempt(world.tokens[0].presented)
    async with busy(store, 0.8):
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await store.settle(attempt)
        assert time.monotonic() - started < 0.6
        await asyncio.sleep(0.6)
    later = await store.settle(world.attempt(world.tokens[0].presented))
    await store.close()
    assert isinstance(later, Settled)
    assert (later.outcome, later.reason) == (Outcome.ADMIT, "ok")
    assert database.column(select(verifications.c.id)) == [later.verification]


async def test_thousands_at_once_are_settled_in_batches_of_bearable_size(database: Database, world: World) -> None:
    store = SqlStore(database.url, ZoneInfoCalendar(), timeout_s=20.0)
    attempts = [world.attempt(Refused("malformed"), credential=DESK) for _ in range(2500)]
    settled = await asyncio.gather(*(store.settle(attempt) for attempt in attempts), return_exceptions=True)
    await store.close()
    assert {type(result) for result in settled} == {Settled}
    if not database.is_sqlite:
        assert max(Counter(database.column(select(verifications.c.xact))).values()) < 2 * MAX_BATCH
    assert database.column(select(verifications.c.id).order_by(verifications.c.seq)) == [
        attempt.verification for attempt in attempts
    ]


async def test_closing_settles_what_waits(database: Database, world: World) -> None:
    store = SqlStore(database.url, ZoneInfoCalendar(), timeout_s=3.0)
    settling = [asyncio.ensure_future(store.settle(world.attempt(token.presented))) for token in world.tokens[:4]]
    await asyncio.sleep(0)
    await store.close()
    assert len(await asyncio.gather(*settling)) == 4


async def test_a_mistake_is_no_fault_and_records_nothing(store: SqlStore, database: Database, world: World) -> None:
    results = await settled_together(
        store,
        world.attempt(world.tokens[0].presented, "nowhere"),
        world.attempt(world.tokens[0].presented, "hall"),
        world.attempt(world.tokens[0].presented, "hall", direction=Direction.ENTRY),
    )
    assert results[:2] == [Unsettled("no_such_gate"), Unsettled("direction_needed")]
    assert isinstance(results[2], Settled)
    assert len(database.rows(select(verifications.c.id))) == 1


async def test_the_gates_that_were_seen_are_known_without_the_database(store: SqlStore, world: World) -> None:
    assert store.known_gate("acme", "way-out") is None
    await store.settle(world.attempt(world.tokens[0].presented, "way-out"))
    gate = store.known_gate("acme", "way-out")
    assert gate is not None
    assert gate.direction == Direction.EXIT
    assert store.known_gate("umbrella", "way-out") is None


async def test_tenants_settled_together_are_kept_apart(store: SqlStore, database: Database, world: World) -> None:
    other = build(database, "umbrella")
    token = world.tokens[0]
    results = await settled_together(
        store,
        *(each.attempt(token.presented) for each in (world, other, world, other)),
    )
    decided = [result.reason for result in results if isinstance(result, Settled)]
    assert decided == ["ok", "ok", "already_used", "already_used"]
    assert sorted(database.column(select(redemptions.c.tenant))) == ["acme", "umbrella"]
    assert database.column(select(redemptions.c.token)) == [token.id] * 2
    assert token.id == an_id("token", 0)
