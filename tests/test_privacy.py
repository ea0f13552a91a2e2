"""A picture is never written anywhere; and there is no place where one, or a face, could be kept."""

import io
import logging
import re
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import structlog
from PIL import Image

from app.logs import configure_logs
from app.storage.tables import metadata
from tests.conftest import make_settings
from tests.effects.frames import code
from tests.faces.http.pictures import WAYS, show
from tests.postgres import PostgresServer
from tests.service import Service, running_service

EXIF_CANARY = "Canary-in-the-EXIF-5d1c"
COMMENT_CANARY = b"Canary-in-a-comment-9b2e"
CANARIES = (EXIF_CANARY.encode(), COMMENT_CANARY)
SPELLINGS = (*CANARIES, *(b64encode(b"." * n + COMMENT_CANARY)[4:-4] for n in range(3)))
"""As they are, and in base64, however the comment falls into groups of three bytes."""
MEGABYTE = 1 << 20


def photo_with_canaries(text: str, *, padding: int = 0) -> bytes:
    """A JPEG of a code with a canary in its EXIF, one in a comment, and as many comments more as make it large."""
    exif = Image.Exif()
    exif[0x010E] = EXIF_CANARY
    out = io.BytesIO()
    code(text).convert("RGB").save(out, "JPEG", quality=90, exif=exif, comment=COMMENT_CANARY)
    picture = out.getvalue()
    segment = (COMMENT_CANARY * 3000)[:60_000]
    comments = (b"\xff\xfe" + (len(segment) + 2).to_bytes(2, "big") + segment) * (padding // 60_000 + bool(padding))
    return picture[:2] + comments + picture[2:]


class _Opened:
    """What this process opens while it is watched. An audit hook stays for good, so there is one."""

    def __init__(self) -> None:
        self.watched: list[tuple[str, Any]] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: Any) -> None:
        if self.watched is not None and (event == "open" or event.startswith("tempfile.")):
            self.watched.append((event, arguments))

    @contextmanager
    def __call__(self) -> Iterator[list[tuple[str, Any]]]:
        heard = self.watched = []
        try:
            yield heard
        finally:
            self.watched = None


opened = _Opened()


@pytest.fixture
async def watched(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> AsyncIterator[Service]:
    """A service on each engine whose temporary and working folders, and whose log, can be looked through."""
    for name in ("tmp", "work"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "looked-at").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "work")
    root = logging.getLogger()
    handlers, level, before = root.handlers, root.level, structlog.get_config()
    configure_logs()
    root.setLevel(logging.DEBUG)
    try:
        async with running_service(make_settings(database_url)) as service:
            await service.context.pictures.warm_up()
            await service.gate()
            yield service
    finally:
        logging.captureWarnings(False)
        structlog.configure(**before)
        root.handlers = handlers
        root.setLevel(level)


@pytest.mark.parametrize("padding", [0, 2 * MEGABYTE], ids=["small", "over a megabyte"])
async def test_a_picture_is_in_no_file_no_table_and_no_log(
    watched: Service,
    padding: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for way in WAYS:
        token = await watched.token(await watched.pass_(), "short")
        picture = photo_with_canaries(token["token"], padding=padding)
        assert all(canary in picture for canary in CANARIES)
        capfd.readouterr()  # what was logged while the picture was drawn
        with opened() as heard:
            admitted = await show(watched, picture, way)
            refused = [
                await show(watched, picture, way),
                await show(watched, picture[: len(picture) // 2], way),
                await show(watched, picture, way, gate="nowhere"),
                await show(watched, picture, way, Canary="Canary"),
            ]
        assert admitted.json()["decision"] == "admit"
        assert [answer.status_code for answer in refused] == [200, 422, 404, 422]
        assert [event for event in heard if not _is_harmless(event, tmp_path)] == []
        for answer in (admitted, *refused):
            assert not any(canary in answer.content for canary in CANARIES)
        out, err = capfd.readouterr()
        assert not any(canary.decode() in out + err for canary in CANARIES)
    _assert_in_no_table(watched)
    _assert_in_no_file(tmp_path)
    if "postgresql" in request.node.name:
        server: PostgresServer = request.getfixturevalue("postgresql_server")
        _assert_in_no_file(server.folder / "data")
        _assert_in_no_file(server.folder / "log")


@pytest.fixture
def _blind(watched: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing decodes a picture."""

    async def look(*_: object, **__: object) -> None:
        raise AssertionError("the picture was looked at")

    for decoder in ("read", "codes"):
        monkeypatch.setattr(type(watched.context.pictures), decoder, look)
    monkeypatch.setattr("app.faces.fields.from_base64", look)


@pytest.mark.usefixtures("_blind")
@pytest.mark.parametrize("padding", [0, 2 * MEGABYTE], ids=["small", "over a megabyte"])
async def test_a_face_that_a_client_enrols_is_never_looked_at_and_is_in_no_file_no_table_and_no_log(
    watched: Service,
    padding: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = await watched.create("/v1/connections", kind="compreface", gate="main-door")
    faces = {"url": "/api/v1/recognition/faces", "headers": {"x-api-key": made["credentials"]["api_key"]}}
    token = await watched.token(await watched.pass_(), "short")
    photo = photo_with_canaries(token["token"], padding=padding)
    in_base64 = {"file": "data:image/jpeg;base64," + b64encode(photo).decode()}
    assert any(spelling.decode() in in_base64["file"] for spelling in SPELLINGS)
    capfd.readouterr()
    with opened() as heard:
        answers = [
            await watched.http.post(**faces, params={"subject": "emp-1"}, files={"file": ("a.jpg", photo)}),
            await watched.http.post(**faces, params={"subject": "emp-1"}, json=in_base64),
            await watched.http.post(**faces, params={"subject": "a\nb"}, files={"file": ("a.jpg", photo)}),
            await watched.http.post(**faces, params={"subject": "emp-2"}, files={"file": ("a.jpg", b"no picture")}),
        ]
        missing = await watched.http.post(**faces, params={"subject": "emp-3"}, data={"file": ""})
    assert [answer.status_code for answer in (*answers, missing)] == [201, 201, 400, 201, 400]
    assert [event for event in heard if not _is_harmless(event, tmp_path)] == []
    counted = (await watched.http.get("/metrics")).text
    assert 'gatepass_face_fields_discarded_total{kind="compreface"} 4.0' in counted.splitlines()
    out, err = capfd.readouterr()
    for text in (out, err, *(answer.text for answer in answers)):
        assert not any(canary.decode() in text for canary in SPELLINGS)
    _assert_in_no_table(watched)
    _assert_in_no_file(tmp_path)
    if "postgresql" in request.node.name:
        server: PostgresServer = request.getfixturevalue("postgresql_server")
        _assert_in_no_file(server.folder / "data")
    assert (await watched.verify(token["token"]))["decision"] == "admit"


def _is_harmless(event: tuple[str, Any], folder: Path) -> bool:
    """Whether what was opened is no file for writing, and none in the folders that are looked through."""
    kind, arguments = event
    if kind != "open":
        return False
    path, mode, flags = arguments
    if isinstance(path, int):
        return True  # a pipe that was open already
    writes = (mode is not None and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 0b11)
    return not writes and not str(path).startswith(str(folder)) and not str(path).startswith(tempfile.gettempdir())


def _assert_in_no_table(service: Service) -> None:
    database: sqlalchemy.Engine = service.context.store._database  # type: ignore[attr-defined]
    with database.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sqlalchemy.select(table)):
                for value in row:
                    assert not any(canary in _bytes(value) for canary in SPELLINGS), table.name


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _assert_in_no_file(place: Path) -> None:
    looked_at = 0
    for path in [place] if place.is_file() else place.rglob("*"):
        if path.is_file():
            looked_at += 1
            data = path.read_bytes()
            assert not any(canary in data for canary in SPELLINGS), path
    assert looked_at


def test_the_search_finds_what_it_searches(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"..." + COMMENT_CANARY)
    with pytest.raises(AssertionError):
        _assert_in_no_file(tmp_path)
    with opened() as heard, tempfile.TemporaryFile(dir=tmp_path):
        pass
    assert [event for event in heard if not _is_harmless(event, tmp_path)]


FACE_WORDS = re.compile(
    r"template|photo|face|embedding|picture|image|biometric|feature|vector|thumb|avatar|portrait|blob", re.IGNORECASE
)

BINARY = {
    "service.value": "the sealed proof of the master key",
    "signing_keys.kid": "4 bytes",
    "signing_keys.public": "32 bytes",
    "signing_keys.sealed": "a sealed private key",
    "peppers.sealed": "a sealed pepper",
    "tenants.idx_drawn": "4,096 bits",
    "holders.id": "a UUIDv7",
    "holders.live_code": "a token's id",
    "passes.id": "a UUIDv7",
    "passes.holder": "a holder's id",
    "tokens.id": "a UUIDv7",
    "tokens.pass": "a pass's id",
    "tokens.lookup": "a keyed hash",
    "tokens.kid": "4 bytes",
    "connections.id": "a UUIDv7",
    "connections.lookup": "a hash",
    "connections.serial_lookup": "a hash",
    "connections.sealed": "a sealed secret, or a sealed password of a device",
    "collections.connection": "a connection's id",
    "subjects.connection": "a connection's id",
    "subjects.holder": "a holder's id",
    "subjects.pass": "a pass's id",
    "enrolments.connection": "a connection's id",
    "enrolments.id": "a UUIDv7, or as many bytes that a client was told before",
    "enrolments.holder": "a holder's id",
    "credentials.id": "a UUIDv7",
    "credentials.holder": "a holder's id",
    "credentials.lookup": "a keyed hash",
    "redemptions.token": "a token's id",
    "redemptions.verification": "a verification's id",
    "redemptions.credential": "a key's id",
    "verifications.id": "a UUIDv7",
    "verifications.token": "a token's id",
    "verifications.pass": "a pass's id",
    "verifications.holder": "a holder's id",
    "verifications.credential": "a key's id",
    "request_ids.credential": "a key's id",
    "request_ids.verification": "a verification's id",
    "request_ids.content": "a keyed hash",
    "conflicts.id": "a UUIDv7",
    "conflicts.verification": "a verification's id",
    "conflicts.other": "a verification's id",
    "conflicts.subject": "the id of a token, a pass or a verification",
    "undos.verification": "a verification's id",
    "undos.credential": "a key's id",
    "presences.holder": "a holder's id",
    "reservations.holder": "a holder's id",
    "reservations.token": "a token's id",
    "audit_events.id": "a UUIDv7",
    "audit_events.credential": "a key's id",
    "audit_events.holder": "a holder's id",
    "audit_events.subject": "a token's or credential's id",
    "api_keys.id": "a UUIDv7",
    "api_keys.root": "a key's or a device's id",
    "api_keys.hash": "a hash",
    "api_keys.device": "a device's id",
    "devices.id": "a UUIDv7",
    "devices.setup": "a hash",
    "idempotency_keys.credential": "a key's id",
    "idempotency_keys.content": "a hash",
}
"""Every column that can hold bytes, and what it holds. A new one is to be added here by somebody who thought of it."""


async def test_no_table_has_a_place_for_a_picture_or_a_face(service: Service) -> None:
    database: sqlalchemy.Engine = service.context.store._database  # type: ignore[attr-defined]
    inspector = sqlalchemy.inspect(database)
    binary = set()
    for table in inspector.get_table_names():
        assert not FACE_WORDS.search(table)
        for column in inspector.get_columns(table):
            assert not FACE_WORDS.search(column["name"]), (table, column["name"])
            if isinstance(column["type"], sqlalchemy.LargeBinary):
                binary.add(f"{table}.{column['name']}")
    assert binary == set(BINARY)


async def test_what_is_stored_in_bytes_is_short(service: Service) -> None:
    await service.gate()
    token = await service.token(await service.pass_(), "code")
    await service.verify(token["token"], request_id="r-1")
    for kind in ("compreface", "rekognition", "zkteco"):
        await service.create("/v1/connections", kind=kind, gate="main-door")
    database: sqlalchemy.Engine = service.context.store._database  # type: ignore[attr-defined]
    with database.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sqlalchemy.select(table)):
                assert all(len(value) <= 512 for value in row if isinstance(value, bytes)), table.name
