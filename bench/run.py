"""`make bench`: how fast Gatepass is, as ratios against a bare FastAPI route measured in the same run.

Everything in the real path is on: authentication, strict JSON, signatures, rules, redemption, the record, the durable
commit. Rounds are interleaved, a ratio is taken within its round, and medians are printed, since machines are noisy.
"""

import json
import os
import platform
import statistics
import tempfile
from argparse import ArgumentParser, Namespace
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import uvloop
from PIL import Image

from app.core.ids import show
from app.effects.draw_pictures import draw_png
from bench.faces import print_recognize
from bench.load import Run, load, request
from bench.population import Population
from bench.sites import GATE, TURNSTILE, Server, Site, site, yardstick
from bench.sync import print_sync
from tests.postgres import PostgresServer

PEOPLE = 10_000
STORED = 10_000
LARGE = 1_000_000
REQUESTS = 6_000
PATH = "/v1/verifications"
ADMIT = b'"decision":"admit"'


class Case(NamedTuple):
    """One thing to measure. `make` gives the requests of a run, each to be answered with the mark."""

    name: str
    server: Server
    make: Callable[[int], list[bytes]]
    mark: bytes = ADMIT
    requests: int = REQUESTS
    most: int = 256
    """The most connections: beyond so many pictures in flight, the service says 429."""


def main() -> None:
    """Measure, and print Markdown."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--connections", type=int, nargs="*", default=[32, 64, 256])
    arguments.add_argument("--only", nargs="*", default=["paths", "faces", "rules", "sync", "postgresql", "growth"])
    chosen = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {chosen.rounds} rounds\n")
    uvloop.run(measure(chosen))


async def measure(chosen: Namespace) -> None:
    """The parts, each with servers of its own."""
    with tempfile.TemporaryDirectory(prefix="gatepass-bench-") as name, yardstick() as bare:
        folder = Path(name)
        echo = Case("(a) bare FastAPI route", bare, lambda count: [_echo()] * count, b"admit")
        if "paths" in chosen.only:
            async with site(f"sqlite:///{folder}/paths.db", people=PEOPLE * 5, stored_tokens=STORED) as small:
                cases = [echo, *_paths(small)]
                for connections in chosen.connections:
                    await _table(f"One worker, SQLite, {connections} connections", cases, connections, chosen.rounds)
        if "faces" in chosen.only:
            async with site(f"sqlite:///{folder}/faces.db", people=PEOPLE, stored_tokens=STORED) as at:
                print_recognize(at)
        if "rules" in chosen.only:
            await _rules(folder, echo, chosen.rounds)
        if "sync" in chosen.only:
            async with site(f"sqlite:///{folder}/sync.db", people=PEOPLE * 4, stored_tokens=STORED) as at:
                print_sync(at)
        if "postgresql" in chosen.only:
            await _postgresql(folder, echo, chosen.rounds)
        if "growth" in chosen.only:
            await _growth(folder, echo, chosen.rounds)


def _paths(at: Site) -> list[Case]:
    mint = at.population.mint
    pass_ = show("pass", at.population.a_pass())
    issue = request("/v1/tokens", json.dumps({"pass": pass_, "kind": "signed"}).encode(), at.key)
    return [
        Case("(b) verify, signed", at.server, lambda count: _verify(at, mint(signed=count).signed)),
        Case("(b) with a request_id", at.server, lambda count: _verify(at, mint(signed=count).signed, retries=True)),
        Case("(c) verify, short", at.server, lambda count: _verify(at, mint(short=count).short)),
        Case("(d) verify, code", at.server, lambda count: _verify(at, mint(code=count).code), requests=1_500),
        Case("(e) issue, signed", at.server, lambda count: [issue] * count, b'"token":"GP1:', 2_000),
        Case(
            "(f) verify, 720p picture",
            at.server,
            lambda count: _pictures(at, mint(short=count).short),
            requests=200,
            most=16,
        ),
    ]


async def _postgresql(folder: Path, echo: Case, rounds: int) -> None:
    server = PostgresServer(folder / "postgresql", shared_buffers="256MB", max_wal_size="4GB")
    server.start()
    try:
        for name in ("one", "two"):
            server.execute(f"CREATE DATABASE {name}")
        population = {"people": PEOPLE, "stored_tokens": STORED}
        async with (
            site(server.url("one"), **population) as one,
            site(server.url("two"), **population, workers=2) as two,
        ):
            cases = [
                echo,
                Case(
                    "(b) one worker", one.server, lambda count: _verify(one, one.population.mint(signed=count).signed)
                ),
                Case(
                    "(b) two workers", two.server, lambda count: _verify(two, two.population.mint(signed=count).signed)
                ),
                Case(
                    "(b) two workers, five rules",
                    two.server,
                    lambda count: _verify(two, two.members.mint(signed=count).signed, gate=TURNSTILE),
                ),
            ]
            await _table("PostgreSQL, 64 connections", cases, 64, rounds)
    finally:
        server.stop()


async def _rules(folder: Path, echo: Case, rounds: int) -> None:
    """What a site pays that has configured rules: window, zone, schedule, anti-passback, capacity; then limits too."""
    async with site(f"sqlite:///{folder}/rules.db", people=PEOPLE * 2, stored_tokens=STORED) as at:

        def shown(people: Population, gate: str = TURNSTILE) -> Callable[[int], list[bytes]]:
            return lambda count: _verify(at, people.mint(signed=count).signed, gate=gate)

        cases = [
            echo,
            Case(
                "(b) no rules configured", at.server, lambda count: _verify(at, at.population.mint(signed=count).signed)
            ),
            Case("(b) five rules configured", at.server, shown(at.members)),
            Case("(b) and two limits", at.server, shown(at.limited)),
        ]
        runs = await _table("Rules, SQLite, 64 connections", cases, 64, rounds)
        for case in cases[2:]:
            parts = [some.rate / none.rate for none, some in zip(runs[cases[1].name], runs[case.name], strict=True)]
            print(f"{case.name}, as a part of (b) without: {statistics.median(parts):.2f}\n")


async def _growth(folder: Path, echo: Case, rounds: int) -> None:
    async with (
        site(f"sqlite:///{folder}/small.db", people=STORED, stored_tokens=STORED) as small,
        site(f"sqlite:///{folder}/large.db", people=LARGE, stored_tokens=LARGE) as large,
    ):
        cases = [
            echo,
            Case(
                "(b) 10^4 stored",
                small.server,
                lambda count: _verify(small, small.population.mint(signed=count).signed),
            ),
            Case(
                "(b) 10^6 stored",
                large.server,
                lambda count: _verify(large, large.population.mint(signed=count).signed),
            ),
        ]
        runs = await _table("Growth, SQLite, 64 connections", cases, 64, rounds)
        ratios = [few.rate / many.rate for few, many in zip(runs[cases[1].name], runs[cases[2].name], strict=True)]
        print(f"Growth of (b) from 10^4 to 10^6 stored passes and tokens: {statistics.median(ratios):.2f}\n")


async def _table(title: str, cases: Sequence[Case], connections: int, rounds: int) -> dict[str, list[Run]]:
    """Run every case in every round, and print medians; the first case is the yardstick."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for number in range(rounds + 1):
        for case in cases:
            at_once = min(connections, case.most)
            requests = case.make(max(case.requests, at_once * 4))
            run = await load(case.server.port, requests, at_once, case.mark)
            if run.marked != len(requests):
                raise RuntimeError(f"{case.name}: {run.marked} of {len(requests)} answered as they should be")
            if number > 0:  # the first round warms up
                runs[case.name].append(run)
    print(f"### {title}\n")
    print("| | ratio to (a) | lowest, highest | requests/s | p50 ms | p90 ms | p99 ms | peak MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    yard = runs[cases[0].name]
    for case in cases:
        own = runs[case.name]
        ratios = [run.rate / bare.rate for run, bare in zip(own, yard, strict=True)]
        percentiles = " | ".join(f"{statistics.median(run.percentile(at) for run in own):.1f}" for at in (50, 90, 99))
        print(
            f"| {case.name} | {statistics.median(ratios):.2f} | {min(ratios):.2f}, {max(ratios):.2f} "
            f"| {statistics.median(run.rate for run in own):.0f} | {percentiles} | {case.server.peak_mib():.0f} |",
            flush=True,
        )
    print()
    return runs


def _echo() -> bytes:
    body = {"token": "GP1:" + "A" * 196, "gate": GATE, "request_id": "0123456789abcdef"}
    return request("/echo", json.dumps(body).encode())


def _verify(at: Site, texts: list[str], *, retries: bool = False, gate: str = GATE) -> list[bytes]:
    bodies: list[dict[str, str]] = [{"token": text, "gate": gate} for text in texts]
    if retries:
        bodies = [{**body, "request_id": os.urandom(8).hex()} for body in bodies]
    return [request(PATH, json.dumps(body).encode(), at.key) for body in bodies]


def _pictures(at: Site, texts: list[str]) -> list[bytes]:
    return [request(PATH, json.dumps({"picture": _frame(text), "gate": GATE}).encode(), at.key) for text in texts]


def _frame(text: str) -> str:
    """A 720p JPEG with the code in it, a third of its height, as base64."""
    frame = Image.effect_noise((1280, 720), 40).convert("RGB")
    code = Image.open(BytesIO(draw_png(text))).convert("RGB").resize((240, 240))
    frame.paste(code, (520, 240))
    jpeg = BytesIO()
    frame.save(jpeg, "JPEG", quality=80)
    return b64encode(jpeg.getvalue()).decode("ascii")


if __name__ == "__main__":
    main()
