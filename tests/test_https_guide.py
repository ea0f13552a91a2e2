"""`docs/https.md`: its commands run and print what it shows, and its proxies pass on what they have to."""

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from typer.testing import CliRunner

from app.cli import cli
from app.effects.draw_pictures import draw_png
from app.effects.local_ca import certify, make_authority, make_key, read_host
from app.effects.local_ca_folder import LocalCaFolder
from app.faces.dialect import LONGEST_BODY
from app.faces.http.front import RECEIPT_S
from app.faces.http.presentation import MAX_BODY as LONGEST_PRESENTATION
from app.settings import Settings
from tests.conftest import MASTER_KEY
from tests.services.serving import UP_WITHIN_S, Served, environment, free_port, served

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs/https.md").read_text("utf-8")
RUN = re.compile(r"^<!-- run -->\n```sh\n(.*?)^```\n+```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVE = re.compile(r"^<!-- serve -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PUBLIC = "gate.example.com"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""Folders of nginx's that have to be there, whatever it serves."""

MIB = 1024 * 1024
DEFAULTS = Settings.model_fields


def fenced(language: str) -> str:
    (text,) = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert isinstance(text, str)
    return text


# The commands


def here(commands: str) -> str:
    return commands.replace(".venv/bin/gatepass", f"{sys.executable} -m app.cli").replace("0.0.0.0", "127.0.0.1")


def printed_by(commands: str, folder: Path, variables: dict[str, str]) -> str:
    """What commands print, where every host is this machine."""
    script = f'curl() {{ command curl --connect-to "::127.0.0.1:" "$@"; }}\n{here(commands)}'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_of_the_guide_print_what_it_shows(sqlite_url: str, tmp_path: Path) -> None:
    port = str(free_port())
    (init, shown), *others = [(commands, shown.replace("8443", port)) for commands, shown in RUN.findall(GUIDE)]
    assert len(others) + 1 == GUIDE.count("<!-- run -->") == 4
    variables = environment(sqlite_url, PYTHONPATH=str(ROOT), LANG="C.UTF-8")
    assert_shows(shown, printed_by(init, tmp_path, variables).replace("8443", port))
    (serve,) = SERVE.findall(GUIDE)
    command = ["bash", "-c", f"exec env {here(serve).replace('8443', port)}"]
    with running(command, tmp_path, variables), httpx.Client(verify=trust(tmp_path / "tls/ca.crt")) as client:
        wait_for(client, f"https://127.0.0.1:{port}/readyz", {"Host": "gate.example.lan"}, "gate.example.lan")
        for commands, expected in others:
            assert_shows(expected, printed_by(commands.replace("8443", port), tmp_path, variables))


def assert_shows(shown: str, printed: str) -> None:
    """`...` stands for anything on its line."""
    pattern = ".+".join(map(re.escape, shown.strip().split("...")))
    assert re.fullmatch(pattern, printed.strip()), printed


@contextmanager
def running(command: Sequence[str | Path], folder: Path, variables: dict[str, str]) -> Iterator[None]:
    with (folder / "running.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(client: httpx.Client, url: str, headers: dict[str, str], name: str) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if client.get(url, headers=headers, extensions={"sni_hostname": name}).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer")


def trust(authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    return context


# The proxies


def test_the_limits_of_the_guide_are_no_lower_than_the_services() -> None:
    (nginx_size,) = re.findall(r"client_max_body_size (\d+)m;", fenced("nginx"))
    (caddy_size,) = re.findall(r"max_size (\d+)MiB", fenced("caddyfile"))
    assert min(int(nginx_size), int(caddy_size)) * MIB >= max(LONGEST_BODY, LONGEST_PRESENTATION)
    (nginx_wait,) = re.findall(r"proxy_read_timeout (\d+)s;", fenced("nginx"))
    (caddy_wait,) = re.findall(r"response_header_timeout (\d+)s", fenced("caddyfile"))
    at_most = RECEIPT_S + DEFAULTS["picture_timeout_s"].default + DEFAULTS["settle_timeout_s"].default
    assert min(int(nginx_wait), int(caddy_wait)) > at_most


class Proxied:
    """A Gatepass behind a proxy, called by its public name. `folder` has the proxy's files."""

    def __init__(self, client: httpx.Client, behind: Served, folder: Path, key: str) -> None:
        self.behind = behind
        self.folder = folder
        self._client = client
        self._key = key

    def call(self, method: str, path: str, **content: Any) -> httpx.Response:
        """The answer to a request; without `headers`, with the API key."""
        headers = {"Host": PUBLIC, **content.pop("headers", {"Authorization": f"Bearer {self._key}"})}
        return self._client.request(method, path, headers=headers, extensions={"sni_hostname": PUBLIC}, **content)

    def made(self, path: str, **wish: Any) -> dict[str, Any]:
        answer = self.call("POST", path, json=wish)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


def nginx_of_the_guide(folder: Path, port: int, behind: int) -> list[str]:
    """The command that runs nginx with the server of the guide, which here is at another port with other files."""
    site = fenced("nginx").replace("listen 443 ", f"listen 127.0.0.1:{port} ")
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    site = site.replace("/etc/ssl/gatepass/fullchain.pem", f"{folder}/server.crt")
    site = site.replace("/etc/ssl/gatepass/privkey.pem", f"{folder}/server.key")
    written = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in TEMPORARY)
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log warn;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{written}{site}}}\n"
    )
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx is not None, "make needs-programs"
    return [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy_of_the_guide(folder: Path, port: int, behind: int) -> list[str]:
    """The command that runs Caddy with the site of the guide, which here is at another port with its own certificate."""
    own = f"{PUBLIC}:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/server.crt {folder}/server.key\n"
    site = fenced("caddyfile").replace(f"{PUBLIC} {{\n", own).replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    return ["caddy", "run", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=[nginx_of_the_guide, caddy_of_the_guide], ids=["nginx", "caddy"])
def proxied(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> Iterator[Proxied]:
    folder, port = tmp_path / "proxy", free_port()
    certified(folder)
    done = CliRunner().invoke(
        cli, ["init", "--json"], env={"GATEPASS_DATABASE_URL": sqlite_url, "GATEPASS_MASTER_KEY": MASTER_KEY}
    )
    with served(sqlite_url, tmp_path, GATEPASS_PUBLIC_URL=f"https://{PUBLIC}") as behind:
        command = request.param(folder, port, httpx.URL(behind.url).port)
        variables = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        client = httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust(folder / "ca.crt"), timeout=20)
        with running(command, folder, variables), client:
            wait_for(client, "/healthz", {"Host": PUBLIC}, PUBLIC)
            yield Proxied(client, behind, folder, json.loads(done.stdout)["api_key"])


def certified(path: Path) -> None:
    """A certificate for the public name, by an authority."""
    folder, now, hosts = LocalCaFolder(path), datetime.now(UTC), [read_host(PUBLIC)]
    authority, key = make_authority(hosts, now), make_key()
    folder.keep_authority(authority)
    folder.keep_server_key(key)
    folder.keep_server_certificate(certify(authority, hosts, key.public_key(), now))


def signed(connection: dict[str, Any], body: bytes) -> dict[str, str]:
    """The headers of a call of Rekognition's, signed for the public name."""
    credentials = connection["credentials"]
    request = AWSRequest(
        method="POST",
        url=f"https://{PUBLIC}/",
        data=body,
        headers={"X-Amz-Target": "RekognitionService.ListCollections", "Content-Type": "application/x-amz-json-1.1"},
    )
    keys = Credentials(credentials["access_key_id"], credentials["secret_access_key"])
    SigV4Auth(keys, "rekognition", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def test_a_proxy_of_the_guide_passes_on_keeps_back_and_answers_what_it_has_to(proxied: Proxied) -> None:
    passes_on(proxied)
    keeps_back(proxied)
    answers_when_the_service_is_away(proxied)


def passes_on(proxied: Proxied) -> None:
    proxied.made("/v1/gates", id="door", name="Door")
    pass_ = proxied.made("/v1/passes", holder="emp-1", gates=["door"])
    token = proxied.made("/v1/tokens", **{"pass": pass_["id"], "kind": "signed"})
    picture = draw_png(token["token"])
    large = {"picture": base64.b64encode(picture + bytes(4 * MIB)).decode(), "gate": "door"}
    for reason in ("ok", "already_used"):
        assert proxied.call("POST", "/v1/verifications", json=large).json()["reason"] == reason
    # What is signed is signed for the name by which it was called, and may be as large as two pictures.
    connection = proxied.made("/v1/connections", kind="rekognition", gate="door")
    assert connection["base_url"] == f"https://{PUBLIC}"
    body = b"{" + b" " * (LONGEST_BODY - 2) + b"}"
    listed = proxied.call("POST", "/", headers=signed(connection, body), content=body)
    assert listed.json()["CollectionIds"] == ["gatepass"]
    if (proxied.folder / "error.log").exists():
        assert "temporary file" not in (proxied.folder / "error.log").read_text()


def keeps_back(proxied: Proxied) -> None:
    assert httpx.get(f"{proxied.behind.url}/metrics").status_code == 200
    assert proxied.call("GET", "/metrics").status_code == 404
    assert proxied.call("POST", "/v1/verifications", content=bytes(15 * MIB)).status_code == 413


def answers_when_the_service_is_away(proxied: Proxied) -> None:
    proxied.behind.kill()
    started = time.monotonic()
    assert proxied.call("POST", "/v1/verifications", json={}).status_code >= 500
    assert time.monotonic() - started < 3
