"""A terminal of our own making that behaves as Hikvision's are said to: it posts events and is told what to do.

It serves ISAPI on a loopback port with real HTTP Digest (RFC 7616, MD5, qop=auth): written from the RFC, and not with what
Gatepass calls it with.
"""

import asyncio
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, NamedTuple

import httpx

USERNAME, PASSWORD = "admin", "gate-Pa55word"
REALM = "DS-K1T671"
PATH = "/ISAPI/AccessControl/remoteCheck?format=json"
FACE_CANARY = b"\xff\xd8\xff\xe0 a face that nobody may look at"


class Verdict(NamedTuple):
    """What the terminal was told of an event that waited for it. It opens its door at `success`."""

    serial: int
    result: str
    info: str


class Terminal:
    """The terminal. `mishaps` is how it answers the next authenticated calls, in that order, instead of properly:

    "busy" with 503, "hang up" without an answer, "hang up after" it has done what it was told, "stale" for a nonce that
    it no longer knows, "refuse" with an error, "flood" with an answer that does not end, "move" with a redirect.
    `slow_s` is how long it thinks before it answers, `challenge` what it asks for instead of Digest. `calls` are those
    that it answered, with `cookies` and `authorizations` that came. While it holds `posting`, it does not listen.
    `ahead` is how far its clock is. `took` is what it says when it has done what it was told, `opened` how often it
    opened its door.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.mishaps: list[str] = []
        self.slow_s = 0.0
        self.calls: list[tuple[str, str, int]] = []
        self.cookies: list[str] = []
        self.authorizations: list[str] = []
        self.challenge: str | None = None
        self.posting = threading.Lock()
        self.ahead = timedelta(0)
        self.took: Any = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
        self.opened = 0
        self._verdicts: Queue[Verdict] = Queue()
        self._nonces: dict[str, int] = {}
        self._waiting: set[int] = set()
        self._serial = 25_000

    @property
    def device(self) -> dict[str, str]:
        """What Gatepass is told of the terminal."""
        return {"url": self.url, "username": USERNAME, "password": PASSWORD}

    def event(self, card: str | None, **changes: Any) -> dict[str, Any]:
        """A new event that waits for a verdict. `changes` are to its details; None takes one away."""
        self._serial += 1
        details = {
            "deviceName": "Access Controller",
            "majorEventType": 5,
            "subEventType": 1,
            "cardNo": card,
            "cardReaderNo": 1,
            "doorNo": 1,
            "serialNo": self._serial,
            "currentVerifyMode": "faceOrFpOrCardOrPw",
            "currentEvent": True,
            "remoteCheck": True,
        } | changes
        self._waiting.add(self._serial)
        return {
            "ipAddress": "127.0.0.1",
            "portNo": self.port,
            "protocol": "HTTP",
            "macAddress": "aa:bb:cc:dd:ee:ff",
            "channelID": 1,
            "dateTime": (datetime.now(UTC) + self.ahead).isoformat(timespec="seconds"),
            "activePostCount": 1,
            "eventType": "AccessControllerEvent",
            "eventState": "active",
            "AccessControllerEvent": {name: value for name, value in details.items() if value is not None},
        }

    def post(self, url: str, event: dict[str, Any]) -> httpx.Response:
        """Post an event, and listen to nobody until it is answered."""
        with self.posting:
            return httpx.post(url, **multipart(event), timeout=10)

    def wait_for(self, serial: int) -> None:
        """Wait for a verdict under that number (again)."""
        self._waiting.add(serial)

    async def verdict(self, within_s: float = 10.0) -> Verdict:
        """The next verdict that the terminal is told."""
        return await asyncio.to_thread(self._verdicts.get, timeout=within_s)

    async def hears_nothing(self, for_s: float = 0.3) -> bool:
        """Whether it is told no verdict for so long."""
        await asyncio.sleep(for_s)
        return self._verdicts.empty()

    def _handle(self, call: BaseHTTPRequestHandler, body: bytes) -> None:
        authorization = call.headers.get("Authorization")
        self.cookies += call.headers.get_all("Cookie", [])
        self.authorizations += call.headers.get_all("Authorization", [])
        if authorization is None:
            self._challenge(call, stale=False)
            return
        known = self._known(authorization, call.path)
        mishap = self.mishaps.pop(0) if known and self.mishaps else ""
        if mishap == "stale":
            self._nonces.clear()
        if known is None or mishap == "stale":
            self._challenge(call, stale=known is None or mishap == "stale")
        elif not known:
            self._challenge(call, stale=False)
        else:
            time.sleep(self.slow_s)
            with self.posting:
                self._obey(call, body, mishap)

    def _obey(self, call: BaseHTTPRequestHandler, body: bytes, mishap: str) -> None:
        if mishap == "hang up":
            call.close_connection = True
        elif mishap == "busy":
            self._answer(call, 503, {"statusCode": 2, "statusString": "Device Busy", "subStatusCode": "deviceBusy"})
        elif mishap == "move":
            self._answer(call, 307, {}, location=f"http://127.0.0.1:{self.port}/elsewhere")
        elif mishap == "flood":
            self._flood(call)
        elif mishap == "refuse" or call.path != PATH:
            self._answer(
                call, 400, {"statusCode": 6, "statusString": "Invalid Content", "subStatusCode": "badParameters"}
            )
        else:
            self._decide(call, json.loads(body)["RemoteCheck"], mishap)

    def _decide(self, call: BaseHTTPRequestHandler, told: dict[str, Any], mishap: str) -> None:
        """Open or not; an event that waits no longer gets no second verdict."""
        if told["serialNo"] not in self._waiting:
            self._answer(call, 400, {"statusCode": 4, "statusString": "Invalid Operation"})
            return
        self._waiting.discard(told["serialNo"])
        self.opened += told["checkResult"] == "success"
        self._verdicts.put(Verdict(told["serialNo"], told["checkResult"], told["info"]))
        if mishap == "hang up after":
            call.close_connection = True
            return
        self._answer(call, 200, self.took)

    def _flood(self, call: BaseHTTPRequestHandler) -> None:
        call.send_response(200)
        call.end_headers()
        call.close_connection = True
        with suppress(OSError):
            for _ in range(100_000):
                call.wfile.write(b" " * 1024)

    def _challenge(self, call: BaseHTTPRequestHandler, *, stale: bool) -> None:
        nonce = f"{len(self._nonces) + 1:08x}{time.monotonic_ns():x}"
        self._nonces[nonce] = 0
        words = f'Digest qop="auth", realm="{REALM}", nonce="{nonce}", stale={str(stale).lower()}'
        words = words if self.challenge is None else self.challenge
        self._answer(call, 401, {"statusCode": 4, "statusString": "Unauthorized"}, **{"WWW-Authenticate": words})

    def _known(self, authorization: str, uri: str) -> bool | None:
        """Whether the password is right; None for a nonce that is not known, or was used with that count."""
        scheme, _, rest = authorization.partition(" ")
        said = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', rest)}
        if scheme != "Digest" or said["uri"] != uri or said["qop"] != "auth" or said["username"] != USERNAME:
            return False
        if said["nonce"] not in self._nonces or int(said["nc"], 16) <= self._nonces[said["nonce"]]:
            return None
        secret = _md5(f"{USERNAME}:{REALM}:{PASSWORD}")
        right = _md5(f"{secret}:{said['nonce']}:{said['nc']}:{said['cnonce']}:auth:{_md5(f'PUT:{uri}')}")
        if said["response"] != right:
            return False
        self._nonces[said["nonce"]] = int(said["nc"], 16)
        return True

    def _answer(self, call: BaseHTTPRequestHandler, status: int, body: Any, **headers: str) -> None:
        self.calls.append((call.command, call.path, status))
        content = json.dumps(body).encode()
        with suppress(OSError):
            call.send_response(status)
            for name, value in headers.items():
                call.send_header(name, value)
            call.send_header("Content-Type", "application/json")
            call.send_header("Content-Length", str(len(content)))
            call.send_header("Set-Cookie", "WebSession=0123456789")
            call.end_headers()
            call.wfile.write(content)


def multipart(event: dict[str, Any], *, part: str = "event_log", picture: bytes = FACE_CANARY) -> dict[str, Any]:
    """The event as a form with a picture, as arguments of a request."""
    boundary = "MIME_boundary"
    json_part = f'Content-Disposition: form-data; name="{part}"\r\nContent-Type: application/json\r\n\r\n'.encode()
    picture_part = (
        b'Content-Disposition: form-data; name="Picture"; filename="Picture.jpg"\r\nContent-Type: image/jpeg\r\n'
        b"Content-ID: pictureImage\r\n\r\n"
    )
    line = f"--{boundary}".encode()
    parts = [line, json_part + json.dumps(event).encode(), line, picture_part + picture, line + b"--", b""]
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return {"headers": headers, "content": b"\r\n".join(parts)}


@contextmanager
def terminal() -> Iterator[Terminal]:
    """A terminal that is switched on."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.terminal = made = Terminal(server.server_address[1])  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.terminal._handle(self, body)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        pass


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
