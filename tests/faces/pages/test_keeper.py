"""What keeps the kiosk's bundle, in a real browser and against a real service, on a line that is cut off all the time."""

import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Page, Route

from tests.faces.http.server import served
from tests.faces.pages.tablet import Site, chromium, tablet

GATE = "main-door"
ONE_AT_ONCE = (re.compile(r"const CHUNKS_AT_ONCE = \d+;"), "const CHUNKS_AT_ONCE = 1;")

REFRESH = """
async ([gate, key]) => {
  const [{ Api }, { Clock }, { Device }, { Keeper }, { openStore }, { missing }] = await Promise.all(
    ["api", "clock", "device", "keeper", "store", "core/bundle"].map((name) => import(`/kiosk/${name}.js`)));
  const store = await openStore();
  const api = new Api({ onTime() {}, onReach() {} });
  api.key = key;
  const device = new Device(store, { gate });
  const keeper = new Keeper({ api, store, clock: new Clock(store), device });
  await keeper.load();
  const told = await keeper.refresh().then(() => null, (error) => error.constructor.name);
  const there = keeper.bundle;
  const kept = (await store.entries("chunks")).map(([hash]) => hash).sort();
  const named = there && missing(there.manifest, () => false).sort();
  return { told, trouble: keeper.trouble, seq: there && there.manifest.seq, kept, named };
}
"""
"""The page was opened, and asks for its bundle: what became of it."""


class Kiosk(NamedTuple):
    """A page of the service's, on which nothing runs but what a test says."""

    page: Page
    site: Site

    def refresh(self) -> Any:
        """Open the page anew and ask for the bundle, once the service looks for changes again."""
        time.sleep(1.1)
        self.page.reload()
        return self.page.evaluate(REFRESH, [GATE, self.site.key])


@pytest.fixture
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiosk]:
    """Chunks are fetched one at a time: a bundle of more than 64 takes many passes."""
    with (
        served(tmp_path_factory.mktemp("keeper")) as server,
        chromium() as browser,
        tablet(browser, server.url, service_workers="block") as made,
    ):
        site = Site(server.url, server.key)
        site.create("/v1/gates", id=GATE, name="Main door")
        made.context.route("**/kiosk/keeper.js", changed)
        made.page.goto(f"{server.url}/kiosk/words.js")
        yield Kiosk(made.page, site)
        site.http.close()


def changed(route: Route) -> None:
    answer = httpx.get(route.request.url)
    body, count = ONE_AT_ONCE[0].subn(ONE_AT_ONCE[1], answer.text)
    assert count == 1
    route.fulfill(status=200, headers={"content-type": answer.headers["content-type"]}, body=body)


def test_a_download_that_is_cut_off_each_time_goes_on_where_it_ended_though_the_bundle_changes_meanwhile(
    kiosk: Kiosk,
) -> None:
    """One round gets through at each try, the page is opened anew after it, and somebody is always being suspended."""
    passes = [kiosk.site.pass_(f"emp-{number}") for number in range(40)]
    asked = list[str]()
    this_time = list[str]()

    def one_round(route: Route) -> None:
        if this_time:
            route.abort()
        else:
            this_time.append(route.request.url.partition("?of=")[2])
            route.continue_()

    kiosk.page.route("**/bundle/chunks?*", one_round)
    found = {"named": None}
    tries = 0
    while found["named"] is None:
        tries += 1
        assert tries < 20, "it never ends"
        kiosk.site.http.post(f"/v1/passes/{passes[tries]}/suspend", json={"reason": "a reason"}).raise_for_status()
        found = kiosk.refresh()
        asked += this_time
        this_time.clear()
    assert tries > 3, "so there were several rounds"
    assert len(asked) == len(set(asked)), "nothing was fetched twice"
    assert found["kept"] == found["named"], "what no manifest names has gone"


def test_what_is_there_of_chunks_is_kept_where_others_are_there_no_longer(kiosk: Kiosk) -> None:
    gone = b"\x81\xf6"  # [null]
    kiosk.site.http.post(f"/v1/passes/{kiosk.site.pass_('emp-1')}/suspend", json={"reason": "a"}).raise_for_status()
    answered = list[str]()

    def without_the_second(route: Route) -> None:
        answered.append(route.request.url)
        if len(answered) == 2:
            route.fulfill(status=200, headers={"Request-Id": "x"}, body=gone)
        else:
            route.continue_()

    kiosk.page.route("**/bundle/chunks?*", without_the_second)
    first = kiosk.refresh()
    assert (first["told"], first["trouble"], first["named"], len(first["kept"])) == (None, None, None, 1)
    second = kiosk.refresh()
    assert second["kept"] == second["named"] != first["kept"]
    assert set(first["kept"]) < set(second["named"])


def test_chunks_of_a_bundle_that_is_refused_are_not_kept(kiosk: Kiosk) -> None:
    """Its passes cannot be unpacked by this browser; another time they can."""
    pass_ = kiosk.site.pass_()
    before = kiosk.refresh()
    assert before["kept"] == before["named"]
    kiosk.site.change(f"/v1/passes/{pass_}", party_size=2)
    kiosk.page.add_init_script(
        "if (sessionStorage.broken) DecompressionStream = class { constructor() { throw new TypeError('broken'); } };"
    )
    kiosk.page.evaluate("() => { sessionStorage.broken = 'yes'; }")
    broken = kiosk.refresh()
    assert (broken["told"], broken["named"], broken["kept"]) == ("TypeError", None, before["kept"])
    kiosk.page.evaluate("() => sessionStorage.clear()")
    after = kiosk.refresh()
    assert after["kept"] == after["named"] != before["kept"]
