"""The kiosk page, `/kiosk`: the files in the folder `kiosk`, and the list by which a browser keeps them offline."""

import hashlib
import json
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from app.faces.problems import Problem

PATH = "/kiosk"
FOLDER = Path(__file__).parent / "kiosk"
CONTENTS = "contents.js"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
"""What a browser is told of each kind of file. Files of other kinds are not served."""

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), fullscreen=(self), screen-wake-lock=(self), "
        "microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=()"
    ),
    "Referrer-Policy": "no-referrer",
    "Service-Worker-Allowed": PATH,
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(include_in_schema=False)


class File(NamedTuple):
    """One file of the page."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()


@router.get(PATH)
@router.get(PATH + "/{name:path}")
async def get(request: Request, name: str = "index.html") -> Response:
    """One file, or 304 where the caller has it."""
    file = files().get(name)
    if file is None:
        raise Problem(404, "There is nothing at this address.")
    headers = {**HEADERS, "ETag": f'"{file.digest.hex()}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers, media_type=file.media_type)


@cache
def files() -> dict[str, File]:
    """Every file by its name under `/kiosk/`. They are read once, so a page is never of two versions."""
    found = {
        path.relative_to(FOLDER).as_posix(): File(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }
    return {**found, CONTENTS: File(_contents(found), MEDIA_TYPES[".js"])}


def _contents(found: dict[str, File]) -> bytes:
    """What the service worker imports: a name for this version of the page, and each address with its digest."""
    addresses = {
        PATH if name == "index.html" else f"{PATH}/{name}": f"sha256-{b64encode(file.digest).decode()}"
        for name, file in found.items()
        if name != "sw.js"
    }
    version = hashlib.sha256(b"".join(file.digest for file in found.values())).hexdigest()[:12]
    return f"self.CONTENTS = {json.dumps({'version': version, 'files': addresses}, indent=1)};\n".encode()
