"""Clients that all come at once, served by two processes that share only the database."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.services.tenants import create_tenant
from app.storage.tables import enrolments, holders, passes, subjects, verifications
from app.wiring import running
from tests.conftest import make_settings
from tests.faces.http.pictures import photo
from tests.postgres import PostgresServer
from tests.services.serving import served
from tests.storage.conftest import opened
from tests.storage.database import Database

CLIENTS = 16
RECOGNITION = "/api/v1/recognition"
_numbers = itertools.count(1)


class Site:
    """A tenant with gates at which cameras are connected, called over many sockets."""

    def __init__(self, clients: Sequence[httpx.AsyncClient], tenant: str, key: str, database: Database) -> None:
        self.clients = clients
        self.tenant = tenant
        self.database = database
        self._headers = {"Authorization": f"Bearer {key}"}

    async def post(self, n: int, path: str, **body: Any) -> httpx.Response:
        return await self.clients[n % CLIENTS].post(f"/v1/{path}", json=body, headers=self._headers)

    async def create(self, path: str, **body: Any) -> Any:
        answer = await self.post(0, path, **body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def verify(self, n: int, token: str, gate: str) -> httpx.Response:
        return await self.post(n, "verifications", token=token, gate=gate)

    async def camera(self, gate: str) -> "Camera":
        await self.create("gates", id=gate, name=gate)
        made = await self.create("connections", kind="compreface", gate=gate)
        return Camera(self, made["credentials"]["api_key"])

    async def picture(self, holder: str) -> bytes:
        """A picture of a new token that is good at every gate."""
        pass_ = await self.create("passes", holder=holder, gates="all")
        return photo((await self.create("tokens", **{"pass": pass_["id"], "kind": "short"}))["token"], form="PNG")

    async def token(self, n: int, holder: str) -> str:
        """The text of a token of the holder's newest pass."""
        listed = await self.clients[n % CLIENTS].get("/v1/passes", params={"holder": holder}, headers=self._headers)
        pass_ = listed.json()["items"][0]["id"]
        issued: str = (await self.post(n, "tokens", **{"pass": pass_, "kind": "short"})).json()["token"]
        return issued

    def count(self, table: Any, *where: Any) -> int:
        statement = select(func.count()).select_from(table).where(table.c.tenant == self.tenant, *where)
        counted: int = self.database.value(statement)
        return counted

    def orphans(self) -> dict[str, int]:
        """What should never be left: good passes of nobody, subjects without a good pass, enrolments of nobody."""
        theirs = select(subjects.c.pass_).where(subjects.c.tenant == self.tenant)
        good = select(passes.c.id).where(passes.c.tenant == self.tenant, passes.c.status == "active")
        there = select(subjects.c.holder).where(subjects.c.tenant == self.tenant)
        return {
            "passes": self.count(passes, passes.c.status == "active", passes.c.id.not_in(theirs)),
            "subjects": self.count(subjects, subjects.c.pass_.not_in(good)),
            "enrolments": self.count(enrolments, enrolments.c.holder.not_in(there)),
        }


class Camera:
    """A CompreFace client at one gate. `n` says over which of the sockets."""

    def __init__(self, site: Site, key: str) -> None:
        self._site = site
        self._key = {"x-api-key": key}

    async def call(self, n: int, method: str, path: str, **arguments: Any) -> httpx.Response:
        return await self._site.clients[n % CLIENTS].request(method, RECOGNITION + path, headers=self._key, **arguments)

    async def recognize(self, n: int, picture: bytes) -> list[list[str]]:
        answer = await self.call(n, "POST", "/recognize", files={"file": ("a.png", picture)})
        assert answer.status_code == 200, answer.text
        return [[each["subject"] for each in face["subjects"]] for face in answer.json()["result"]]

    async def enrol(self, n: int, subject: str) -> httpx.Response:
        return await self.call(n, "POST", "/faces", params={"subject": subject}, files={"file": ("a.jpg", b"a face")})


@pytest.fixture(scope="module")
def server(
    postgresql_server: PostgresServer, migrated_postgresql: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, Path]]:
    """The address of a server with two workers, its database and its log."""
    postgresql_server.execute(f"CREATE DATABASE at_once TEMPLATE {migrated_postgresql} STRATEGY file_copy")
    url, folder = postgresql_server.url("at_once"), tmp_path_factory.mktemp("at-once")
    with served(url, folder, workers=2, GATEPASS_SETTLE_TIMEOUT_S="20") as serving:
        yield serving.url, url, folder / "serve.log"


@pytest.fixture
async def site(server: tuple[str, str, Path], postgresql_server: PostgresServer) -> AsyncIterator[Site]:
    """A tenant of the test's own, and at the end neither a fault in the log nor a deadlock in the database's."""
    logs = (server[2], postgresql_server.folder / "log")
    before = [path.stat().st_size for path in logs]
    async with _site(*server[:2]) as site:
        yield site
    faults, database = (path.read_bytes()[size:] for path, size in zip(logs, before, strict=True))
    assert b'"fault"' not in faults, faults
    assert b"deadlock" not in database, database


@asynccontextmanager
async def _site(address: str, url: str) -> AsyncIterator[Site]:
    tenant = f"site-{next(_numbers)}"
    async with running(make_settings(url)) as context:
        key = (await create_tenant(context, tenant, "UTC")).secret or ""
    clients = [httpx.AsyncClient(base_url=address, timeout=20, trust_env=False) for _ in range(CLIENTS)]
    with opened(url) as database:
        yield Site(clients, tenant, key, database)
    await asyncio.gather(*(client.aclose() for client in clients))


async def at_once(count: int, call: Callable[[int], Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*(call(n) for n in range(count))))


async def test_a_code_that_32_polls_show_at_once_is_one_verification_and_one_answer(site: Site) -> None:
    camera, picture = await site.camera("main-door"), await site.picture("emp-1042")
    assert await at_once(32, lambda n: camera.recognize(n, picture)) == [[["emp-1042"]]] * 32
    assert site.count(verifications) == 1


async def test_a_code_that_two_gates_see_at_once_names_at_one_of_them(site: Site) -> None:
    cameras = [await site.camera(gate) for gate in ("main-door", "back-door")]
    pictures = [await site.picture(f"emp-{n}") for n in range(8)]
    found = await at_once(16, lambda n: cameras[n % 2].recognize(n, pictures[n // 2]))
    for n in range(8):
        assert sorted(found[2 * n : 2 * n + 2]) == [[[]], [[f"emp-{n}"]]]
    assert site.count(verifications, verifications.c.decision == "admit") == 8


async def test_a_new_subject_that_16_enrol_at_once_is_one_holder_with_one_pass(site: Site) -> None:
    camera = await site.camera("main-door")
    answers = await at_once(16, lambda n: camera.enrol(n, "emp-1042"))
    assert [answer.status_code for answer in answers] == [201] * 16
    assert len({answer.json()["image_id"] for answer in answers}) == 16
    assert (site.count(holders), site.count(passes), site.count(subjects), site.count(enrolments)) == (1, 1, 1, 16)


async def test_two_clients_that_enrol_one_new_subject_at_once_share_the_holder(site: Site) -> None:
    cameras = [await site.camera(gate) for gate in ("main-door", "back-door")]
    answers = await at_once(16, lambda n: cameras[n % 2].enrol(n, "emp-1042"))
    assert [answer.status_code for answer in answers] == [201] * 16
    assert (site.count(holders), site.count(passes), site.count(subjects)) == (1, 2, 2)


async def test_whoever_is_enrolled_renamed_and_deleted_at_once_leaves_nothing_behind(site: Site) -> None:
    """Whatever comes of it, nobody has a good pass without being a subject, and nothing waits for something else."""
    cameras = [await site.camera(gate) for gate in ("main-door", "back-door")]
    pictures = [await site.picture(f"emp-{n}") for n in range(6)]
    site.database.execute(passes.update().where(passes.c.tenant == site.tenant).values(status="suspended"))
    dice = random.Random(17)
    calls: list[Callable[[int], Awaitable[httpx.Response]]] = []
    for n in range(240):
        camera, one, other = cameras[n % 2], f"emp-{dice.randrange(6)}", f"emp-{dice.randrange(6)}"
        enrolling = [_enrolling(camera, one)] * 4
        doing = [
            *enrolling,
            _doing(camera, "DELETE", f"/subjects/{one}"),
            _doing(camera, "DELETE", "/subjects"),
            _doing(camera, "DELETE", "/faces", params={"subject": one}),
            _doing(camera, "DELETE", "/faces"),
            _doing(camera, "PUT", f"/subjects/{one}", json={"subject": other}),
            _doing(camera, "POST", "/subjects", json={"subject": one}),
            _doing(camera, "POST", "/recognize", files={"file": ("a.png", pictures[dice.randrange(6)])}),
        ]
        calls.append(dice.choice(doing))
    answers = await at_once(len(calls), lambda n: calls[n](n))
    told = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told[200, None] > 20
    assert told[201, None] > 20
    assert {status for status, _ in told} <= {200, 201, 400, 404}, told
    assert set(told) <= {(200, None), (201, None), (400, 43), (404, 42)}, told
    assert site.orphans() == {"passes": 0, "subjects": 0, "enrolments": 0}
    for camera in cameras:
        assert (await camera.call(0, "DELETE", "/subjects")).status_code == 200
    assert site.count(subjects) == site.count(enrolments) == site.count(passes, passes.c.status == "active") == 0


def _enrolling(camera: Camera, subject: str) -> Callable[[int], Awaitable[httpx.Response]]:
    return lambda n: camera.enrol(n, subject)


def _doing(camera: Camera, method: str, path: str, **arguments: Any) -> Callable[[int], Awaitable[httpx.Response]]:
    return lambda n: camera.call(n, method, path, **arguments)


async def test_whoever_deletes_many_and_a_batch_of_their_attempts_never_wait_for_each_other(site: Site) -> None:
    camera = await site.camera("main-door")
    people = [f"emp-{n}" for n in range(24)]
    for _ in range(2):
        await at_once(len(people), lambda n: camera.enrol(n, people[n]))
        issued = await at_once(len(people), lambda n: site.token(n, people[-n]))
        answers = await asyncio.gather(
            *(site.verify(n, text, "main-door") for n, text in enumerate(issued * 2)),
            *(camera.call(n, "DELETE", "/subjects") for n in range(2)),
        )
        told = Counter(answer.json().get("reason", answer.status_code) for answer in answers)
        assert set(told) <= {"ok", "already_used", "pass_revoked", 200}, told
    assert site.orphans() == {"passes": 0, "subjects": 0, "enrolments": 0}
