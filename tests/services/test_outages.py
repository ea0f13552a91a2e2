"""Unknown is not admit: standbys that stop, servers that are killed, databases that are gone."""

import asyncio
import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import select

from app.core.ids import show
from app.storage.failures import Unavailable
from app.storage.tables import redemptions, request_ids, verifications
from tests.conftest import make_settings
from tests.postgres import PostgresServer
from tests.service import Service, running_service
from tests.services.serving import callers, served
from tests.storage.conftest import opened

TIMEOUT_S = 0.7
Json = dict[str, Any]


class Standby:
    """A synchronous standby: PostgreSQL's own `pg_receivewal`, which confirms what it has on disk."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        folder = server.folder / "standby"
        folder.mkdir()
        shutil.chown(folder, server.data.owner())
        conninfo = f"host={server.folder} user=gatepass application_name=standby"
        server.run("pg_receivewal", "--create-slot", "--slot=standby", "-d", conninfo)
        self._process: subprocess.Popen[bytes] = server.spawn(
            "pg_receivewal", "--synchronous", "--slot=standby", "-D", str(folder), "-d", conninfo
        )

    def wait(self) -> None:
        """Return when commits wait for it."""
        with psycopg.connect(self._server.conninfo("postgres"), autocommit=True) as connection:
            for _ in range(400):
                if connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
                    return
                time.sleep(0.025)
        raise RuntimeError("the standby did not come")

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self._process.terminate()
        self._process.wait(timeout=10)


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, Standby]]:
    """A PostgreSQL that commits once its standby has what is committed."""
    folder = tmp_path_factory.mktemp("replicated")
    server = PostgresServer(folder, synchronous_standby_names="standby", synchronous_commit="on")
    server.start()
    standby = Standby(server)
    standby.wait()
    server.execute("CREATE DATABASE gatepass")
    yield server, standby
    standby.stop()
    server.stop(at_once=True)  # a shutdown would wait for the standby


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may kill. It writes to disk before it says so."""
    server = PostgresServer(tmp_path / "postgresql")
    server.start()
    server.execute("CREATE DATABASE gatepass")
    yield server
    server.stop(at_once=True)


@asynccontextmanager
async def service_on(server: PostgresServer, **settings: object) -> AsyncIterator[Service]:
    settings = {"settle_timeout_s": TIMEOUT_S, **settings}
    async with running_service(make_settings(server.url("gatepass"), **settings)) as service:
        yield service


def cancel_waiting_commits(server: PostgresServer) -> bool:
    """As an operator would, or whatever else loses patience: no time limit of PostgreSQL's own ends this wait."""
    cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        for _ in range(200):
            if connection.execute(cancel).fetchone():
                return True
            time.sleep(0.025)
    return False


async def until(true: Callable[[], bool]) -> None:
    """Return once it is true, and not much later."""
    for _ in range(5000):
        if true():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come true")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.mark.parametrize("cancelled", [False, True], ids=["the wait goes on", "the wait is cancelled"])
async def test_a_commit_that_no_standby_confirms_is_not_an_admit_and_the_retry_settles_it(
    replicated: tuple[PostgresServer, Standby],
    cancelled: bool,  # noqa: FBT001
) -> None:
    server, standby = replicated
    server.execute("DROP DATABASE IF EXISTS gatepass")
    server.execute("CREATE DATABASE gatepass")
    async with service_on(server) as service:
        await service.gate()
        token = (await service.token(await service.pass_(), ttl_s=600))["token"]
        standby.freeze()
        try:
            for _ in range(2):
                with within(TIMEOUT_S + 1.0):
                    denied = await service.verify(token, request_id="r-1")
                assert (denied["decision"], denied["reason"]) == ("deny", "unavailable")
                assert (denied["pass"], denied["holder"]) == (None, None)
                if cancelled:
                    assert await asyncio.to_thread(cancel_waiting_commits, server)
            assert (await service.verify(token))["decision"] == "deny"
            with opened(server.url("gatepass")) as database:
                # Once the wait is cancelled it is redeemed here; nobody was told so, since a failover would lose it.
                assert len(database.column(select(redemptions.c.verification))) == cancelled
        finally:
            standby.thaw()
        await asyncio.to_thread(standby.wait)
        settled = await service.verify(token, request_id="r-1")
        assert (settled["decision"], settled["reason"], settled["repeated"]) == ("admit", "ok", "request_id")
        with opened(server.url("gatepass")) as database:
            redeemed = database.column(select(redemptions.c.verification))
            recorded = database.column(select(verifications.c.id).where(verifications.c.request_id == "r-1"))
        assert [show("ver", each) for each in redeemed] == [settled["id"]]
        assert recorded == redeemed


async def test_a_warning_on_commit_is_a_failure(replicated: tuple[PostgresServer, Standby]) -> None:
    server, standby = replicated
    server.execute("CREATE TABLE notes (note text)", "gatepass")
    with opened(server.url("gatepass")) as database, database.connections.connect() as connection:
        transaction = connection.begin()
        connection.execute(sqlalchemy.text("INSERT INTO notes VALUES ('here, and perhaps nowhere else')"))
        standby.freeze()
        try:
            cancelling = asyncio.ensure_future(asyncio.to_thread(cancel_waiting_commits, server))
            with pytest.raises(Unavailable, match="warning"):
                await asyncio.to_thread(database.engine.commit, transaction)
            assert await cancelling
            assert any("canceling wait" in warning for warning in connection.connection.info["warnings"])
        finally:
            standby.thaw()
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM notes")).scalar() == 1
        connection.rollback()
        transaction = connection.begin()
        connection.execute(sqlalchemy.text("INSERT INTO notes VALUES ('confirmed')"))
        database.engine.commit(transaction)  # an old warning is not held against it


async def test_a_write_that_no_standby_confirms_is_unavailable(replicated: tuple[PostgresServer, Standby]) -> None:
    server, standby = replicated
    settings = make_settings(server.url("gatepass"), settle_timeout_s=TIMEOUT_S)
    async with running_service(settings, key="none is needed") as service:
        standby.freeze()
        try:
            with pytest.raises(Unavailable), within(TIMEOUT_S + 1.0):
                await service.context.store.write(lambda tx: tx.secrets.insert_service_value("note", b"here"))
        finally:
            standby.thaw()


async def test_what_was_admitted_while_the_server_was_killed_is_redeemed_after_its_restart(
    own_server: PostgresServer,
) -> None:
    async with service_on(own_server, settle_timeout_s=8) as service:
        await service.gate()
        pass_ = await service.pass_()
        tokens = await asyncio.gather(*(service.token(pass_, ttl_s=600) for _ in range(150)))
        answers: list[tuple[str, Json]] = []

        async def at_the_gate(mine: list[Json]) -> None:
            for token in mine:
                answers.append((token["id"], await service.verify(token["token"])))  # noqa: PERF401  seen by power_cut

        async def power_cut() -> None:
            await until(lambda: len(answers) >= 40)
            await asyncio.to_thread(own_server.stop, at_once=True)

        await asyncio.gather(power_cut(), *(at_the_gate(list(tokens[n::15])) for n in range(15)))
        admitted = {token for token, answer in answers if answer["decision"] == "admit"}
        denied = {answer["reason"] for _, answer in answers if answer["decision"] == "deny"}
        assert len(answers) == 150
        assert 40 <= len(admitted) < 150
        assert denied == {"unavailable"}
        own_server.start()
        with opened(own_server.url("gatepass")) as database:
            redeemed = {show("tok", token) for token in database.column(select(redemptions.c.token))}
        assert admitted <= redeemed
        await asyncio.sleep(1.1)  # until keys have been read again
        for token in tokens:
            again = await service.verify(token["token"])
            assert again["decision"] == ("deny" if token["id"] in redeemed else "admit")


async def test_without_a_database_entries_are_denied_and_exits_are_not(own_server: PostgresServer) -> None:
    async with service_on(own_server) as service:
        await service.gate()
        await service.gate("way-out", direction="exit")
        await service.gate("hall", direction="both")
        leaving = await service.api_key("verifications:create", gate="hall", side="exit")
        stranger = await service.api_key("verifications:create")
        revoked = await service.api_key("verifications:create")
        token = (await service.token(await service.pass_(), ttl_s=600))["token"]
        await service.verify("nonsense", "way-out")
        await service.verify("nonsense", "hall", key=leaving)
        await service.verify("nonsense", key=revoked)
        listed = (await service.call("GET", "/v1/api-keys")).json()["items"]
        await service.call("DELETE", f"/v1/api-keys/{listed[0]['id']}")
        own_server.stop(at_once=True)
        for _ in range(
            2
        ):  # with keys that were confirmed a moment ago, and with such that cannot be confirmed any more
            with within(TIMEOUT_S + 1.0):
                denied = await service.verify(token, request_id="r-1")
            assert (denied["decision"], denied["reason"], denied["flags"]) == ("deny", "unavailable", [])
            out = await service.verify("nonsense", "way-out")
            assert (out["decision"], out["reason"], out["flags"]) == ("admit", "ok", ["unavailable"])
            assert out["direction"] == "exit"
            out = await service.verify("nonsense", "hall", key=leaving)
            assert (out["decision"], out["flags"]) == ("admit", ["unavailable"])
            denied = await service.verify(token, "hall", direction="exit")
            assert (denied["decision"], denied["reason"]) == ("deny", "unavailable")
            service.clock.advance(3)
        for key in (stranger, revoked):
            unseen = await service.call("POST", "/v1/verifications", key=key, json={"token": token, "gate": "way-out"})
            assert (unseen.status_code, unseen.json()["code"]) == (503, "unavailable")
            assert unseen.headers["retry-after"]
        nobody = await service.call(
            "POST", "/v1/verifications", key="gp_nobody", json={"token": token, "gate": "way-out"}
        )
        assert nobody.status_code == 401
        ready = await service.call("GET", "/readyz")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["the database does not answer"])
        assert (await service.call("GET", "/healthz")).status_code == 200
        own_server.start()
        settled = await service.verify(token, request_id="r-1")
        assert (settled["decision"], settled["reason"]) == ("admit", "ok")
        assert (await service.call("GET", "/readyz")).status_code == 200


async def test_a_fault_of_any_kind_denies_an_entry_and_lets_out(service: Service, database_url: str) -> None:
    await service.gate()
    await service.gate("way-out", direction="exit")
    token = (await service.token(await service.pass_()))["token"]
    await service.verify("nonsense", "way-out")
    with opened(database_url) as database:
        database.execute("ALTER TABLE verifications RENAME TO mislaid")
        denied = await service.verify(token)
        out = await service.verify(token, "way-out")
        database.execute("ALTER TABLE mislaid RENAME TO verifications")
    assert (denied["decision"], denied["reason"]) == ("deny", "unavailable")
    assert (out["decision"], out["flags"]) == ("admit", ["unavailable"])
    assert (await service.verify(token))["decision"] == "admit"


async def test_a_locked_sqlite_denies_entries_and_lets_out(sqlite_url: str) -> None:
    async with running_service(make_settings(sqlite_url, settle_timeout_s=0.4)) as service:
        await service.gate()
        await service.gate("way-out", direction="exit")
        token = (await service.token(await service.pass_()))["token"]
        await service.verify("nonsense", "way-out")
        other = sqlite3.connect(sqlalchemy.make_url(sqlite_url).database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with within(1.5):
            denied = await service.verify(token, request_id="r-1")
        out = await service.verify(token, "way-out")
        other.execute("ROLLBACK")
        other.close()
        assert (denied["decision"], denied["reason"]) == ("deny", "unavailable")
        assert (out["decision"], out["flags"]) == ("admit", ["unavailable"])
        assert (await service.verify(token, request_id="r-1"))["decision"] == "admit"


async def test_what_a_killed_process_admitted_is_in_the_sqlite_file(sqlite_url: str, tmp_path: Path) -> None:
    async with running_service(make_settings(sqlite_url)) as service:
        await service.gate()
        pass_ = await service.pass_()
        tokens = await asyncio.gather(*(service.token(pass_, ttl_s=600) for _ in range(200)))
    bodies = [{"token": token["token"], "gate": "main-door", "request_id": token["id"]} for token in tokens]
    with served(sqlite_url, tmp_path) as serving:
        async with callers(serving.url, service.key, connections=8) as at_gates:

            async def power_cut() -> None:
                with opened(sqlite_url) as database:
                    await until(lambda: len(database.column(select(redemptions.c.token))) >= 30)
                serving.kill()

            answers, _ = await asyncio.gather(at_gates.verify_all(bodies), power_cut())
    admitted = {answer["request_id"] for answer in answers if answer is not None}
    assert 10 <= len(admitted) < 200, json.dumps(sorted(admitted))
    with opened(sqlite_url) as database:
        redeemed = {show("tok", token) for token in database.column(select(redemptions.c.token))}
        kept = set(database.column(select(request_ids.c.request_id)))
    assert admitted <= redeemed
    assert redeemed == kept
    async with running_service(make_settings(sqlite_url), key=service.key) as restarted:
        for token in tokens:
            fresh = await restarted.verify(token["token"])
            assert fresh["decision"] == ("deny" if token["id"] in redeemed else "admit")
            if token["id"] in redeemed:
                retried = await restarted.verify(token["token"], request_id=token["id"])
                assert (retried["decision"], retried["repeated"]) == ("admit", "request_id")
