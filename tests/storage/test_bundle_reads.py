"""What bundles are made of: the right rows, found through indexes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.core.model import SECOND
from app.storage.repositories.bundles import Bundles
from app.storage.transaction import Transaction
from tests.storage.database import Database
from tests.storage.records import ACME, a_holder, a_pass, a_token
from tests.storage.test_plans import Statement, large_postgresql, large_sqlite, named_large, nodes
from tests.storage.world import NOW, an_id

__all__ = ["large_postgresql", "large_sqlite"]


@contextmanager
def acme(database: Database) -> Iterator[Transaction]:
    """A tenant with two holders, of whom the second is blocked, and another tenant with the same."""
    with database.writing() as connection:
        tx = Transaction(connection, database.engine)
        for tenant in ("acme", "umbrella"):
            tx.tenants.insert(ACME._replace(id=tenant))
            for n in range(2):
                tx.holders.insert(tenant, a_holder(n))
            tx.holders.block(tenant, an_id("holder", 1), NOW, "a reason")
        yield tx


def test_passes_come_by_stretches_of_places_without_good_ones_that_ended(database: Database) -> None:
    with acme(database) as tx:
        ended = NOW - 1
        for n, other in enumerate(
            (
                {},
                {"valid_until": NOW + 1},
                {"valid_until": ended},
                {"valid_until": ended, "status": "revoked"},
                {"valid_until": ended, "status": "suspended"},
                {"valid_until": ended, "holder": an_id("holder", 1)},
                {"holder": an_id("holder", 1)},
            )
        ):
            tx.passes.insert("acme", a_pass(n, **other))
        tx.passes.insert("umbrella", a_pass(8))
        found = {row.idx: row for row in tx.bundles.passes_between("acme", 0, 100, NOW)}
        assert set(found) == {0, 1, 3, 4, 5, 6}
        assert {idx for idx, row in found.items() if row.blocked_at is not None} == {5, 6}
        assert found[3].status == "revoked"
        assert [row.idx for row in tx.bundles.passes_between("acme", 1, 3, NOW)] == [1]
        assert tx.bundles.passes_between("acme", 7, 100, NOW) == []


def test_passes_that_changed_come_in_order_and_no_more_than_asked_for(database: Database) -> None:
    with acme(database) as tx:
        for n in range(4):
            tx.passes.insert("acme", a_pass(n, created_at=NOW + n))
            tx.passes.insert("umbrella", a_pass(n, created_at=NOW + 9))
        changed = [row.idx for row in tx.bundles.passes_changed("acme", NOW + 1, 10)]
        assert changed == [1, 2, 3]
        tx.passes.change("acme", an_id("pass", 0), {"valid_until": NOW}, NOW + 5)
        tx.passes.holder_changed("umbrella", an_id("holder", 0), NOW + 6)
        rows = tx.bundles.passes_changed("acme", NOW + 2, 10)
        assert [(row.idx, row.valid_until) for row in rows] == [(2, None), (3, None), (0, NOW)]
        assert [row.idx for row in tx.bundles.passes_changed("acme", NOW, 2)] == [1, 2]


def test_tokens_taken_back_are_the_signed_ones_that_have_not_expired(database: Database) -> None:
    with acme(database) as tx:
        tx.passes.insert("acme", a_pass(0))
        tx.passes.insert("umbrella", a_pass(0))
        for n, kind in enumerate(("signed", "signed", "signed", "short", "signed")):
            expires_at = NOW + (n != 2) * SECOND
            lookup = an_id("look", n) if kind == "short" else None
            for tenant in ("acme", "umbrella"):
                tx.tokens.insert(tenant, a_token(n, kind=kind, lookup=lookup, expires_at=expires_at))
        for n in (0, 2, 3):
            tx.tokens.revoke("acme", an_id("token", n), NOW)
        tx.tokens.block("acme", an_id("token", 4), NOW, "lost")
        assert tx.bundles.refused_tokens("acme", NOW) == [an_id("token", 0), an_id("token", 4)]
        tx.tokens.unblock("acme", an_id("token", 4))
        assert tx.bundles.refused_tokens("acme", NOW) == [an_id("token", 0)]
        assert tx.bundles.refused_tokens("umbrella", 0) == []


def test_there_is_no_pass_at_or_above_the_places_drawn(database: Database) -> None:
    with acme(database) as tx:
        for n in range(20):
            assert tx.tenants.draw_idx("acme", n) < tx.bundles.places_drawn("acme") == 4096
        assert tx.bundles.places_drawn("nobody") == 4096


def reads(database: Database) -> list[Statement]:
    """Every statement of one look at a bundle, and of one stretch of places."""
    seen: list[Statement] = []

    def see(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        seen.append((sql, parameters))

    with database.connections.connect() as connection, connection.begin():
        event.listen(connection, "before_cursor_execute", see)
        bundles = Bundles(connection, database.engine)
        bundles.passes_between("acme", 4096, 4224, NOW)
        bundles.passes_changed("acme", NOW, 100)
        bundles.refused_tokens("acme", NOW)
    assert len(seen) == 3
    return seen


def test_sqlite_reads_no_large_table_whole_for_a_bundle(large_sqlite: Database) -> None:
    plans = []
    for sql, parameters in reads(large_sqlite):
        with large_sqlite.connections.connect() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        assert {step.split()[1] for step in plan if step.startswith("SCAN")}.isdisjoint(named_large(sql)), plan
        plans.append(" ".join(plan))
    assert "ix_passes_tenant_changed_at_idx" in plans[1]
    assert "ix_tokens_taken_back" in plans[2]


def test_postgresql_reads_no_large_table_whole_for_a_bundle(large_postgresql: Database) -> None:
    with large_postgresql.connections.connect() as pooled:
        connection: Any = pooled.connection.driver_connection
        found: set[str | None] = set()
        for sql, parameters in reads(large_postgresql):
            [[[plan]]] = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters).fetchall()
            kinds = {node["Node Type"] for node in nodes(plan["Plan"])}
            assert "Seq Scan" not in kinds, json.dumps(plan, indent=1)
            found |= {node.get("Index Name") for node in nodes(plan["Plan"])}
    assert {"ix_passes_tenant_changed_at_idx", "ix_tokens_taken_back"} <= found
