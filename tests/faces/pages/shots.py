"""Pictures of every state of the kiosk page, to be looked at: `python -m tests.faces.pages.shots FOLDER`."""

import sys
import tempfile
from pathlib import Path

from tests.faces.http.server import served
from tests.faces.pages.tablet import LANDSCAPE, PORTRAIT, Site, Tablet, chromium, tablet
from tests.line import Line, line_to

SIZES = {"1280x800": LANDSCAPE, "390x844": PORTRAIT}
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}


def main(folder: Path) -> None:
    """Every state in both sizes and languages."""
    with (
        tempfile.TemporaryDirectory() as name,
        served(Path(name)) as server,
        line_to(server.url) as between,
        chromium() as browser,
    ):
        site = Site(server.url, server.key)
        far = Site(between.url, server.key)
        site.create("/v1/gates", id="main-door", name="Main door", offline="admit_and_reconcile", direction="entry")
        site.create("/v1/gates", id="side-door", name="Side door", direction="both")
        site.create("/v1/holders", ref="emp-1", name="Ada Lovelace")
        for language, locale in LANGUAGES.items():
            for size, viewport in SIZES.items():
                place = folder / f"{language}-{size}"
                place.mkdir(parents=True, exist_ok=True)
                with tablet(browser, between.url, locale=locale, viewport=viewport, reduced_motion="reduce") as one:
                    new_tablet(one, far, place)
                    at_work(one, site, place)
                    in_trouble(one, site, between, place)


def shoot(one: Tablet, folder: Path, name: str) -> None:
    one.page.wait_for_timeout(80)
    one.page.screenshot(path=folder / f"{name}.png")


def new_tablet(one: Tablet, far: Site, folder: Path) -> None:
    """Until it is set up."""
    device = far.create("/v1/devices", name="Lobby tablet", gate="main-door")
    one.open()
    one.wait(step="find", camera="on")
    shoot(one, folder, "01-find")
    one.show(device["setup"]["qr"])
    one.wait(step="confirm")
    one.hide()
    one.page.wait_for_timeout(400)
    shoot(one, folder, "02-confirm")
    far.http.post("/v1/devices/initialize", json={"handshake_version": 1, "token": device["setup"]["token"]})
    one.page.locator("#setup-go").click()
    one.wait(step="failed")
    shoot(one, folder, "03-failed")
    one.set_up(far.create("/v1/devices", name="Lobby tablet", gate="main-door"))
    one.wait(copy="kept", camera="on")
    one.page.locator(".stage").click()
    shoot(one, folder, "04-ready")


def at_work(one: Tablet, site: Site, folder: Path) -> None:
    """What visitors see, and whoever looks after it."""
    token = site.token(site.pass_("emp-1"))
    one.show(token["picture"])
    one.wait(state="admit")
    shoot(one, folder, "05-admit")
    one.hide()
    one.wait(state="ready")
    site.change("/v1/gates/main-door", repeat_window_s=60)
    one.wedge(token["token"])
    one.body(state="admit").and_(one.page.locator("[data-again]")).wait_for()
    shoot(one, folder, "05-again")
    site.change("/v1/gates/main-door", repeat_window_s=0)
    one.wait(state="ready")
    one.scan(token, state="deny")
    shoot(one, folder, "06-deny")
    one.wait(state="ready")
    shoot(one, folder, "07-last")
    one.page.locator("#keypad-open").click()
    for digit in "10428392017":
        one.page.locator(f'#keypad [data-key="{digit}"]').click()
    shoot(one, folder, "08-keypad")
    one.page.locator('#keypad [data-key="Escape"]').click()
    one.page.locator("#about-open").click()
    one.page.wait_for_timeout(300)
    shoot(one, folder, "09-about")
    one.page.locator("#about-close").click()


def in_trouble(one: Tablet, site: Site, between: Line, folder: Path) -> None:
    """What may go wrong, up to a tablet that was signed out."""
    one.page.evaluate("() => testCamera.pull()")
    one.wait(camera="lost")
    shoot(one, folder, "10-camera-lost")
    one.page.evaluate("() => testCamera.plug()")
    one.wait(camera="on")
    between.cut()
    one.scan(site.token(kind="short"), state="deny")
    one.wait(queued="1", network="offline")
    one.page.evaluate("() => { const real = Date.now.bind(Date); Date.now = () => real() + 5 * 3600e3; }")
    one.wait(bundle="stale", state="ready")
    one.page.wait_for_timeout(1_100)
    shoot(one, folder, "11-offline")
    between.mend()
    one.page.reload()
    one.wait(state="ready", network="online", queued="0", camera="on")
    site.change(f"/v1/devices/{listed(site)}", gate="side-door")
    one.page.reload()
    one.page.locator("#ways").wait_for()
    one.wait(camera="on")
    shoot(one, folder, "12-both-ways")
    site.http.delete(f"/v1/devices/{listed(site)}")
    one.page.wait_for_timeout(2_500)
    one.page.reload()
    one.wait(state="revoked", camera="on")
    shoot(one, folder, "13-revoked")


def listed(site: Site) -> str:
    newest: str = site.items("/v1/devices")[0]["id"]
    return newest


if __name__ == "__main__":
    main(Path(sys.argv[1]))
