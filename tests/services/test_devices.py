"""Devices over time and over processes: when they called, keys that are rolled, what is known elsewhere and when."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from app.storage.failures import Unavailable
from app.storage.tables import api_keys
from tests.conftest import make_settings
from tests.service import Service, running_service
from tests.storage.conftest import opened

PATH = "/v1/devices"
Json = dict[str, Any]


async def kiosk(service: Service, gate: str = "main-door") -> tuple[str, str]:
    """A new device's id and key."""
    made = await service.create(PATH, name="A kiosk", gate=gate)
    return made["id"], await exchanged(service, made)


async def exchanged(service: Service, made: Json) -> str:
    answer = await shown(service, made)
    assert answer.status_code == 200, answer.text
    key: str = answer.json()["api_key"]
    return key


async def shown(service: Service, made: Json) -> Any:
    body = {"handshake_version": 1, "token": made["setup"]["token"]}
    return await service.http.post(f"{PATH}/initialize", json=body)


async def rolled(service: Service, key: str) -> str:
    answer = await service.call("POST", f"{PATH}/roll", key=key)
    assert answer.status_code == 200, answer.text
    new: str = answer.json()["api_key"]
    return new


async def report(service: Service, key: str) -> int:
    return (await service.call("POST", f"{PATH}/report", key=key, json={})).status_code


async def attempt(service: Service, key: str, gate: str = "main-door") -> int:
    """What a verification by a device is answered: one of nothing, which changes nothing."""
    body = {"token": "nothing", "gate": gate}
    return (await service.call("POST", "/v1/verifications", key=key, json=body)).status_code


async def last_seen(service: Service, id_: str) -> str | None:
    at: str | None = (await service.call("GET", f"{PATH}/{id_}")).json()["last_seen_at"]
    return at


async def within(seconds: float, true: Callable[[], Awaitable[bool]]) -> float:
    """How long it took to become true."""
    started = time.monotonic()
    while not await true():
        assert time.monotonic() - started < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - started


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[tuple[Service, Service]]:
    """Two services that share nothing but the database."""
    async with (
        running_service(make_settings(url)) as one,
        running_service(make_settings(url), key=one.key) as other,
    ):
        yield one, other


async def test_of_16_who_show_a_set_up_token_to_two_processes_one_becomes_the_device(postgresql_url: str) -> None:
    async with two_processes(postgresql_url) as services:
        await services[0].gate()
        for _ in range(5):
            made = await services[0].create(PATH, name="A kiosk", gate="main-door")
            answers = await asyncio.gather(*(shown(services[n % 2], made) for n in range(16)))
            assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
            (key,) = [answer.json()["api_key"] for answer in answers if answer.status_code == 200]
            assert [await attempt(each, key) for each in services] == [200, 200]
    with opened(postgresql_url) as database:
        assert database.value(select(func.count()).where(api_keys.c.device.is_not(None))) == 5


async def test_a_revoked_device_is_refused_by_another_process_within_two_seconds(postgresql_url: str) -> None:
    async with two_processes(postgresql_url) as (one, other):
        await one.gate()
        id_, key = await kiosk(one)
        assert [await attempt(each, key) for each in (one, other)] == [200, 200]
        assert (await one.call("DELETE", f"{PATH}/{id_}")).status_code == 204
        assert await attempt(one, key) == 401

        async def refused() -> bool:
            return await attempt(other, key) == 401

        await within(2.0, refused)


async def test_a_moved_device_is_at_its_new_gate_in_another_process_within_two_seconds(postgresql_url: str) -> None:
    async with two_processes(postgresql_url) as (one, other):
        for gate in ("main-door", "back-door"):
            await one.gate(gate)
        id_, key = await kiosk(one)
        assert [await attempt(each, key) for each in (one, other)] == [200, 200]
        assert (await one.call("PATCH", f"{PATH}/{id_}", json={"gate": "back-door"})).status_code == 200
        assert [await attempt(one, key, gate) for gate in ("main-door", "back-door")] == [403, 200]

        async def moved() -> bool:
            return [await attempt(other, key, gate) for gate in ("main-door", "back-door")] == [403, 200]

        await within(2.0, moved)


async def test_that_a_device_called_is_written_within_seconds_and_not_by_the_call(service: Service) -> None:
    await service.gate()
    (id_, key), (silent, _) = [await kiosk(service) for _ in range(2)]
    assert await attempt(service, key) == 200
    assert await last_seen(service, id_) is None
    service.clock.advance(10)

    async def written() -> bool:
        return await last_seen(service, id_) is not None

    await within(3.0, written)
    assert await last_seen(service, silent) is None
    first = await last_seen(service, id_)
    for _ in range(12):
        assert await attempt(service, key) == 200
        await asyncio.sleep(0.1)
    assert await last_seen(service, id_) == first  # at most every 10 s
    service.clock.advance(10)

    async def written_again() -> bool:
        return (await last_seen(service, id_) or "") > (first or "")

    await within(3.0, written_again)


async def test_what_was_not_written_because_the_database_was_gone_is_written_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.gate()
    id_, key = await kiosk(service)
    new = await rolled(service, key)
    assert await attempt(service, new) == 200
    context, reads = service.context, service.context.store.read

    async def gone(work: Any) -> Any:
        raise Unavailable("gone")

    for name in ("read", "write"):
        monkeypatch.setattr(context.store, name, gone)
    with pytest.raises(Unavailable):
        await context.last_seen.write()
    monkeypatch.undo()
    assert context.store.read == reads
    service.clock.advance(10)

    async def written() -> bool:
        return await last_seen(service, id_) is not None and await report(service, key) == 401

    await within(5.0, written)


async def test_an_old_key_is_good_until_the_new_one_is_used(service: Service) -> None:
    await service.gate()
    id_, old = await kiosk(service)
    new = await rolled(service, old)
    for _ in range(25):
        assert await attempt(service, old) == 200
        await asyncio.sleep(0.1)
    assert await attempt(service, new) == 200

    async def refused() -> bool:
        return await attempt(service, old) == 401

    await within(3.0, refused)
    assert await attempt(service, new) == 200
    assert (await service.call("GET", f"{PATH}/{id_}")).status_code == 200


async def test_a_device_whose_answers_were_lost_still_has_a_good_key(service: Service) -> None:
    await service.gate()
    _, old = await kiosk(service)
    lost = [await rolled(service, old) for _ in range(9)]
    new = await rolled(service, old)
    assert await attempt(service, old) == 200
    assert await attempt(service, new) == 200

    async def only_the_newest() -> bool:
        return {await attempt(service, key) for key in (old, *lost)} == {401}

    await within(3.0, only_the_newest)
    assert await attempt(service, new) == 200


async def test_a_roll_that_arrives_late_does_not_take_the_key_that_the_device_has(service: Service) -> None:
    """A device gave up waiting for one answer, rolled again, and got that one first."""
    await service.gate()
    _, old = await kiosk(service)
    has = await rolled(service, old)
    late = await rolled(service, old)
    assert await attempt(service, has) == 200

    async def refused() -> bool:
        return await attempt(service, old) == 401

    await within(3.0, refused)
    assert await attempt(service, has) == 200
    newest = await rolled(service, has)
    assert [await attempt(service, key) for key in (late, newest)] == [200, 200]


async def test_a_key_is_younger_than_the_one_before_whatever_the_clock_says(service: Service) -> None:
    await service.gate()
    _, old = await kiosk(service)
    service.clock.advance(-3600)  # rolled on a machine whose clock is behind
    new = await rolled(service, old)
    assert await attempt(service, old) == 200
    await asyncio.sleep(2.2)
    assert await attempt(service, new) == 200

    async def refused() -> bool:
        return await attempt(service, old) == 401

    await within(3.0, refused)
    assert await attempt(service, new) == 200


async def test_a_revoked_device_cannot_roll_itself_a_new_key_where_that_is_not_known_yet(postgresql_url: str) -> None:
    async with two_processes(postgresql_url) as (one, other):
        await one.gate()
        id_, key = await kiosk(one)
        _, stolen = await kiosk(one)
        assert [await attempt(other, each) for each in (key, stolen)] == [200, 200]
        again = (await one.call("POST", f"{PATH}/{id_}/setup")).json()
        new = await exchanged(one, again)
        answer = await other.call("POST", f"{PATH}/roll", key=key)
        assert answer.status_code in {401, 403}
        assert (await one.call("DELETE", f"{PATH}/{id_}")).status_code == 204
        for each in (key, new):
            assert (await other.call("POST", f"{PATH}/roll", key=each)).status_code in {401, 403, 404}
        assert await attempt(other, stolen) == 200
    with opened(postgresql_url) as database:
        live = select(func.count()).where(api_keys.c.device.is_not(None), api_keys.c.revoked_at.is_(None))
        assert database.value(live) == 1


async def test_a_device_that_is_moved_set_up_rolled_and_heard_at_once_ends_with_keys_for_one_gate(
    postgresql_url: str,
) -> None:
    """Nothing waits for something else, and no key is left behind at another gate."""
    gates = ("main-door", "back-door")
    async with two_processes(postgresql_url) as services:
        for gate in gates:
            await services[0].gate(gate)
        id_, key = await kiosk(services[0])
        calls: list[Awaitable[Any]] = []
        for n in range(40):
            service = services[n % 2]
            calls += [
                service.call("PATCH", f"{PATH}/{id_}", json={"gate": gates[n // 2 % 2]}),
                service.call("POST", f"{PATH}/roll", key=key),
                service.call("POST", f"{PATH}/report", key=key, json={"battery": n}),
                service.call("POST", f"{PATH}/{id_}/setup"),
            ]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} <= {200, 201, 401, 403}, {each.text for each in answers}
        await asyncio.gather(*(each.context.last_seen.write() for each in services))
        device = (await services[0].call("GET", f"{PATH}/{id_}")).json()
    with opened(postgresql_url) as database:
        live = select(api_keys.c.gate).where(api_keys.c.device.is_not(None), api_keys.c.revoked_at.is_(None))
        assert {row[0] for row in database.rows(live)} == {device["gate"]}
