"""`python -m bench.kiosk`: how fast the kiosk page is, in Chromium without a screen and on the loopback.

What a person waits for: from the page's address to a camera that reads, and from a code in front of the camera to the
verdict on the screen. The camera is a canvas of 1280 x 720 at 30 frames a second, so a code waits half a frame on
average before it is seen at all. Everything in between is real: decoding, the question over HTTP, the durable answer,
and what the kiosk keeps of it.
"""

import os
import platform
import statistics
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

from tests.faces.http.server import served
from tests.faces.pages.tablet import Site, Tablet, chromium, tablet

GATE = "main-door"
_WATCH = """
window.decoded = [];
window.Worker = class extends Worker {
  constructor(...how) {
    super(...how);
    this.addEventListener("message", ({ data }) => data.milliseconds && decoded.push(data.milliseconds));
  }
};
new MutationObserver(() => {
  const { state, camera, verdict } = document.body.dataset;
  if (["ready", "setup"].includes(state) && camera === "on") window.readyAt ??= performance.now();
  if (verdict && verdict !== window.verdict) [window.verdict, window.verdictAt] = [verdict, performance.now()];
}).observe(document, { subtree: true, attributeFilter: ["data-state", "data-camera", "data-verdict"] });
"""


def main() -> None:
    """Measure, and print Markdown."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--codes", type=int, default=50)
    arguments.add_argument("--starts", type=int, default=5)
    chosen = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {chosen.codes} codes, {chosen.starts} starts\n")
    with tempfile.TemporaryDirectory(prefix="gatepass-bench-") as name, served(Path(name)) as server:
        site = Site(server.url, server.key)
        site.create("/v1/gates", id=GATE, name="Main door", offline="admit_and_reconcile")
        device = site.create("/v1/devices", name="Tablet", gate=GATE)
        with chromium() as browser, tablet(browser, server.url) as kiosk:
            kiosk.context.add_init_script(_WATCH)
            print("| | median ms | p95 ms |\n|---|---:|---:|")
            _print(
                "the first time: from the address to the camera's picture",
                _first_starts(browser, server.url, chosen.starts),
            )
            kiosk.set_up(device)
            kiosk.wait(copy="kept", camera="on")
            _print("later: from the address to ready with the camera", [_start(kiosk) for _ in range(chosen.starts)])
            pass_ = site.pass_()
            _print("from a code before the camera to green", [_scan(kiosk, site, pass_) for _ in range(chosen.codes)])
            _print("of it: decoding one frame", kiosk.page.evaluate("() => window.decoded"))


def _first_starts(browser: Browser, url: str, count: int) -> list[float]:
    """By browsers that have kept nothing of the page."""
    took = []
    for _ in range(count):
        with tablet(browser, url) as new:
            new.context.add_init_script(_WATCH)
            new.open()
            new.wait(step="find", camera="on")
            took.append(new.page.evaluate("() => window.readyAt"))
    return took


def _start(kiosk: Tablet) -> float:
    kiosk.page.reload()
    kiosk.wait(state="ready", camera="on")
    at: float = kiosk.page.evaluate("() => window.readyAt")
    return at


def _scan(kiosk: Tablet, site: Site, pass_: str) -> float:
    kiosk.scan(site.token(pass_), state="admit")
    took: float = kiosk.page.evaluate("() => window.verdictAt - testCamera.shownAt")
    return took


def _print(name: str, values: Sequence[float]) -> None:
    ordered = sorted(values)
    print(f"| {name} | {statistics.median(ordered):.1f} | {ordered[int(len(ordered) * 0.95)]:.1f} |")


if __name__ == "__main__":
    main()
