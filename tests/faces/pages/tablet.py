"""A tablet at a gate: Debian's Chromium without a screen, whose camera sees the pictures that a test holds before it."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, BrowserType, Locator, Page, expect, sync_playwright

LANDSCAPE = {"width": 1280, "height": 800}
PORTRAIT = {"width": 390, "height": 844}
PATIENCE_MS = 15_000

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
)

_CAMERA = """
(() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const pen = canvas.getContext("2d");
  let [picture, side, streams] = [null, 320, []];
  const draw = () => {
    pen.fillStyle = "#4d5a58";
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = `rgb(80, 90, ${80 + (performance.now() / 40) % 40})`;
    pen.fillRect(0, 0, 40, 40); // so that every frame is a new one
    if (picture) pen.drawImage(picture, (1280 - side) / 2, (720 - side) / 2, side, side);
  };
  setInterval(draw, 33);
  window.testCamera = {
    async show(source, size = 320) {
      const next = new Image();
      next.src = source;
      await next.decode();
      [picture, side] = [next, size];
      draw();
      window.testCamera.shownAt = performance.now();
    },
    hide() { picture = null; },
    pull() { streams.forEach((stream) => stream.getTracks().forEach((track) => {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    })); streams = []; window.testCamera.gone = true; },
    plug() { window.testCamera.gone = false; },
  };
  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getUserMedia = async () => {
    if (window.testCamera.gone) throw new DOMException("no camera", "NotReadableError");
    const stream = canvas.captureStream(30);
    streams.push(stream);
    return stream;
  };
  navigator.mediaDevices.enumerateDevices = async () => [{ kind: "videoinput", deviceId: "test", label: "" }];
})();
"""

_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Site:
    """A running service as whoever looks after a site calls it."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=15)

    def create(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def change(self, path: str, **body: Any) -> None:
        self.http.patch(path, json=body).raise_for_status()

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.http.get(path, params=query).raise_for_status().json()["items"]
        return listed

    def pass_(self, holder: str = "emp-1042", **body: Any) -> str:
        id_: str = self.create("/v1/passes", holder=holder, **{"gates": "all", **body})["id"]
        return id_

    def token(self, pass_: str | None = None, kind: str = "signed", **body: Any) -> dict[str, Any]:
        return self.create(
            "/v1/tokens", **{"pass": pass_ or self.pass_(), "kind": kind, "picture": "png", "ttl_s": 300, **body}
        )


class Tablet:
    """One page of a browser, and what happens around it."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"{self.url}/kiosk{fragment}")

    def body(self, **data: str) -> Locator:
        return self.page.locator("body" + "".join(f'[data-{name}="{value}"]' for name, value in data.items()))

    def wait(self, **data: str) -> None:
        """Until the page is in that state."""
        self.body(**data).wait_for(state="attached", timeout=PATIENCE_MS)

    def show(self, picture: str) -> None:
        """Hold a picture before the camera."""
        self.page.evaluate("(picture) => testCamera.show(picture)", picture)

    def hide(self) -> None:
        self.page.evaluate("() => testCamera.hide()")

    def scan(self, token: dict[str, Any], **data: str) -> None:
        """Hold a code before the camera until its verdict is shown, which has to be that one, and take it away."""
        verdicts = int(self.page.locator("body").get_attribute("data-verdict") or 0)
        self.show(token["picture"])
        self.wait(**data, verdict=str(verdicts + 1))
        self.hide()

    @contextmanager
    def answering(self, status: int, answer: dict[str, Any]) -> Iterator[None]:
        """While the service says that to every verification."""
        own = {"Request-Id": "req_0"}
        self.context.route("**/v1/verifications", lambda route: route.fulfill(status=status, headers=own, json=answer))
        yield
        self.context.unroute("**/v1/verifications")

    def wedge(self, text: str, end: str = "Enter") -> None:
        """What a scanner types that is plugged in as a keyboard: a key every 5 ms, however busy this machine is."""
        keys = [*text, end]
        started = time.time() - len(keys) / 200
        session = self.context.new_cdp_session(self.page)
        for place, key in enumerate(keys):
            typed = {} if key == "Tab" else {"text": "\r" if key == "Enter" else key}
            event = {"type": "keyDown", "key": key, "timestamp": started + place / 200, **typed}
            session.send("Input.dispatchKeyEvent", event)
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": end})
        session.detach()

    def says(self, name: str, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator(f'[data-show="{name}"]')).to_have_text(words, timeout=PATIENCE_MS)

    def set_up(self, device: dict[str, Any]) -> None:
        """Set up by the link, with the one tap."""
        self.open(device["setup"]["url"].partition("/kiosk")[2])
        self.page.locator("#setup-go").click()
        self.wait(state="ready", bundle="fresh")

    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("() => window.violations")
        return found


def launch(kind: BrowserType, *arguments: str) -> Browser:
    """The Chromium that is installed; nothing is downloaded."""
    path = shutil.which("chromium")
    assert path, "Chromium is needed: make needs-programs"
    return kind.launch(executable_path=path, args=[*_ARGUMENTS, *arguments])


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser with a driver of its own."""
    with sync_playwright() as driver:
        browser = launch(driver.chromium, *arguments)
        yield browser
        browser.close()


@contextmanager
def tablet(
    browser: Browser, url: str, *, locale: str = "en-GB", real_camera: bool = False, **options: Any
) -> Iterator[Tablet]:
    """A tablet that has never been here."""
    context = browser.new_context(locale=locale, **{"viewport": LANDSCAPE, **options})
    context.add_init_script(_VIOLATIONS + ("" if real_camera else _CAMERA))
    try:
        yield Tablet(context, url)
    finally:
        context.close()


def shoot(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png")
