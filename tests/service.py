"""A running service for the tests: the whole application but the socket, and calls that read as sentences."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import httpx

from app.core.model import SECOND
from app.effects.clock import SystemClock
from app.faces.http.front import Front
from app.faces.http.routes import make_routes
from app.services.context import Context
from app.services.tenants import create_tenant
from app.settings import Settings
from app.wiring import prepare_database, running

_numbers = itertools.count(1)


class TestClock:
    """The real time, and as much more as a test says has passed."""

    __test__ = False

    def __init__(self) -> None:
        self._ahead = 0
        self._clock = SystemClock()

    def now(self) -> int:
        return self._clock.now() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += round(seconds * SECOND)


class Service:
    """A service with one tenant, its admin key, and short ways to say what tests say often."""

    def __init__(self, context: Context, http: httpx.AsyncClient, key: str, clock: TestClock) -> None:
        self.context = context
        self.http = http
        self.key = key
        self.clock = clock

    async def call(self, method: str, path: str, *, key: str | None = None, **arguments: Any) -> httpx.Response:
        """One request with a key, the admin's unless told otherwise."""
        headers = {"Authorization": f"Bearer {key or self.key}"} | arguments.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **arguments)

    async def create(self, path: str, **body: Any) -> dict[str, Any]:
        """POST that has to succeed."""
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def gate(self, id_: str = "main-door", **body: Any) -> dict[str, Any]:
        return await self.create("/v1/gates", id=id_, **{"name": id_, **body})

    async def pass_(self, holder: str = "emp-1042", **body: Any) -> dict[str, Any]:
        return await self.create("/v1/passes", holder=holder, **{"gates": "all", **body})

    async def token(self, pass_: dict[str, Any], kind: str = "signed", **body: Any) -> dict[str, Any]:
        return await self.create("/v1/tokens", **{"pass": pass_["id"], "kind": kind, **body})

    async def verify(
        self, token: str, gate: str = "main-door", *, key: str | None = None, **body: Any
    ) -> dict[str, Any]:
        """A verification that has to be answered with a decision."""
        answer = await self.call("POST", "/v1/verifications", key=key, json={"token": token, "gate": gate, **body})
        assert answer.status_code == 200, answer.text
        decided: dict[str, Any] = answer.json()
        return decided

    async def api_key(self, *scopes: str, **body: Any) -> str:
        """The secret of a new key."""
        made = await self.create("/v1/api-keys", **{"name": "a key", "scopes": list(scopes), **body})
        secret: str = made["secret"]
        return secret

    async def tenant(self, name: str) -> "Service":
        """The same service, seen from another tenant."""
        key = await create_tenant(self.context, name, "UTC")
        assert key.secret is not None
        return Service(self.context, self.http, key.secret, self.clock)

    async def another_tenant(self) -> "Service":
        """The same service, seen from a tenant that nobody else uses."""
        return await self.tenant(f"another-{next(_numbers)}")


@asynccontextmanager
async def running_service(
    settings: Settings, *, time_zone: str = "UTC", key: str | None = None, clock: TestClock | None = None
) -> AsyncIterator[Service]:
    """A service with the tenant `acme`; with `key`, on a database where that tenant and its key are already."""
    prepare_database(settings, apply_migrations=True)
    clock = clock or TestClock()
    front = Front(make_routes(version("gatepass"), None))
    async with (
        running(settings, clock=clock) as context,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url="http://gatepass.test") as http,
    ):
        front.open(context)
        if key is None:
            key = (await create_tenant(context, "acme", time_zone)).secret
        assert key is not None
        yield Service(context, http, key, clock)
