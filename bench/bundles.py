"""How large a gate's bundle is, how long it takes to make, and who waits meanwhile: `python -m bench.bundles [passes]`.

A third of the passes is good everywhere and always; a third has a window of its own and a schedule; a third may enter
a number of times, of which some are used. One in a hundred is revoked, one in two hundred suspended. The bundle is that
of a gate at which all may enter, fetched over HTTP as a kiosk does it. `--postgresql` has it on that, not on SQLite.
"""

import json
import random
import resource
import statistics
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import cbor2
import sqlalchemy
import uvloop

from app.core.bundle import SEGMENT, Bundle, Manifest, open_manifest, pack_statuses
from app.core.cose import envelope, kid_in
from app.core.keys import Ed25519Key
from bench.sites import GATE, TURNSTILE, Site, site
from tests.postgres import PostgresServer

PLACES, REVOKED = 10_000_000, 1_000_000
_WINDOWS = (
    "UPDATE passes SET valid_from = valid_from - idx % 86400 * 1000000, valid_until = valid_until"
    " + idx * 7919 % 2592000 * 1000000 WHERE schedule IS NOT NULL AND limits IS NULL"
)
_ENTRIES = (
    "UPDATE passes SET max_entries = 1 + idx % 30, entries = idx * 7919 % (1 + idx % 30) WHERE limits IS NOT NULL"
)
_STATUSES = (
    "UPDATE passes SET status = 'revoked' WHERE idx * 7919 % 10007 < 100",
    "UPDATE passes SET status = 'suspended' WHERE idx * 7919 % 10007 BETWEEN 100 AND 149",
)
_TIMEOUT_S = 300


class Fetched(NamedTuple):
    """A manifest, its bytes, and how long it took to come (ms)."""

    manifest: Manifest
    size: int
    took: float


def main() -> None:
    """Measure, and print Markdown."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("passes", type=int, nargs="*", default=[100_000, 1_000_000])
    arguments.add_argument("--postgresql", action="store_true")
    chosen = arguments.parse_args()
    print_status_list()
    for passes in chosen.passes:
        with tempfile.TemporaryDirectory(prefix="gatepass-bench-") as folder, _database(folder, chosen) as url:
            uvloop.run(measure(url, passes))


@contextmanager
def _database(folder: str, chosen: Any) -> Iterator[str]:
    if not chosen.postgresql:
        yield f"sqlite:///{folder}/bundles.db"
        return
    server = PostgresServer(Path(folder) / "postgresql", shared_buffers="256MB", max_wal_size="4GB")
    server.start()
    try:
        server.execute("CREATE DATABASE bundles")
        yield server.url("bundles")
    finally:
        server.stop()


def print_status_list() -> None:
    """The size of a status list of which a tenth is revoked, wherever it falls."""
    revoked = random.Random(20).sample(range(PLACES), REVOKED)
    segments: dict[int, dict[int, int]] = {}
    for idx in revoked:
        segments.setdefault(idx // SEGMENT, {})[idx % SEGMENT] = 1
    started = time.perf_counter()
    size = sum(len(pack_statuses(segment)) for segment in segments.values())
    took = time.perf_counter() - started
    print(f"A status list of {PLACES:,} places, {REVOKED:,} revoked: {size:,} bytes, packed in {took:.1f} s\n")


async def measure(url: str, passes: int) -> None:
    """One site of so many passes."""
    async with site(url, people=passes // 3, stored_tokens=0) as at:
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            for statement in (_WINDOWS, _ENTRIES, *_STATUSES):
                connection.exec_driver_sql(statement.replace("%", "%%") if url.startswith("postgresql") else statement)
        engine.dispose()
        idle_mib = at.server.peak_mib()
        print_bundle(at, passes, url.partition(":")[0], idle_mib)


def print_bundle(at: Site, passes: int, engine: str, idle_mib: float) -> None:
    """Sizes and times at one gate."""
    alone = _verified(at, lambda count: count < 300)
    ended = threading.Event()
    meanwhile: list[float] = []
    waiting = threading.Thread(target=lambda: meanwhile.extend(_verified(at, lambda _: not ended.is_set())))
    waiting.start()
    cold = _fetch(at)
    ended.set()
    waiting.join()
    chunks = _chunks(at, cold.manifest, {})
    print(f"### {passes:,} passes, {engine}\n\n| | bytes | chunks | ms |\n|---|---:|---:|---:|")
    _row("manifest, made of nothing", cold.size, 0, cold.took)
    total = sum(len(chunk) for chunk in chunks.values())
    _row("all chunks", total, len(chunks))
    time.sleep(1.1)
    again = [_fetch(at) for _ in range(9) if time.sleep(1.1) is None]  # type: ignore[func-returns-value]
    _row("asked again, nothing changed", 0, 0, statistics.median(each.took for each in again))
    for name, change in (("one new pass", _new_pass), ("one pass revoked", _revoke)):
        change(at)
        time.sleep(1.1)
        _difference(at, name, chunks)
    time.sleep(61)
    _difference(at, "a minute later", chunks)
    one, some = sorted(alone), sorted(meanwhile)
    print(f"\nPeak memory of the server: {idle_mib:.0f} MiB before, {at.server.peak_mib():.0f} MiB after.")
    print("Verifications one after another (ms: median, p99, worst):")
    print(f"alone {_spread(one)}; while the bundle was made {_spread(some)} ({len(some)} of them)\n")
    started = time.perf_counter()
    Bundle(cold.manifest, chunks)
    unpacked = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"Checking it all as an integrator's kit does: {unpacked:.1f} s (this process at most {peak:.0f} MiB)\n")


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f}, {times[len(times) * 99 // 100]:.1f}, {times[-1]:.0f}"


def _difference(at: Site, name: str, chunks: dict[bytes, bytes]) -> None:
    fetched = _fetch(at)
    new = _chunks(at, fetched.manifest, chunks)
    _row(name, fetched.size + sum(len(chunk) for chunk in new.values()), len(new), fetched.took)
    chunks |= new


def _row(name: str, size: int, count: int, took: float | None = None) -> None:
    print(f"| {name} | {size:,} | {count} | {'' if took is None else f'{took:,.1f}'} |", flush=True)


def _fetch(at: Site) -> Fetched:
    started = time.perf_counter()
    body = _call(at, "GET", f"/v1/gates/{TURNSTILE}/bundle")
    took = (time.perf_counter() - started) * 1000
    kid = kid_in(envelope(body)[0])
    keys = dict(cbor2.loads(envelope(body)[1])["keys"])
    return Fetched(open_manifest(body, {kid: Ed25519Key(keys[kid])}), len(body), took)


def _chunks(at: Site, manifest: Manifest, have: dict[bytes, bytes]) -> dict[bytes, bytes]:
    missing, chunks = Bundle.missing(manifest, have), {}
    for start in range(0, len(missing), 64):
        some = missing[start : start + 64]
        path = f"/v1/gates/{TURNSTILE}/bundle/chunks?of={','.join(each.hex() for each in some)}"
        chunks |= dict(zip(some, cbor2.loads(_call(at, "GET", path)), strict=True))
    return chunks


def _new_pass(at: Site) -> None:
    _call(at, "POST", "/v1/passes", {"holder": "somebody-new", "gates": "all"})


def _revoke(at: Site) -> None:
    some = json.loads(_call(at, "GET", "/v1/passes?limit=5"))["items"][3]
    _call(at, "POST", f"/v1/passes/{some['id']}/revoke", {"reason": "left"})


def _verified(at: Site, going_on: Callable[[int], bool]) -> list[float]:
    """How long verifications take (ms), one after another, by tokens that are new."""
    took: list[float] = []
    texts: list[str] = []
    with closing(HTTPConnection("127.0.0.1", at.server.port, timeout=_TIMEOUT_S)) as http:
        while going_on(len(took)):
            if not texts:
                texts = at.population.mint(signed=300).signed
            body = json.dumps({"gate": GATE, "token": texts.pop()})
            started = time.perf_counter()
            answer = _on(http, at, "POST", "/v1/verifications", body)
            took.append((time.perf_counter() - started) * 1000)
            if b'"decision":' not in answer:
                raise RuntimeError(answer)
            time.sleep(0.01)
    return took


def _call(at: Site, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    with closing(HTTPConnection("127.0.0.1", at.server.port, timeout=_TIMEOUT_S)) as http:
        return _on(http, at, method, path, None if body is None else json.dumps(body))


def _on(http: HTTPConnection, at: Site, method: str, path: str, body: str | None) -> bytes:
    headers = {"Authorization": f"Bearer {at.key}", "Content-Type": "application/json"}
    http.request(method, path, body, headers)
    answer = http.getresponse()
    content = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{answer.status} {content!r}")
    return content


if __name__ == "__main__":
    main()
