"""https: `gatepass serve` with a certificate, and `gatepass tls`, which makes one."""

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner, Result

from app.cli import cli
from app.effects.local_ca import certify, hosts_of, make_authority, make_key, read_host
from app.effects.local_ca_folder import LocalCaFolder
from app.serving import tls_of
from app.settings import Settings
from app.wiring import CannotStart
from tests.conftest import make_settings
from tests.services.serving import Served, free_port, served

ROOT = Path(__file__).resolve().parents[1]
HOSTS = ("localhost", "127.0.0.1")
NOW = datetime.now(UTC)


def gatepass(*arguments: str) -> Result:
    """The command line, in this process."""
    return CliRunner().invoke(cli, arguments)


def tls_init(folder: Path, hosts: Sequence[str] = HOSTS) -> dict[str, Any]:
    done = gatepass("tls", "init", *(f"--host={host}" for host in hosts), f"--folder={folder}", "--json")
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def options(folder: Path) -> tuple[str, ...]:
    return (f"--tls-cert={folder}/server.crt", f"--tls-key={folder}/server.key")


def trust(folder: Path) -> ssl.SSLContext:
    """What a tablet trusts once the authority of that folder is on it, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca.crt")
    return context


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """A folder with an authority and the certificate of a service on this machine."""
    tls_init(tmp_path / "tls")
    return tmp_path / "tls"


def port_of(serving: Served) -> int:
    return httpx.URL(serving.url).port or 0


# Serving


def test_the_service_is_reached_by_its_name_and_its_address(sqlite_url: str, tmp_path: Path, tls: Path) -> None:
    with served(sqlite_url, tmp_path, options=options(tls), trust=trust(tls)) as serving:
        for host in HOSTS:
            answer = httpx.get(f"https://{host}:{port_of(serving)}/healthz", verify=trust(tls))
            assert answer.json() == {"status": "ok"}
            assert "strict-transport-security" not in answer.headers
    assert (tmp_path / "serve.log").read_text() == ""


def test_who_trusts_another_authority_does_not_reach_it(sqlite_url: str, tmp_path: Path, tls: Path) -> None:
    other = tmp_path / "other"
    tls_init(other)
    with served(sqlite_url, tmp_path, options=options(tls), trust=trust(tls)) as serving:
        for context in (trust(other), ssl.create_default_context()):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                httpx.get(f"{serving.url}/healthz", verify=context)


def test_plain_http_to_its_port_gets_no_answer_and_harms_nobody(sqlite_url: str, tmp_path: Path, tls: Path) -> None:
    with served(sqlite_url, tmp_path, options=options(tls), trust=trust(tls)) as serving:
        started = time.monotonic()
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port_of(serving)}/healthz", timeout=5)
        assert time.monotonic() - started < 2
        assert httpx.get(f"{serving.url}/healthz", verify=trust(tls)).status_code == 200
    assert (tmp_path / "serve.log").read_text() == ""


def test_a_tablet_that_sleeps_does_not_hold_up_a_stop(sqlite_url: str, tmp_path: Path, tls: Path) -> None:
    with (
        served(sqlite_url, tmp_path, options=options(tls), trust=trust(tls)) as serving,
        connected(serving, tls) as asleep,
    ):
        asleep.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert asleep.recv(15) == b"HTTP/1.1 200 OK"
        started = time.monotonic()
        serving.stop()
        assert time.monotonic() - started < 5
    assert (tmp_path / "serve.log").read_text() == ""


def test_a_port_that_a_dialect_has_to_itself_stays_plain(sqlite_url: str, tmp_path: Path, tls: Path) -> None:
    port = free_port()
    faces = ("--face", f"compreface={port}")
    with served(sqlite_url, tmp_path, options=(*options(tls), *faces), trust=trust(tls)) as serving:
        own = httpx.get(f"http://127.0.0.1:{port}/api/v1/recognition/subjects")
        assert own.json() == {"message": "Missing header: x-api-key", "code": 20}
        by_its_look = httpx.get(f"{serving.url}/api/v1/recognition/subjects", verify=trust(tls))
        assert by_its_look.json() == own.json()
        with pytest.raises(httpx.ConnectError, match="SSL"):
            httpx.get(f"https://127.0.0.1:{port}/", verify=trust(tls))
        serving.stop()
        assert serving.process.returncode == -signal.SIGTERM  # by itself, and not killed


def test_a_connection_is_told_the_plain_address_of_its_kinds_own_port(
    sqlite_url: str, tmp_path: Path, tls: Path
) -> None:
    port, key = free_port(), first_key(sqlite_url)
    faces = ("--face", f"compreface={port}", "--face", "deepstack=faces.example.lan")
    with served(sqlite_url, tmp_path, options=(*options(tls), *faces), trust=trust(tls)) as serving:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=serving.url, headers=headers, verify=trust(tls)) as client:
            assert client.post("/v1/gates", json={"id": "door", "name": "Door"}).status_code == 201
            addresses = {
                kind: client.post("/v1/connections", json={"kind": kind, "gate": "door"}).json()["base_url"]
                for kind in ("compreface", "deepstack", "baidu")
            }
    assert addresses == {
        "compreface": f"http://127.0.0.1:{port}",
        "deepstack": f"https://faces.example.lan:{port_of(serving)}",
        "baidu": serving.url,
    }


def test_every_worker_speaks_tls_and_takes_a_renewed_certificate_on_sighup(
    postgresql_url: str, tmp_path: Path, tls: Path
) -> None:
    port = free_port()
    settings = {"GATEPASS_TLS_CERT": f"{tls}/server.crt", "GATEPASS_TLS_KEY": f"{tls}/server.key"}
    face = f"compreface={port}"
    with served(postgresql_url, tmp_path, workers=2, trust=trust(tls), GATEPASS_FACES=face, **settings) as serving:
        before = {shown_serial(serving, tls) for _ in range(20)}
        plain = {httpx.get(f"http://127.0.0.1:{port}/").json()["code"] for _ in range(20)}
        assert gatepass("tls", "renew", f"--folder={tls}").exit_code == 0
        renewed = LocalCaFolder(tls).server_certificate()
        assert renewed is not None
        serving.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        shown = before
        while shown != {renewed.serial_number}:
            assert time.monotonic() < deadline
            with suppress(ConnectionError):  # one that a worker was about to take when it went
                shown = {shown_serial(serving, tls) for _ in range(20)}
            time.sleep(0.2)
    assert len(before) == 1
    assert plain == {20}
    assert renewed.serial_number not in before


@contextmanager
def connected(serving: Served, tls: Path) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", port_of(serving)), timeout=10) as connection,
        trust(tls).wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        yield secured


def shown_serial(serving: Served, tls: Path) -> int:
    """The serial number of the certificate that a new connection is shown."""
    with connected(serving, tls) as connection:
        certificate = connection.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate).serial_number


@pytest.mark.parametrize("secured", [False, True])
def test_the_images_health_check_follows_the_setting(
    sqlite_url: str, tmp_path: Path, tls: Path, *, secured: bool
) -> None:
    (command,) = re.findall(r"^HEALTHCHECK .* CMD (.*)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    _, *arguments = json.loads(command)
    settings = {"GATEPASS_TLS_CERT": f"{tls}/server.crt", "GATEPASS_TLS_KEY": f"{tls}/server.key"} if secured else {}
    with served(sqlite_url, tmp_path, trust=trust(tls) if secured else None, **settings) as serving:
        check = [sys.executable, *(argument.replace("8000", str(port_of(serving))) for argument in arguments)]
        assert subprocess.run(check, env=settings, check=False, timeout=20).returncode == 0
    assert subprocess.run(check, env=settings, check=False, timeout=20, capture_output=True).returncode == 1


def first_key(database_url: str) -> str:
    done = CliRunner().invoke(
        cli, ["init", "--json"], env={"GATEPASS_DATABASE_URL": database_url, "GATEPASS_MASTER_KEY": "7f" * 32}
    )
    key: str = json.loads(done.stdout)["api_key"]
    return key


# What cannot be served with


def settings_of(tls: Path) -> Settings:
    return make_settings("sqlite://", tls_cert=tls / "server.crt", tls_key=tls / "server.key")


def certified(tls: Path, at: datetime) -> None:
    """A certificate in that folder which was made at another time."""
    folder, hosts = LocalCaFolder(tls), [read_host(host) for host in HOSTS]
    key = folder.server_key()
    assert key is not None
    folder.keep_server_certificate(certify(make_authority(hosts, at), hosts, key.public_key(), at))


def test_a_certificate_without_its_key_is_refused_and_neither_is_plain_http(tls: Path) -> None:
    assert tls_of(make_settings("sqlite://")) is None
    for name in ("tls_cert", "tls_key"):
        with pytest.raises(CannotStart, match="go together: give --tls-cert and --tls-key, or neither"):
            tls_of(make_settings("sqlite://", **{name: tls / "server.crt"}))


def test_the_command_says_it_in_one_sentence(sqlite_url: str, tls: Path) -> None:
    environment = {"GATEPASS_DATABASE_URL": sqlite_url, "GATEPASS_TLS_KEY": "", "GATEPASS_TLS_CERT": ""}
    done = CliRunner().invoke(
        cli, ["serve", f"--tls-cert={tls}/server.crt", f"--tls-key={tls}/ca.key"], env=environment
    )
    assert done.exit_code == 1
    assert done.stderr == (
        "gatepass: The certificate and the key do not belong together. "
        "In a file of several certificates the server's own is first.\n"
    )


def test_a_file_that_is_not_there_or_cannot_be_read_is_refused(tls: Path) -> None:
    for name, noun in (("server.crt", "certificate"), ("server.key", "key")):
        kept = (tls / name).read_bytes()
        (tls / name).unlink()
        with pytest.raises(CannotStart, match=f"There is no file where the {noun} should be"):
            tls_of(settings_of(tls))
        (tls / name).mkdir()
        with pytest.raises(CannotStart, match=f"The {noun}'s file cannot be read: Is a directory"):
            tls_of(settings_of(tls))
        (tls / name).rmdir()
        (tls / name).write_bytes(kept)
    assert tls_of(settings_of(tls)) is not None


def test_a_file_of_another_form_is_refused(tls: Path) -> None:
    certificate, key = (tls / "server.crt").read_bytes(), (tls / "server.key").read_bytes()
    for other in ((tls / "ca.cer").read_bytes(), key, b""):
        (tls / "server.crt").write_bytes(other)
        with pytest.raises(CannotStart, match="no certificate in PEM form"):
            tls_of(settings_of(tls))
    (tls / "server.crt").write_bytes(certificate)
    for other in (certificate, b""):
        (tls / "server.key").write_bytes(other)
        with pytest.raises(CannotStart, match="no key in PEM form"):
            tls_of(settings_of(tls))
    (tls / "server.key").write_bytes(
        make_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.raises(CannotStart, match="The key is encrypted"):
        tls_of(settings_of(tls))


def test_a_chain_is_taken_with_the_servers_own_certificate_first(tls: Path) -> None:
    own, authority = ((tls / name).read_bytes() for name in ("server.crt", "ca.crt"))
    (tls / "server.crt").write_bytes(own + authority)
    assert tls_of(settings_of(tls)) is not None
    (tls / "server.crt").write_bytes(authority + own)
    with pytest.raises(CannotStart, match="the server's own is first"):
        tls_of(settings_of(tls))


def test_a_certificate_that_is_not_good_now_is_refused(tls: Path) -> None:
    certified(tls, NOW - timedelta(days=396, minutes=1))
    with pytest.raises(CannotStart, match=r"The certificate expired on 20.*`gatepass tls renew`"):
        tls_of(settings_of(tls))
    certified(tls, NOW + timedelta(days=2))
    with pytest.raises(CannotStart, match=r"not good before 20.*Is this machine's clock right\?"):
        tls_of(settings_of(tls))


def test_one_that_expires_soon_is_served_with_and_logged(tls: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        certified(tls, NOW - timedelta(days=365))
        assert tls_of(settings_of(tls)) is not None
        assert logs == []
        certified(tls, NOW - timedelta(days=367))
        assert tls_of(settings_of(tls)) is not None
    assert logs == [{"event": "certificate_expires_soon", "days": 28, "log_level": "warning"}]


# `gatepass tls`


def test_a_second_init_keeps_the_authority_and_the_key(tmp_path: Path) -> None:
    first = tls_init(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    second = tls_init(tmp_path, HOSTS[:1])
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"server.crt"}
    assert (first["authority"].pop("made"), second["authority"].pop("made")) == (True, False)
    assert first["authority"] == second["authority"]
    assert (first["hosts"], second["hosts"]) == (["localhost", "127.0.0.1"], ["localhost"])


def test_renew_signs_for_the_same_hosts_with_the_same_authority(tls: Path) -> None:
    folder = LocalCaFolder(tls)
    before, authority = folder.server_certificate(), (tls / "ca.crt").read_bytes()
    assert gatepass("tls", "renew", f"--folder={tls}").exit_code == 0
    after = folder.server_certificate()
    assert before is not None
    assert after is not None
    assert hosts_of(after) == hosts_of(before)
    assert after.public_key() == before.public_key()
    assert after.serial_number != before.serial_number
    assert (tls / "ca.crt").read_bytes() == authority


def test_init_says_in_words_what_to_do_next(tmp_path: Path) -> None:
    done = gatepass("tls", "init", "--host=2001:db8::10", "--host=gate.example.lan", f"--folder={tmp_path}")
    assert f"{tmp_path}/ca.crt is a new authority" in done.stdout
    assert "It may speak for 2001:db8::10, gate.example.lan and for nobody else." in done.stdout
    assert f"Android, iPadOS, Windows: {tmp_path}/ca.cer   Linux: {tmp_path}/ca.crt" in done.stdout
    assert "GATEPASS_PUBLIC_URL=https://[2001:db8::10]:8443 gatepass serve --host 0.0.0.0" in done.stdout
    assert f"--tls-cert {tmp_path}/server.crt --tls-key {tmp_path}/server.key" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("init", "--host=https://gate.lan"), "A host is a name like gate.example.lan"),
        (("init", "--host=other.lan"), "The authority may not speak for other.lan."),
        (("renew", "--folder=nowhere"), "There is no authority with a certificate in nowhere."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tls: Path, arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tls.parent)
    before = {path: path.read_bytes() for path in tls.iterdir()}
    done = gatepass("tls", *arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"gatepass: {sentence}")
    assert {path: path.read_bytes() for path in tls.iterdir()} == before
