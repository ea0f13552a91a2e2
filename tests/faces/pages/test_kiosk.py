"""The kiosk page in a real browser, against a real service: what a guard and a visitor see."""

import base64
import io
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.faces.http.server import served
from tests.faces.pages.tablet import PATIENCE_MS, PORTRAIT, Site, Tablet, chromium, launch, tablet
from tests.line import Line, line_to

GATE = "main-door"
UNREACHABLE = re.compile(r"net::ERR_|Failed to load resource|TimeoutError|signal timed out")
NO_ED25519 = "crypto.subtle.importKey = async () => { throw new DOMException('no', 'NotSupportedError'); }"
FAKE_CLOCK = "(seconds) => { const real = Date.now.bind(Date); Date.now = () => real() + seconds * 1000; }"


class Place(NamedTuple):
    """A site with its browser, and the network between the two."""

    browser: Browser
    site: Site
    line: Line
    passes: dict[str, str]
    """Those that a kiosk without the network is to know of, by holder: they are older than its bundle."""

    def device(self, gate: str = GATE, name: str = "Tablet at the door") -> dict[str, Any]:
        """A device to set up, at the address that the tablet has of the service."""
        far = Site(self.line.url, self.site.key)
        try:
            return far.create("/v1/devices", name=name, gate=gate)
        finally:
            far.http.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with (
        served(tmp_path_factory.mktemp("kiosk")) as server,
        line_to(server.url) as between,
        chromium("--host-resolver-rules=MAP gate.test 127.0.0.1") as browser,
    ):
        site = Site(server.url, server.key)
        site.create("/v1/gates", id=GATE, name="Main door", offline="admit_and_reconcile")
        passes = {holder: site.pass_(holder) for holder in ("emp-12", "emp-13", "emp-15", "emp-16", "emp-17")}
        passes["emp-11"] = site.pass_("emp-11", max_entries=3)
        yield Place(browser, site, between, passes)
        site.http.close()


@pytest.fixture(scope="module")
def one_kiosk(place: Place) -> Iterator[Tablet]:
    """A kiosk that is set up, and kept offline."""
    with tablet(place.browser, place.line.url) as made:
        made.set_up(place.device())
        made.wait(copy="kept", camera="on")
        yield made


@pytest.fixture
def kiosk(place: Place, one_kiosk: Tablet) -> Iterator[Tablet]:
    """That kiosk, ready and with the network, before a test; after it nothing was wrong."""
    place.line.mend()
    one_kiosk.hide()
    one_kiosk.wait(state="ready", network="online", camera="on", queued="0")
    one_kiosk.complaints.clear()
    yield one_kiosk
    assert [said for said in one_kiosk.complaints if not UNREACHABLE.search(said)] == []
    assert one_kiosk.violations() == []


def admissions(site: Site, **query: str) -> list[dict[str, object]]:
    return site.items("/v1/verifications", decision="admit", **query)


# Setting up


def test_it_is_set_up_by_showing_the_code_to_its_camera_and_one_tap(place: Place) -> None:
    device = place.device(name="Lobby")
    with tablet(place.browser, place.line.url) as new:
        new.open()
        new.wait(state="setup", step="find", camera="on")
        new.show(place.site.token()["picture"])
        new.says("setup-wrong", "That is no set-up code.")
        new.show(device["setup"]["qr"])
        new.wait(step="confirm")
        new.says("setup-site", place.line.url.removeprefix("http://"))
        expect(new.page.locator('#checks [data-check="fine"]')).to_have_count(
            3
        )  # a test's browser may clear its storage
        listed = next(each for each in place.site.items("/v1/devices") if each["id"] == device["id"])
        assert listed["initialized_at"] is None
        new.page.locator("#setup-go").click()
        new.wait(state="ready", bundle="fresh")
        new.says("gate", GATE)
        new.says("device", "Lobby")
        assert new.complaints == []
        assert new.violations() == []


def test_a_set_up_code_that_does_not_work_is_told_in_plain_words(place: Place) -> None:
    device = place.device()
    token = device["setup"]["token"]
    initialize = {"handshake_version": 1, "token": token}
    place.site.http.post("/v1/devices/initialize", json=initialize).raise_for_status()
    with tablet(place.browser, place.line.url) as new:
        new.open()
        for fragment, words in (
            (f"#setup={token}&v=1", "This set-up code was used already. Ask for a new one."),
            (f"#setup={token}&v=2", "The service is newer than this page. Reload the page, then try again."),
            ("#setup=gp_setup_nobody&v=1", "This set-up code is not known here. Ask for a new one."),
        ):
            new.page.locator("#setup-link").fill(f"{place.line.url}/kiosk{fragment}")
            new.page.locator("#setup-paste button").click()
            new.page.locator("#setup-go").click()
            new.wait(step="failed")
            new.says("setup-error", words)
            new.page.locator('.step[data-step="failed"] [data-setup-other]').click()
        new.page.locator("#setup-link").fill("https://elsewhere.example/kiosk#setup=abc&v=1")
        new.page.locator("#setup-paste button").click()
        new.says("setup-wrong", "That code is for elsewhere.example. Open that address on this tablet.")


def test_the_token_leaves_the_address_at_once_and_an_insecure_address_is_told(place: Place) -> None:
    url = place.line.url.replace("127.0.0.1", "gate.test")
    with tablet(place.browser, url, viewport=PORTRAIT) as new:
        new.open("#setup=gp_setup_anything&v=1")
        new.wait(state="setup", step="confirm")
        assert new.page.url == f"{url}/kiosk"
        for name in ("secure", "camera", "keys"):
            expect(new.page.locator(f'#checks [data-name="{name}"]')).to_have_attribute("data-check", "missing")
        expect(new.page.locator("#checks")).to_contain_text("Open the https address.")
        expect(new.page.locator("#setup-go")).to_be_disabled()


def test_it_reads_what_a_camera_films(place: Place, tmp_path: Path) -> None:
    """The browser's own fake camera, through getUserMedia and all that lies behind it."""
    code = Image.open(io.BytesIO(base64.b64decode(place.device()["setup"]["qr"].partition(",")[2]))).convert("RGB")
    frame = Image.new("RGB", (640, 480), "#50605c")
    frame.paste(code.resize((300, 300), Image.Resampling.NEAREST), (170, 90))
    with (tmp_path / "camera.mjpeg").open("wb") as film:
        for _ in range(10):
            frame.save(film, "JPEG", quality=85)
    camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={tmp_path}/camera.mjpeg")
    second = launch(place.browser.browser_type, *camera)
    try:
        with tablet(second, place.line.url, real_camera=True) as new:
            new.open()
            new.wait(step="confirm", camera="on")
            assert new.complaints == []
    finally:
        second.close()


def test_a_set_up_that_fails_leaves_a_kiosk_what_it_was(place: Place, kiosk: Tablet) -> None:
    kiosk.page.evaluate("() => { location.hash = '#setup=gp_setup_nobody&v=1'; }")
    kiosk.wait(step="confirm")
    kiosk.page.locator("#setup-go").click()
    kiosk.wait(step="failed")
    kiosk.says("setup-error", "This set-up code is not known here. Ask for a new one.")
    kiosk.page.get_by_role("button", name="Back to the gate").click()
    kiosk.wait(state="ready")
    kiosk.scan(place.site.token(), state="admit")
    assert "Setting up failed. 404 not_found" in kiosk.complaints
    kiosk.complaints.clear()


# At the gate


def test_a_code_lets_in_once_and_the_screen_is_ready_again(place: Place, kiosk: Tablet) -> None:
    place.site.create("/v1/holders", ref="emp-7", name="<b>Ada</b> Lovelace")
    token = place.site.token(place.site.pass_("emp-7"))
    kiosk.show(token["picture"])
    kiosk.wait(state="admit")
    kiosk.says("word", "Come in")
    kiosk.says("name", "<b>Ada</b> Lovelace")
    shown = time.monotonic()
    kiosk.wait(state="ready")
    assert 0.8 < time.monotonic() - shown < 3
    assert "Lovelace" not in kiosk.page.content()
    kiosk.page.wait_for_timeout(1_000)  # held still before the camera, it is not asked again
    assert len(place.site.items("/v1/verifications", holder="emp-7")) == 1
    kiosk.hide()
    kiosk.page.wait_for_timeout(1_100)
    kiosk.show(token["picture"])
    kiosk.wait(state="deny", reason="already_used")
    kiosk.says("word", "No entry")
    kiosk.says("what", "This code was used already")
    kiosk.says("todo", "Open a fresh code and show it.")
    kiosk.wait(state="ready")
    kiosk.says("last-what", "Not let in: This code was used already")


def test_a_code_that_is_shown_again_within_the_repeat_window_has_words_of_its_own(place: Place, kiosk: Tablet) -> None:
    place.site.change(f"/v1/gates/{GATE}", repeat_window_s=60)
    token = place.site.token()
    kiosk.wedge(token["token"])
    kiosk.says("word", "Come in")
    kiosk.wedge(token["token"])
    kiosk.says("word", "Already let in")
    place.site.change(f"/v1/gates/{GATE}", repeat_window_s=0)
    kiosk.wait(state="ready")


def test_codes_are_typed_on_the_keypad(place: Place, kiosk: Tablet) -> None:
    code = place.site.token(kind="code")
    kiosk.page.locator("#keypad-open").click()
    for digit in code["token"].replace(" ", ""):
        kiosk.page.locator(f'#keypad [data-key="{digit}"]').click()
    expect(kiosk.page.locator("[data-digits]")).to_have_text(code["display"])
    kiosk.page.locator('#keypad [data-key="Backspace"]').click()
    expect(kiosk.page.locator('#keypad [data-key="Enter"]')).to_be_disabled()
    kiosk.page.keyboard.press(code["token"][-1])  # a keyboard does as well
    kiosk.page.locator('#keypad [data-key="Enter"]').click()
    kiosk.wait(state="admit")
    kiosk.wait(state="ready")


def test_a_scanner_that_types_presses_no_button_and_its_marks_are_taken_off(place: Place, kiosk: Tablet) -> None:
    first, second, third = (place.site.token(place.site.pass_("emp-9")) for _ in range(3))
    kiosk.page.locator("#keypad-open").focus()
    kiosk.wedge("\\000026" + first["token"])
    kiosk.wait(state="admit")
    expect(kiosk.page.locator("#keypad")).to_be_hidden()
    kiosk.wedge(second["token"], end="Tab")  # while the verdict before is still shown
    kiosk.wedge(third["token"])
    kiosk.wait(state="ready")
    assert len(admissions(place.site, holder="emp-9")) == 3
    kiosk.wedge("https://example.com/menu")
    kiosk.wait(state="deny", reason="unrecognised")


def test_a_camera_that_is_lost_comes_back_and_scanners_work_meanwhile(place: Place, kiosk: Tablet) -> None:
    kiosk.page.evaluate("() => testCamera.pull()")
    kiosk.wait(camera="lost")
    kiosk.says("camera-word", "The camera is gone")
    kiosk.wedge(place.site.token()["token"])
    kiosk.wait(state="admit", camera="lost")
    kiosk.page.evaluate("() => testCamera.plug()")
    kiosk.wait(state="ready", camera="on")


def test_it_speaks_the_browsers_language_until_it_is_switched_by_hand(place: Place) -> None:
    with tablet(place.browser, place.line.url, locale="zh-CN") as new:
        new.open()
        new.says("setup-title", "设置本终端")
        assert new.page.locator("html").get_attribute("lang") == "zh-Hans"
        new.page.locator("#language").click()
        new.says("setup-title", "Set up this kiosk")
        new.page.reload()
        new.says("setup-title", "Set up this kiosk")


# Without the network


def test_without_the_network_it_opens_decides_and_sends_later(place: Place, kiosk: Tablet) -> None:
    online, first, second, third = (place.site.token(place.passes["emp-11"]) for _ in range(4))
    short = place.site.token(kind="short")
    kiosk.scan(online, state="admit")
    place.line.cut()
    kiosk.page.reload()
    kiosk.wait(state="ready", bundle="fresh", camera="on")
    kiosk.scan(online, state="deny", reason="already_used")  # though it was used online
    kiosk.scan(first, state="admit")
    kiosk.says("network-word", "Offline")
    kiosk.page.reload()  # what is used stays used
    kiosk.wait(state="ready", bundle="fresh", camera="on")
    kiosk.scan(first, state="deny", reason="already_used")
    kiosk.scan(second, state="admit")
    kiosk.scan(third, state="deny", reason="no_entries_left")
    kiosk.scan(short, state="deny", reason="needs_network")
    kiosk.wait(queued="6")
    expect(kiosk.page.locator('[data-notice="offline"]')).to_contain_text("6 checks wait to be sent")
    place.line.mend()
    kiosk.wait(network="online", queued="0")
    records = place.site.items("/v1/verifications", holder="emp-11")
    assert sorted((each["decision"], each["reason"]) for each in records) == [
        ("admit", "ok"),
        ("admit", "ok"),
        ("admit", "ok"),
        ("deny", "already_used"),
        ("deny", "already_used"),
        ("deny", "no_entries_left"),
    ]


def test_a_code_that_was_let_in_here_is_sent_before_the_service_is_asked_about_it_again(
    place: Place, kiosk: Tablet
) -> None:
    token = place.site.token(place.passes["emp-13"])
    place.line.cut()
    kiosk.scan(token, state="admit")
    kiosk.wait(network="offline", queued="1")
    place.line.mend()
    kiosk.wedge(token["token"])  # the kiosk may not have noticed yet that the network is back
    kiosk.wait(reason="already_used")
    kiosk.wait(network="online", queued="0")
    assert len(admissions(place.site, holder="emp-13")) == 1


def test_an_answer_that_is_lost_leads_to_one_admission(place: Place, kiosk: Tablet) -> None:
    token, short = (place.site.token(place.passes["emp-12"], kind=kind) for kind in ("signed", "short"))
    place.line.to_lose = math.inf
    kiosk.scan(token, state="admit")
    kiosk.scan(short, state="deny", reason="needs_network")  # which the service let in
    kiosk.wait(network="offline", queued="2")
    place.line.cut()
    place.line.mend()
    kiosk.wait(network="online", queued="0")
    undone, let_in = place.site.items("/v1/verifications", holder="emp-12")
    assert (let_in["token_kind"], let_in["undone_at"]) == ("signed", None)
    assert (undone["token_kind"], undone["decision"]) == ("short", "admit")
    assert undone["undone_at"] is not None
    verification = {"token": short["token"], "gate": GATE}
    assert place.site.http.post("/v1/verifications", json=verification).json()["reason"] == "ok"  # it is good again
    expect(kiosk.page.locator('[data-notice="conflicts"]')).to_have_count(0)


def test_a_code_that_was_used_elsewhere_meanwhile_is_shown_as_a_conflict(place: Place, kiosk: Tablet) -> None:
    token = place.site.token(place.passes["emp-13"])
    place.line.cut()
    verification = {"token": token["token"], "gate": GATE}
    assert place.site.http.post("/v1/verifications", json=verification).json()["decision"] == "admit"
    kiosk.scan(token, state="admit")
    kiosk.wait(network="offline", queued="1")
    place.line.mend()
    kiosk.wait(network="online", queued="0")
    notice = kiosk.page.locator('[data-notice="conflicts"]')
    expect(notice).to_contain_text("1 entry that was let in without the network needs a look at the desk.")
    assert place.site.items("/v1/conflicts")[0]["reason"] == "already_used"
    notice.locator("button").click()
    expect(notice).to_have_count(0)


def test_what_the_networks_sign_in_page_answers_is_no_answer(place: Place, kiosk: Tablet) -> None:
    kiosk.context.route("**/v1/**", lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Wi-Fi"))
    kiosk.context.route("**/readyz", lambda route: route.fulfill(status=204))
    kiosk.scan(place.site.token(place.passes["emp-16"]), state="admit")
    kiosk.wait(network="offline", queued="1")
    kiosk.context.unroute("**/v1/**")
    kiosk.context.unroute("**/readyz")
    kiosk.wait(network="online", queued="0")


def test_a_clock_that_is_wrong_and_news_that_is_old_let_nobody_in(place: Place, kiosk: Tablet) -> None:
    token = place.site.token(place.passes["emp-15"], ttl_s=86_400)
    place.line.cut()
    kiosk.page.evaluate(FAKE_CLOCK, -3_600)
    kiosk.scan(token, state="deny", reason="clock_behind")
    expect(kiosk.page.locator('[data-notice="clock"]')).to_contain_text("wrong by")
    kiosk.page.evaluate(FAKE_CLOCK, 3_600 + 5 * 3_600)
    kiosk.scan(token, state="deny", reason="stale_bundle")
    expect(kiosk.page.locator('[data-notice="stale"]')).to_be_visible(timeout=PATIENCE_MS)
    kiosk.page.reload()  # with the right clock again
    place.line.mend()
    kiosk.wait(state="ready", network="online", bundle="fresh")


def test_a_browser_that_cannot_check_signatures_is_a_kiosk_with_a_network(place: Place) -> None:
    with tablet(place.browser, place.line.url) as old:
        old.context.add_init_script(NO_ED25519)
        device = place.device()
        old.open(device["setup"]["url"].partition("/kiosk")[2])
        expect(old.page.locator("#checks")).to_contain_text("The kiosk works with a network only.")
        old.page.locator("#setup-go").click()
        old.wait(state="ready", bundle="none", camera="on")
        old.scan(place.site.token(), state="admit")
        place.line.cut()
        old.scan(place.site.token(), state="deny", reason="unavailable")
        place.line.mend()
        old.wait(network="online", queued="0")


# On the way out


@pytest.fixture(scope="module")
def way_out(place: Place) -> Iterator[Tablet]:
    """A kiosk at an exit."""
    place.line.mend()
    place.site.create("/v1/gates", id="way-out", name="Way out", direction="exit")
    with tablet(place.browser, place.line.url) as made:
        made.set_up(place.device(gate="way-out"))
        made.wait(camera="on")
        yield made


def test_one_code_that_the_service_never_takes_does_not_hold_up_the_queue(place: Place, way_out: Tablet) -> None:
    before, after = (place.site.token(place.site.pass_("emp-18")) for _ in range(2))
    place.line.cut()
    way_out.scan(before, state="admit")
    way_out.wedge("\0never")
    way_out.wait(queued="2")
    way_out.scan(after, state="admit")
    way_out.wait(network="offline", queued="3")
    place.line.mend()
    way_out.wait(network="online", queued="0")
    assert len(admissions(place.site, holder="emp-18")) == 2
    assert "The service did not take a verification. malformed_body" in way_out.complaints
    kept = "() => new Promise((done) => { indexedDB.open('gatepass-kiosk').onsuccess = ({ target }) => {"
    assert (
        way_out.page.evaluate(
            f"{kept} target.result.transaction('queue').objectStore('queue').count().onsuccess ="
            " ({ target }) => done(target.result); }; })"
        )
        == 0
    )


def test_nobody_is_held_back_on_the_way_out_whatever_the_service_makes_of_the_question(
    place: Place, way_out: Tablet
) -> None:
    place.line.mend()
    way_out.wedge("\0never")
    way_out.wait(state="admit")
    way_out.says("word", "Go ahead")
    for status in (400, 403, 404, 409, 422):
        with way_out.answering(status, {}):
            way_out.scan(place.site.token(place.site.pass_(f"emp-{status}")), state="admit")
    not_kept = {"decision": "admit", "reason": "ok", "flags": ["unavailable"]}
    with way_out.answering(200, not_kept):
        way_out.scan(place.site.token(place.site.pass_("emp-200")), state="admit")
    way_out.wait(queued="7")
    way_out.page.reload()  # or it is sent within half a minute
    until = time.monotonic() + PATIENCE_MS / 1000
    while not admissions(place.site, holder="emp-200") and time.monotonic() < until:
        way_out.page.wait_for_timeout(100)
    for status in (200, 400, 403, 404, 409, 422):
        assert len(admissions(place.site, holder=f"emp-{status}")) == 1


def test_nobody_is_held_back_on_the_way_out_though_the_browser_throws_away_what_is_kept(
    place: Place, way_out: Tablet
) -> None:
    place.line.mend()
    way_out.wait(state="ready", network="online", queued="0")
    session = way_out.context.new_cdp_session(way_out.page)
    session.send("Storage.clearDataForOrigin", {"origin": place.line.url, "storageTypes": "indexeddb"})
    way_out.scan(place.site.token(), state="admit")
    place.line.cut()
    way_out.scan(place.site.token(), state="admit")
    way_out.wait(network="offline", queued="1")
    way_out.page.evaluate("() => { IDBDatabase.prototype.transaction = () => { throw new Error('broken'); }; }")
    way_out.scan(place.site.token(), state="admit")
    place.line.mend()
    way_out.page.reload()
    way_out.wait(state="ready", queued="0")  # what the kiosk is was kept again


def test_what_was_let_out_stays_so_though_the_gate_has_become_an_entry(place: Place) -> None:
    place.site.create("/v1/gates", id="lift", name="Lift", direction="exit")
    with tablet(place.browser, place.line.url) as lift:
        lift.set_up(place.device(gate="lift"))
        lift.wait(camera="on")
        token = place.site.token(place.site.pass_("emp-19"))
        place.line.cut()
        lift.scan(token, state="admit")
        place.site.change("/v1/gates/lift", direction="entry")
        place.line.mend()
        lift.wait(network="online", queued="0")
    verification = {"token": token["token"], "gate": GATE}
    assert place.site.http.post("/v1/verifications", json=verification).json()["reason"] == "ok"


# What the operator changes


def test_a_kiosk_that_is_moved_and_then_revoked_follows(place: Place) -> None:
    place.site.create("/v1/gates", id="back-door", name="Back door", direction="both")
    device = place.device(name="Wanderer")
    with tablet(place.browser, place.line.url) as moved:
        moved.set_up(device)
        moved.wait(camera="on")
        place.site.change(f"/v1/devices/{device['id']}", gate="back-door")
        moved.scan(place.site.token(), state="admit")
        moved.says("gate", "back-door")
        moved.page.locator('[data-way="exit"]').click()
        moved.show(place.site.token(place.site.pass_("emp-14"))["picture"])
        moved.says("word", "Go ahead")
        assert admissions(place.site, holder="emp-14")[0]["direction"] == "exit"
        moved.hide()
        place.site.http.delete(f"/v1/devices/{device['id']}").raise_for_status()
        moved.page.wait_for_timeout(2_000)
        moved.show(place.site.token()["picture"])
        moved.wait(state="revoked", step="find")
        moved.says("setup-title", "This kiosk was signed out")


def test_what_another_device_decided_here_is_not_sent_in_the_name_of_the_next(place: Place) -> None:
    """Under another key the service would not know what it has answered already."""
    first = place.device(name="First")
    with tablet(place.browser, place.line.url) as tab:
        tab.set_up(first)
        tab.wait(copy="kept", camera="on")
        token = place.site.token(place.passes["emp-17"])
        place.line.cut()
        tab.scan(token, state="admit")
        tab.wait(network="offline", queued="1")
        place.site.http.delete(f"/v1/devices/{first['id']}").raise_for_status()
        place.line.mend()
        tab.wait(state="revoked", queued="1")
        tab.set_up(place.device(name="Second"))
        tab.wait(network="online", queued="0")
        tab.page.locator("#about-open").click()
        expect(tab.page.locator("#facts")).to_contain_text("Of an earlier set-up1", timeout=PATIENCE_MS)
        assert place.site.items("/v1/verifications", holder="emp-17") == []
