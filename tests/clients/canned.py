"""A server on loopback that remembers what it was asked, and gives answers that were written down beforehand."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def parts(self) -> dict[str, bytes]:
        """The parts of a multipart form, by their names."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + self.body).get_payload()
        assert isinstance(parts, list), "not a multipart form"
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}


@dataclass(frozen=True)
class Answer:
    """One answer: its JSON and its status."""

    json: Any
    status: int = 200
    content_type: str = "application/json"


class Canned(ThreadingHTTPServer):
    """The server: `asked` grows by a request at a time, and each is answered by its path, or by whatever stands under `*`."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.asked: list[Asked] = []
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer_to(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answers.get(asked.path) or self.answers.get("*") or Answer({"not": "written down"}, 404)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Canned

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = self.server.answer_to(Asked(self.command, self.path, headers, body))
        text = json.dumps(answer.json).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  http.server's own names

    def log_request(self, *_: Any) -> None:
        """Nothing is logged: what was asked is remembered."""


@contextmanager
def canned(answers: Mapping[str, Answer]) -> Iterator[Canned]:
    with Canned(answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
