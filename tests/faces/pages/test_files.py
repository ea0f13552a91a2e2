"""The page's files as they are served, and what was taken over unchanged."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image

from app.faces.pages.files import FOLDER, HEADERS, MEDIA_TYPES, files
from app.main import make_app
from tests.conftest import make_settings

VENDOR = FOLDER / "vendor" / "zxing-wasm"


@pytest.fixture
async def http(sqlite_url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(make_settings(sqlite_url))
    transport = httpx.ASGITransport(app)
    async with (
        app.routes.router.lifespan_context(app.routes),
        httpx.AsyncClient(transport=transport, base_url="http://gatepass.test") as client,
    ):
        yield client


async def test_the_page_and_every_file_of_it_are_served_with_strict_headers(http: httpx.AsyncClient) -> None:
    for name, file in files().items():
        answer = await http.get("/kiosk" if name == "index.html" else f"/kiosk/{name}")
        assert (answer.status_code, answer.content) == (200, file.body), name
        assert answer.headers["content-type"] == file.media_type
        for header, value in HEADERS.items():
            assert answer.headers[header] == value
    assert "unsafe" not in HEADERS["Content-Security-Policy"].replace("'wasm-unsafe-eval'", "")


async def test_a_file_that_the_caller_has_is_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/kiosk/main.js")
    again = await http.get("/kiosk/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await http.head("/kiosk")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(files()["index.html"].body)


@pytest.mark.parametrize(
    "path",
    [
        "/kiosk/",
        "/kiosk/nothing.js",
        "/kiosk/../files.py",
        "/kiosk/%2e%2e/files.py",
        "/kiosk/package.json",
        "/kiosk/vendor",
    ],
)
async def test_there_is_nothing_else(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


async def test_the_list_that_is_kept_offline_names_every_file_by_its_digest(http: httpx.AsyncClient) -> None:
    text = (await http.get("/kiosk/contents.js")).text
    contents = json.loads(text.removeprefix("self.CONTENTS = ").rstrip(";\n"))
    names = {name for name in files() if name not in ("sw.js", "contents.js")}
    assert set(contents["files"]) == {"/kiosk" if name == "index.html" else f"/kiosk/{name}" for name in names}
    body = (await http.get("/kiosk")).content
    assert contents["files"]["/kiosk"] == f"sha256-{b64encode(hashlib.sha256(body).digest()).decode()}"


def test_every_kind_of_file_has_a_media_type() -> None:
    left_out = {path.name for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in MEDIA_TYPES}
    assert left_out == {"LICENSE", "README.md", "package.json"}


def test_what_is_vendored_is_as_it_was_published() -> None:
    table = re.findall(
        r"^\| `(\S+)` \| `(\w{64})` \| `sha384-(\S+)` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE
    )
    named = {name for name, _, _ in table}
    assert named | {"README.md"} == {
        path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()
    }
    for name, sha256, sha384 in table:
        content = (VENDOR / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256, name
        assert b64encode(hashlib.sha384(content).digest()).decode() == sha384, name


def test_the_page_has_no_inline_script_or_style_and_needs_no_other_host() -> None:
    html = files()["index.html"].body.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", html) == []
    for name, file in files().items():
        if name.endswith((".html", ".css", ".webmanifest")):
            assert re.findall(r"https?://(?!www\.w3\.org)\w", file.body.decode()) == [], name


def test_the_manifest_makes_the_page_installable() -> None:
    manifest = json.loads(files()["kiosk.webmanifest"].body)
    assert (manifest["start_url"], manifest["scope"]) == ("/kiosk", "/kiosk")
    for icon in manifest["icons"]:
        name = icon["src"].removeprefix("/kiosk/")
        assert files()[name].media_type == icon["type"]
        if icon["type"] == "image/png":
            with Image.open(FOLDER / name) as picture:
                assert "{}x{}".format(*picture.size) == icon["sizes"]
