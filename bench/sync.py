"""What a kiosk waits for that was a day without the network: its queue of 10,000 verifications, a thousand a call.

Every one is an admission by a signed token of its own: opened, settled, recorded and committed. While the queue is sent
somebody stands at another gate, and is verified again and again: that nobody waits behind a queue.
"""

import statistics
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from json import dumps, loads
from typing import Any

from bench.sites import GATE, Site

QUEUED = 10_000
A_CALL = 1_000


def print_sync(at: Site) -> None:
    """How long a queue takes, and what an attempt at another gate takes meanwhile, as a multiple of one alone."""
    texts = at.population.mint(signed=QUEUED).signed
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    common = {"gate": GATE, "at": now, "decision": "admit", "reason": "ok"}
    queue = [common | {"request_id": f"k-{number}", "token": text} for number, text in enumerate(texts)]
    alone = _at_the_gate(at, at.population.mint(signed=300).signed, None)
    ended = threading.Event()
    meanwhile: list[float] = []
    people = at.population.mint(signed=20_000).signed
    waiting = threading.Thread(target=lambda: meanwhile.extend(_at_the_gate(at, people, ended)))
    waiting.start()
    seconds = _send(at, queue, "recorded")
    ended.set()
    waiting.join()
    again = _send(at, queue, "known")
    print(f"### A queue of {QUEUED} verifications, {A_CALL} a call\n")
    print("| | s | at another gate meanwhile, as a multiple of one attempt alone: median, p99 |\n|---|---:|---:|")
    one, some = statistics.median(alone), sorted(meanwhile)
    ratios = f"{statistics.median(some) / one:.1f}, {some[len(some) * 99 // 100] / one:.1f}"
    print(f"| recorded | {seconds:.2f} | {ratios} |\n| sent again | {again:.2f} | |\n")


def _send(at: Site, queue: list[dict[str, Any]], status: str) -> float:
    started = time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", at.server.port)) as http:
        for start in range(0, len(queue), A_CALL):
            body = dumps({"verifications": queue[start : start + A_CALL]})
            results = loads(_post(http, at, "/v1/verifications/sync", body))["results"]
            if {each["status"] for each in results} != {status}:
                raise RuntimeError(f"not all {status}")
    return time.perf_counter() - started


def _at_the_gate(at: Site, texts: list[str], ended: threading.Event | None) -> list[float]:
    """The seconds that each attempt took, until that event."""
    took = []
    with closing(HTTPConnection("127.0.0.1", at.server.port)) as http:
        for text in texts:
            if ended is not None and ended.is_set():
                break
            started = time.perf_counter()
            if b'"admit"' not in _post(http, at, "/v1/verifications", dumps({"token": text, "gate": GATE})):
                raise RuntimeError("not admitted")
            took.append(time.perf_counter() - started)
    return took


def _post(http: HTTPConnection, at: Site, path: str, body: str) -> bytes:
    headers = {"Authorization": f"Bearer {at.key}", "Content-Type": "application/json"}
    http.request("POST", path, body, headers)
    return http.getresponse().read()
