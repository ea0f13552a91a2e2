"""Settling where everything is configured: batches decide and write as one by one, and what is written adds up."""

import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from app.effects.calendar import ZoneInfoCalendar
from app.storage.attempt import Settled
from app.storage.loaders.zones import ZonesLoader
from app.storage.tables import (
    budgets,
    passes,
    presences,
    redemptions,
    request_ids,
    reservations,
    verifications,
    zones,
)
from tests.storage.conftest import settler_of
from tests.storage.database import Database
from tests.storage.gym import Gym
from tests.storage.test_ledger import in_batches, reasons, written

COUNT = 400
TABLES = (
    *(verifications, redemptions, request_ids, budgets, passes),
    *(zones, presences, reservations),
)


def open_gym(database: Database, tenant: str) -> Gym:
    gym = Gym(tenant)
    with database.writing() as connection:
        gym.build(connection, database.engine)
    return gym


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_is_decided_alike_however_it_is_batched(database: Database, seed: int) -> None:
    settle = settler_of(database)
    outcomes: list[list[Any]] = []
    tables: list[list[Any]] = []
    for size in (1, 3, 128):
        tenant = f"batches-of-{size}"
        gym = open_gym(database, tenant)
        attempts = list(gym.random_attempts(random.Random(seed), COUNT))
        outcomes.append([result for batch in in_batches(attempts, size) for result in settle(batch)])
        tables.append([written(database, table, tenant) for table in TABLES])
    for size, settled, rows in zip((3, 128), outcomes[1:], tables[1:], strict=True):
        for n, (one, other) in enumerate(zip(outcomes[0], settled, strict=True)):
            assert one == other, f"attempt {n} was decided otherwise in batches of {size}"
        for table, one_by_one, batched in zip(TABLES, tables[0], rows, strict=True):
            assert one_by_one == batched, f"{table.name} was written otherwise in batches of {size}"


def test_zones_come_in_the_order_of_their_ids_however_their_rows_come(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_gym(database, "a-gym")
    loader = ZonesLoader(database.engine, ZoneInfoCalendar())
    read = loader._zones.rows
    monkeypatch.setattr(loader._zones, "rows", lambda *asked: sorted(read(*asked), reverse=True))
    with database.writing() as connection:
        roots = connection.execute(select(zones.c.tenant, zones.c.root).where(zones.c.tenant == "a-gym")).all()
        found = loader.load(connection, {(tenant, root) for tenant, root in roots}, 1)
    assert [list(tree) for tree in found.values()] == [sorted(tree) for tree in found.values()]
    assert max(map(len, found.values())) > 1


def test_a_day_at_the_gym_has_everything(database: Database) -> None:
    settle = settler_of(database)
    seen: Counter[str] = Counter()
    for seed in (1, 2, 3):
        gym = open_gym(database, f"day-{seed}")
        results = settle(list(gym.random_attempts(random.Random(seed), COUNT)))
        seen.update(reasons(results))
        seen.update(flag for each in results if isinstance(each, Settled) for flag in each.flags)
    for reason in (
        *("ok", "already_used", "too_many_people", "too_soon", "anti_passback", "zone_full", "needs_second_proof"),
        *("no_entries_left_today", "no_entries_left_in_zone", "outside_schedule", "ambiguous", "not_inside"),
    ):
        assert seen[reason] > 0, f"no day had {reason}"


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_count_is_the_people_inside(database: Database, seed: int) -> None:
    settle, gym = settler_of(database), open_gym(database, "acme")
    for batch in in_batches(list(gym.random_attempts(random.Random(seed), COUNT)), 50):
        settle(batch)
        inside = dict.fromkeys(("gym", "pool", "yard"), 0) | {
            row[0]: int(row[1])
            for row in database.rows(select(presences.c.zone, func.sum(presences.c.people)).group_by(presences.c.zone))
        }
        counted = {row[0]: row[1] for row in database.rows(select(zones.c.id, zones.c.people))}
        assert counted == inside
        assert min(counted.values()) >= 0
