"""What time is known to have been: by the service's word alone, and it never falls."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from gatepass_kit import Device, Unreachable, Verifier
from gatepass_kit.state import known, learn

from .conftest import Site

DAY = 86_400_000_000


class Portal(http.server.BaseHTTPRequestHandler):
    """A network's sign-in page, whose clock is wrong, and which even says what Gatepass could say."""

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
        return "Sun, 25 Nov 2040 17:00:00 GMT"

    def _answer(self) -> None:
        self.send_response(401 if self.path.endswith("/verifications") else 200)
        self.end_headers()
        self.wfile.write(b'{"code": "unauthenticated", "detail": "Sign in."}')

    do_GET = do_POST = _answer  # noqa: N815  the names that http.server calls

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def portal() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_sign_in_page_sets_nobodys_clock_and_revokes_nobody(site: Site, portal: str) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = [site.text() for _ in range(2)]
    with site.verifier() as verifier:
        before = verifier.status()
        site.line.lead_to(portal)
        with pytest.raises(Unreachable):
            verifier.refresh()
        with pytest.raises(Unreachable):
            verifier.report()
        assert verifier.verify(texts[0]).offline
        assert verifier.status()._replace(waiting=0, waiting_since=None) == before
        with site.line.down():
            assert verifier.verify(texts[1]).opens


def times(verifier: Verifier) -> list[int]:
    with verifier.device.state.transaction() as tx:
        return [known(tx, name) for name in ("last_good", "service_time")]


def test_one_program_does_not_take_back_what_another_one_has_learned(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    with site.verifier() as one, Verifier(Device.load(site.folder)) as other:
        before = times(one)
        one._times.saw(before[1] + 60_000_000)
        one.sync()
        with site.line.down():
            other.verify("nonsense")
        assert times(one) == times(other) == [before[1] + 60_000_000] * 2
        assert other.status().service_time == before[1] + 60_000_000


def test_a_service_whose_clock_once_ran_ahead_is_forgiven_by_a_new_set_up(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        id_ = verifier.device.id
        with verifier.device.state.transaction() as tx:
            for name in ("last_good", "service_time"):
                learn(tx, name, verifier._times.service + DAY)
    with Verifier(Device.load(site.folder)) as verifier, site.line.down():
        assert verifier.verify(text).reason == "clock_behind"
    again = site.client.devices.set_up_again(id_)
    assert again.setup is not None
    with Verifier(Device.set_up(again.setup.url, site.folder)) as verifier:
        verifier.refresh()
        with site.line.down():
            assert verifier.verify(text).opens
