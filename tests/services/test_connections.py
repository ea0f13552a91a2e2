"""Connections: a client or device is known by what it shows, until it is revoked."""

import dataclasses
import ipaddress
import json
from typing import Any

import pytest

from app.effects.sealing import MasterKey, WrongMasterKey
from app.faces.dialects import DIALECTS
from app.services.connected import Connection, Device, place
from app.services.connections import ConnectionWish, NewConnection, create_connection, revoke_connection
from app.services.context import Context, Network
from app.services.credentials import Caller
from app.services.mistakes import Clash, Invalid, NotFound
from app.storage.failures import Unavailable
from app.storage.records import ConnectionRecord
from tests.conftest import MASTER_KEY, make_settings
from tests.faces.http.endpoints import stored
from tests.service import Service, running_service
from tests.shared import on_each_engine, service, shared_service, shared_url

__all__ = ["service", "shared_service", "shared_url"]

pytestmark = pytest.mark.asyncio(loop_scope="session")
READER = Device(url="http://192.0.2.10", username="admin", password="a password")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_each_engine(metafunc)


async def caller(service: Service) -> Caller:
    caller = await service.context.credentials.authenticate(service.key)
    assert caller is not None
    return caller


def allowing(service: Service, network: str = "192.0.2.0/24") -> Context:
    """The service where the operator allows devices in that network."""
    return dataclasses.replace(service.context, network=Network(devices=(ipaddress.ip_network(network),)))


async def made(
    service: Service, kind: str = "compreface", gate: str = "main-door", device: Device | None = None, **other: Any
) -> NewConnection:
    wish = ConnectionWish(gate, other.get("side"), other.get("grants"), device or Device())
    return await create_connection(allowing(service), await caller(service), DIALECTS[kind].kind, wish, None)


def key(connection: NewConnection, name: str = "api_key") -> str:
    assert connection.credentials is not None
    return connection.credentials[name]


async def by_key(service: Service, kind: str, key: str) -> bytes | None:
    connection = await service.context.connections.by_key(kind, key)
    return connection and connection.id


async def by_serial(service: Service, kind: str, serial: str) -> bytes | None:
    connection = await service.context.connections.by_serial(kind, serial)
    return connection and connection.id


async def record(service: Service, connection: NewConnection) -> ConnectionRecord:
    tenant, id_ = connection.record.tenant, connection.record.id
    found = await service.context.store.read(lambda tx: tx.connections.get(tenant, id_))
    assert found is not None
    return found


async def test_a_client_is_known_by_its_key_and_by_nothing_else(service: Service) -> None:
    await service.gate()
    one, other = await made(service), await made(service)
    known = await service.context.connections.by_key("compreface", key(one))
    assert known is not None
    assert (known.id, known.kind, known.gate, known.secret) == (one.record.id, "compreface", "main-door", "")
    caller = known.caller
    assert (caller.gate, caller.side, caller.scopes, caller.confirmed) == (
        "main-door",
        None,
        {"verifications:create"},
        True,
    )
    assert caller.id == caller.line == known.id
    assert await by_key(service, "compreface", key(other)) == other.record.id
    for kind, wrong in (("rekognition", key(one)), ("compreface", key(one)[:-1]), ("compreface", "\ud800"), ("", "")):
        assert await by_key(service, kind, wrong) is None
        assert await by_serial(service, kind, wrong) is None


async def test_a_device_is_known_by_its_serial_number_within_its_kind(service: Service) -> None:
    await service.gate()
    serial = f"SN-{service.key[-6:]}"
    reader = await made(service, "fcard", device=Device(serial=serial))
    assert await by_serial(service, "fcard", serial) == reader.record.id
    assert await by_serial(service, "vguang", serial) is None
    assert await by_key(service, "fcard", serial) is None
    assert await made(service, "vguang", device=Device(serial=serial)) is not None
    other = await service.another_tenant()
    await other.gate()
    for each in (service, other):
        with pytest.raises(Clash) as taken:
            await made(each, "fcard", device=Device(serial=serial))
    assert taken.value.code == "serial_taken"


async def test_a_revoked_connection_is_refused_at_once_and_its_serial_number_is_free(service: Service) -> None:
    await service.gate()
    serial = f"SN-{service.key[-6:]}"
    first = await made(service, "fcard", device=Device(serial=serial))
    path = key(first, "path").rpartition("/")[2]
    assert await by_key(service, "fcard", path) == await by_serial(service, "fcard", serial) == first.record.id
    for _ in range(2):
        await revoke_connection(service.context, await caller(service), first.record.id)
        assert await by_key(service, "fcard", path) is await by_serial(service, "fcard", serial) is None
    second = await made(service, "fcard", device=Device(serial=serial))
    assert await by_serial(service, "fcard", serial) == second.record.id
    with pytest.raises(NotFound):
        await revoke_connection(service.context, await caller(await service.another_tenant()), second.record.id)
    assert await by_serial(service, "fcard", serial) == second.record.id


async def test_a_connection_revoked_in_another_process_is_refused_when_it_is_read_again(postgresql_url: str) -> None:
    async with (
        running_service(make_settings(postgresql_url)) as one,
        running_service(make_settings(postgresql_url), key=one.key) as other,
    ):
        await one.gate()
        connection = await made(one)
        for each in (one, other):
            assert await by_key(each, "compreface", key(connection)) == connection.record.id
        await revoke_connection(one.context, await caller(one), connection.record.id)
        await other.context.connections.refresh()
        assert await by_key(other, "compreface", key(connection)) is None


async def test_without_a_database_a_client_that_was_seen_is_known_and_not_confirmed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object) -> None:
        raise Unavailable

    await service.gate()
    seen, unseen = key(await made(service)), key(await made(service))
    assert await by_key(service, "compreface", seen) is not None
    monkeypatch.setattr(type(service.context.store), "read", unavailable)
    service.clock.advance(3)
    known = await service.context.connections.by_key("compreface", seen)
    assert known is not None
    assert not known.caller.confirmed
    with pytest.raises(Unavailable):
        await service.context.connections.by_key("compreface", unseen)


async def test_what_a_client_signs_with_is_sealed_for_its_row(service: Service) -> None:
    await service.gate()
    connections = [await made(service, "rekognition") for _ in range(2)]
    known = await service.context.connections.by_key("rekognition", key(connections[0], "access_key_id"))
    assert known is not None
    assert known.secret == key(connections[0], "secret_access_key")
    one, other = [await record(service, each) for each in connections]
    assert one.sealed is not None
    opened = MasterKey(bytes.fromhex(MASTER_KEY)).open(one.sealed, place(one.tenant, one.id))
    assert json.loads(opened) == {"secret": known.secret, "password": None}
    with pytest.raises(WrongMasterKey):
        service.context.master_key.open(one.sealed, place(other.tenant, other.id))


async def test_only_what_has_a_secret_can_be_proved(service: Service) -> None:
    await service.gate()
    signs, shows = await made(service, "rekognition"), await made(service)
    with_secret = await service.context.connections.by_key("rekognition", key(signs, "access_key_id"))
    without = await service.context.connections.by_key("compreface", key(shows))
    assert with_secret is not None
    assert without is not None
    assert with_secret.proves(with_secret.secret)
    for connection, wrong in ((with_secret, ""), (with_secret, with_secret.secret[:-1]), (with_secret, "\ud800")):
        assert not connection.proves(wrong)
    assert not without.proves("")


async def test_a_device_that_is_called_has_its_password_sealed_and_the_rest_beside(service: Service) -> None:
    await service.gate()
    connection = await made(service, "hikvision", device=READER)
    known = await service.context.connections.by_key("hikvision", key(connection, "path").rpartition("/")[2])
    assert known is not None
    assert known.device == READER
    assert known.secret == ""
    assert "a password" not in repr(await record(service, connection))


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.10", "https://192.0.2.10", "http://192.0.2.10/", "http://192.0.2.10:8080", "https://192.0.2.255:443/",
    ],
)  # fmt: skip
async def test_a_device_in_an_allowed_network_can_be_called(service: Service, url: str) -> None:
    await service.gate()
    known = await _opened(service, await made(service, "hikvision", device=READER._replace(url=url)))
    assert known.device.url == url.removesuffix("/")


async def _opened(service: Service, connection: NewConnection) -> Connection:
    known = await service.context.connections.by_key("hikvision", key(connection, "path").rpartition("/")[2])
    assert known is not None
    return known


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.3.1", "http://127.0.0.1", "http://[::1]", "http://[::ffff:192.0.2.10]", "http://localhost",
        "http://reader.example.com", "http://192.0.2.10.example.com", "http://192.0.2.10@127.0.0.1", "http://a:b@192.0.2.10",
        "http://@192.0.2.10", "http://192.0.2.10:0", "http://192.0.2.10:99999", "http://192.0.2.10:x", "http://192.0.2.10:\uff18\uff10",
        "http://192.0.2.10/path", "http://192.0.2.10//", "http://192.0.2.10?a", "http://192.0.2.10/?", "http://192.0.2.10#a",
        "http://192.0.2.10#", "http://192.0.2.10\n", " http://192.0.2.10", "http://192.0.2.10\\@127.0.0.1",
        "ftp://192.0.2.10", "file:///etc/passwd", "192.0.2.10", "//192.0.2.10", "http://", "http:///", "http://[", "http://[192.0.2.10]",
        "http://192.0.2.10:", "http://[::1].evil.com", "http://evil.com[::1]", "http://[::1]x:80", "http://[::1%25lo]",
        "http://0xc0.0.2.10", "http://3221225994", "http://192.0.2.010", "http://192.000.002.010", "http://\u0661\u0669\u0662.0.2.10", "x",
    ],
)  # fmt: skip
async def test_no_other_address_is_called(service: Service, url: str) -> None:
    await service.gate()
    before = stored(service)
    with pytest.raises(Invalid) as refused:
        await made(service, "hikvision", device=READER._replace(url=url))
    assert refused.value.field == "device.url"
    assert stored(service) == before


async def test_no_other_address_is_called_where_the_operator_allows_loopback(service: Service) -> None:
    await service.gate()
    app, asking = allowing(service, "::1/128"), await caller(service)
    for url in ("http://[::1].evil.com", "http://evil.com[::1]", "http://[::1]x:80", "http://x[::1]"):
        wish = ConnectionWish("main-door", None, None, READER._replace(url=url))
        with pytest.raises(Invalid):
            await create_connection(app, asking, DIALECTS["hikvision"].kind, wish, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a\r\nX: y"), ("username", "a\tb"), ("username", "a\x7f"), ("username", "\u00e9"),
        ("username", 'a"b'), ("username", "a\\"), ("password", "a\r\n"), ("password", "\x85"), ("password", "\x1b"),
    ],
)  # fmt: skip
async def test_what_a_device_cannot_be_told_is_no_name_or_password(service: Service, field: str, value: str) -> None:
    await service.gate()
    before = stored(service)
    with pytest.raises(Invalid) as refused:
        await made(service, "hikvision", device=READER._replace(**{field: value}))
    assert refused.value.field == f"device.{field}"
    assert stored(service) == before


async def test_a_password_may_have_any_letters(service: Service) -> None:
    await service.gate()
    device = READER._replace(username="gate keeper's", password='p\u00e4ss "w\\rd')
    assert (await _opened(service, await made(service, "hikvision", device=device))).device == device


async def test_a_device_has_what_its_kind_needs_and_no_more(service: Service) -> None:
    await service.gate()
    for kind, device in (
        ("hikvision", Device()),
        ("hikvision", READER._replace(password=None)),
        ("hikvision", READER._replace(username=None)),
        ("hikvision", Device(serial="A", username="admin", password="x")),
        ("fcard", READER),
        ("fcard", Device(password="x")),
        ("compreface", Device(username="x")),
        ("fcard", Device(output="door")),
        ("controlid", Device(output="window")),
    ):
        with pytest.raises(Invalid) as refused:
            await made(service, kind, device=device)
        assert refused.value.field.startswith("device")
    wish = ConnectionWish("main-door", None, None, READER)
    with pytest.raises(Invalid, match="has not allowed devices"):
        await create_connection(service.context, await caller(service), DIALECTS["hikvision"].kind, wish, None)
