"""The roof: what the operator has to mend first is said in a sentence, and secrets at rest are sealed."""

import asyncio
import dataclasses
import hashlib
import ipaddress
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import select
from typer.testing import CliRunner, Result

from app.cli import cli
from app.effects.entropy import SystemEntropy
from app.effects.sealing import MasterKey
from app.faces.dialects import DIALECTS
from app.services.connected import Device
from app.services.connections import ConnectionWish, create_connection
from app.services.context import Network
from app.services.idempotency import Retry
from app.services.keychain import pepper_place, rewrap, signing_key_place
from app.services.keys import rotate
from app.settings import Settings
from app.storage.migrate import migrate
from app.storage.tables import connections, peppers, signing_keys
from app.wiring import CannotStart, find_master_key, network_of, open_database, prepare_database, running
from tests.conftest import MASTER_KEY, make_settings
from tests.postgres import PostgresServer
from tests.service import Service, running_service
from tests.storage.conftest import opened

OTHER_KEY = "3c" * 32
PASSWORD = "Password-of-a-device-5d1c"


def gatepass(*arguments: str, url: str, **environment: str) -> Result:
    """The command line, in this process."""
    ours = {"GATEPASS_DATABASE_URL": url, "GATEPASS_MASTER_KEY": MASTER_KEY, **environment}
    return CliRunner().invoke(cli, arguments, env=ours)


async def start(settings: Settings) -> None:
    async with running(settings):
        pass


async def test_another_master_key_is_refused_with_a_word_on_what_to_do(service: Service, database_url: str) -> None:
    settings = make_settings(database_url, master_key=OTHER_KEY)
    with pytest.raises(CannotStart, match=r"not the master key that the database was sealed under.*master-key rotate"):
        await start(settings)
    await start(make_settings(database_url))


def test_the_command_line_says_it_too(database_url: str) -> None:
    assert gatepass("init", url=database_url).exit_code == 0
    refused = gatepass("keys", "list", url=database_url, GATEPASS_MASTER_KEY=OTHER_KEY)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("gatepass: This is not the master key")
    assert OTHER_KEY not in refused.output


def test_the_master_key_is_rotated_and_the_old_one_refused(database_url: str, tmp_path: Path) -> None:
    assert gatepass("init", url=database_url).exit_code == 0
    before = gatepass("keys", "list", "--json", url=database_url).stdout
    with opened(database_url) as database:
        old = database.column(select(signing_keys.c.sealed)) + database.column(select(peppers.c.sealed))
    new_file = tmp_path / "new-master-key"
    rotated = gatepass("master-key", "rotate", str(new_file), url=database_url)
    assert rotated.exit_code == 0, rotated.output
    assert f"GATEPASS_MASTER_KEY_FILE={new_file}" in rotated.stdout
    assert stat.S_IMODE(new_file.stat().st_mode) == 0o600
    refused = gatepass("keys", "list", url=database_url)
    assert (refused.exit_code, "not the master key" in refused.stderr) == (1, True)
    new_key = new_file.read_text("ascii").strip()
    after = gatepass("keys", "list", "--json", url=database_url, GATEPASS_MASTER_KEY=new_key)
    assert (after.exit_code, after.stdout) == (0, before)
    with opened(database_url) as database:
        new = database.column(select(signing_keys.c.sealed)) + database.column(select(peppers.c.sealed))
    assert len(new) == len(old) == 2
    assert not set(new) & set(old)


async def test_tokens_outlive_a_rotation_of_the_master_key(database_url: str, tmp_path: Path) -> None:
    async with running_service(make_settings(database_url)) as service:
        await service.gate()
        pass_ = await service.pass_()
        texts = [(await service.token(pass_, kind))["token"] for kind in ("signed", "short", "code")]
        shown = [await connected(service, kind) for kind in ("compreface", "rekognition", "hikvision")]
        before = await opened_again(service, shown)
        old, new = service.context.master_key, MasterKey(bytes.fromhex(OTHER_KEY))
        await service.context.store.write(lambda tx: rewrap(tx, old, new, SystemEntropy()))
    async with running_service(make_settings(database_url, master_key=OTHER_KEY), key=service.key) as again:
        for text in texts:
            assert (await again.verify(text))["decision"] == "admit"
        assert await opened_again(again, shown) == before
    assert before == [("", None), (shown[1]["secret_access_key"], None), ("", PASSWORD)]
    with opened(database_url) as database:
        sealed = [each for each in database.column(select(connections.c.sealed)) if each is not None]
        assert len(sealed) == 2
        for each in sealed:
            assert MasterKey(bytes.fromhex(OTHER_KEY)).id in each
            assert MasterKey(bytes.fromhex(MASTER_KEY)).id not in each


async def connected(service: Service, kind: str) -> dict[str, str]:
    """The credentials of a new connection, with its kind."""
    app = dataclasses.replace(service.context, network=Network(devices=(ipaddress.ip_network("192.0.2.0/24"),)))
    caller = await app.credentials.authenticate(service.key)
    assert caller is not None
    called = DIALECTS[kind].kind.calls_device
    device = Device(url="http://192.0.2.10", username="admin", password=PASSWORD) if called else Device()
    retry = Retry(kind, hashlib.sha256(PASSWORD.encode()).digest())
    wish = ConnectionWish("main-door", None, None, device)
    made = await create_connection(app, caller, DIALECTS[kind].kind, wish, retry)
    return {"kind": kind, **(made.credentials or {})}


async def opened_again(service: Service, shown: list[dict[str, str]]) -> list[tuple[str, str | None]]:
    """The secret and the device's password of each connection, as a request finds them."""
    found = []
    for each in shown:
        key = each.get("api_key") or each.get("access_key_id") or each["path"].rpartition("/")[2]
        connection = await service.context.connections.by_key(each["kind"], key)
        assert connection is not None
        found.append((connection.secret, connection.device.password))
    return found


async def test_a_secret_moved_to_another_row_is_refused(service: Service, database_url: str) -> None:
    await rotate(service.context)
    with opened(database_url) as database:
        one, other = database.rows(select(signing_keys.c.kid, signing_keys.c.sealed))
        for (kid, _), (_, sealed) in ((one, other), (other, one)):
            database.execute(signing_keys.update().where(signing_keys.c.kid == kid).values(sealed=sealed))
    with pytest.raises(CannotStart):
        await start(make_settings(database_url))


async def test_no_secret_can_be_read_from_the_database(
    service: Service, database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    await service.gate()
    pass_ = await service.pass_()
    issued = [await service.token(pass_, kind) for kind in ("signed", "short", "code")]
    issued.append(await service.token(pass_, "short", reusable=True, picture="png"))
    kiosk = await service.api_key("verifications:create", gate="main-door")
    clients = [await connected(service, kind) for kind in DIALECTS]
    for token in issued:
        await service.verify(token["token"], request_id=token["id"])
        await service.verify(token["token"])
    await service.verify("an unrecognised text that somebody showed", request_id="r-1")

    with opened(database_url) as database:
        key = MasterKey(bytes.fromhex(MASTER_KEY))
        [(kid, sealed_key)] = database.rows(select(signing_keys.c.kid, signing_keys.c.sealed))
        [(version, sealed_pepper)] = database.rows(select(peppers.c.version, peppers.c.sealed))
        searched = stored_bytes(database_url, request, tmp_path)
    secrets = {
        "master key": bytes.fromhex(MASTER_KEY),
        "private key": key.open(sealed_key, signing_key_place(kid)),
        "pepper": key.open(sealed_pepper, pepper_place(version)),
        "admin key": service.key.encode(),
        "random part of the admin key": service.key.rsplit("_", 1)[1][:27].encode(),
        "gate key": kiosk.encode(),
        "unrecognised text": b"that somebody showed",
        "password of a device": PASSWORD.encode(),
        "plain hash of that password": hashlib.sha256(PASSWORD.encode()).digest(),
    }
    for client in clients:
        kind = client.pop("kind")
        shown = {
            name: value.rpartition("/")[2] for name, value in client.items() if value != DIALECTS[kind].kind.collection
        }
        secrets |= {f"{name} of {kind}": value.encode() for name, value in shown.items()}
    for n, token in enumerate(issued):
        secrets[f"text {n}"] = token["token"].encode()
        secrets[f"middle of text {n}"] = token["token"][4:][:20].encode()
    secrets["digits of the code"] = issued[2]["token"][-8:].encode()
    assert b"main-door" in searched
    assert pass_["holder"].encode() in searched
    for name, secret in secrets.items():
        for spelling in (secret, secret.hex().encode()):
            assert spelling not in searched, f"the {name} can be read"


def stored_bytes(url: str, request: pytest.FixtureRequest, folder: Path) -> bytes:
    """All that the database holds: its files, or its dump."""
    if url.startswith("sqlite"):
        return b"".join(path.read_bytes() for path in folder.glob("gatepass.db*") if "master-key" not in path.name)
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    name = sqlalchemy.make_url(url).database or ""
    dump = subprocess.run(
        [server.bin / "pg_dump", "--inserts", "-d", server.conninfo(name)], check=True, capture_output=True
    )
    return dump.stdout


def test_more_workers_on_sqlite_are_refused_with_a_word_on_postgresql(sqlite_url: str) -> None:
    refused = gatepass("serve", "--workers", "2", url=sqlite_url)
    assert refused.exit_code == 1
    assert refused.stderr == (
        "gatepass: SQLite has one writer, so one process serves. For more workers, use PostgreSQL.\n"
    )


@pytest.mark.parametrize("url", ["mysql://localhost/gatepass", "no url at all", ""])
def test_a_url_of_no_known_engine_is_refused(url: str) -> None:
    with pytest.raises(CannotStart, match="neither a sqlite:/// nor a postgresql:// URL"):
        open_database(make_settings(url))


def test_a_database_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    for url in (f"postgresql://gatepass@/gatepass?host={tmp_path}", f"sqlite:///{tmp_path}/no-such-folder/gatepass.db"):
        with pytest.raises(CannotStart, match="does not answer"):
            prepare_database(make_settings(url))


def test_beside_a_new_sqlite_database_a_master_key_is_made(tmp_path: Path) -> None:
    settings = Settings.model_validate({"database_url": f"sqlite:///{tmp_path / 'gatepass.db'}"})
    made = find_master_key(settings, SystemEntropy())
    path = tmp_path / "gatepass.db.master-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert find_master_key(settings, SystemEntropy()).id == made.id


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"database_url": "postgresql:///gatepass"}, "Set GATEPASS_MASTER_KEY or GATEPASS_MASTER_KEY_FILE"),
        ({"master_key": "too short"}, "64 hexadecimal digits"),
        ({"master_key_file": "no-such-file"}, "There is no file where GATEPASS_MASTER_KEY_FILE points"),
        ({"master_key_file": "."}, "cannot be read"),
    ],
)
def test_a_master_key_that_cannot_be_had_is_said_so(
    settings: dict[str, Any], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CannotStart, match=word) as refused:
        find_master_key(Settings.model_validate(settings), SystemEntropy())
    assert "too short" not in str(refused.value)


@pytest.fixture
def fresh_postgresql(postgresql_server: PostgresServer) -> Iterator[str]:
    postgresql_server.execute("CREATE DATABASE fresh")
    yield postgresql_server.url("fresh")
    postgresql_server.execute("DROP DATABASE fresh WITH (FORCE)")


def test_a_new_postgresql_needs_migrate_and_then_init(fresh_postgresql: str) -> None:
    refused = gatepass("init", "--json", url=fresh_postgresql)
    assert (refused.exit_code, "run `gatepass migrate` first" in refused.stderr) == (1, True)
    assert gatepass("migrate", url=fresh_postgresql).exit_code == 0
    made = gatepass("init", "--json", url=fresh_postgresql)
    assert made.exit_code == 0
    assert made.stdout.startswith('{"tenant": "default", "api_key": "gp_admin_')


async def test_two_that_start_at_once_make_one_set_of_secrets(fresh_postgresql: str) -> None:
    settings = make_settings(fresh_postgresql)
    database = open_database(settings)
    migrate(database)
    database.dispose()
    await asyncio.gather(*(start(settings) for _ in range(4)))
    with opened(fresh_postgresql) as opened_database:
        assert len(opened_database.rows(select(signing_keys.c.kid))) == 1
        assert len(opened_database.rows(select(peppers.c.version))) == 1
    await start(settings)


def test_what_the_operator_says_of_the_network_is_read() -> None:
    settings = make_settings(
        "sqlite://",
        public_url="https://gate.example.com",
        faces=" compreface=8801 , Rekognition=Faces.Example.COM,,vguang=192.0.2.1",
        public_hosts="gate.example.com, 192.0.2.1:8000",
        allowed_origins="https://kiosk.example.com",
        device_networks="192.0.2.0/24, 2001:db8::/32",
    )
    assert network_of(settings) == Network(
        public_url="https://gate.example.com",
        faces={"compreface": "8801", "rekognition": "faces.example.com", "vguang": "192.0.2.1"},
        hosts=("gate.example.com", "192.0.2.1:8000"),
        origins=frozenset({"https://kiosk.example.com"}),
        devices=(ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32")),
    )
    assert network_of(make_settings("sqlite://")) == Network()


@pytest.mark.parametrize(
    "faces",
    [
        "compreface", "compreface=", "=8801", "faces=8801", "compreface=8801,rekognition=8801", "compreface=8801,compreface=8802",
        "compreface=a.test,rekognition=A.TEST", "compreface=0", "compreface=08801", "compreface=-1", "compreface=123456",
        "compreface=\uff18\uff18\uff10\uff11", "compreface=a.test:8801", "compreface=http://a.test", "compreface=a b", "compreface=[::1]",
        "compreface=a/b", "compreface==8801", "compreface=.", "compreface 8801",
    ],
)  # fmt: skip
def test_an_address_that_a_dialect_cannot_have_to_itself_is_said_so(faces: str) -> None:
    with pytest.raises(CannotStart, match="GATEPASS_FACES and --face"):
        network_of(make_settings("sqlite://", faces=faces))


@pytest.mark.parametrize("networks", ["192.0.2.1/24", "reader.example.com", "192.0.2.0/33", "192.0.2.0 192.0.3.0"])
def test_a_network_that_is_none_is_said_so(networks: str) -> None:
    with pytest.raises(CannotStart, match="GATEPASS_DEVICE_NETWORKS"):
        network_of(make_settings("sqlite://", device_networks=networks))


async def test_one_connection_that_cannot_be_opened_keeps_no_key_from_being_read_again(
    sqlite_service: Service, sqlite_url: str
) -> None:
    service = sqlite_service
    await service.gate()
    client = await connected(service, "rekognition")
    connection = await service.context.connections.by_key("rekognition", client["access_key_id"])
    assert connection is not None
    with opened(sqlite_url) as database:
        database.execute(connections.update().values(sealed=b"nonsense"))
    new = await rotate(service.context, at_once=True)
    for _ in range(100):  # every second the keys are read again
        if service.context.keychain.signer().public == new.public:
            break
        await asyncio.sleep(0.05)
    assert service.context.keychain.signer().public == new.public
