"""`GatepassClient` against a real service."""

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gatepass_kit import (
    Conflict,
    Forbidden,
    GatepassClient,
    Invalid,
    NotFound,
    NotSetUp,
    Unauthenticated,
    Unreachable,
)

from .conftest import Site


def test_a_pass_is_issued_and_its_token_verified_once(site: Site) -> None:
    site.open_gate()
    until = datetime.now(UTC) + timedelta(days=1)
    pass_ = site.client.passes.create(holder="visitor", gates=[site.gate], valid_until=until, max_entries=3)
    token = site.client.tokens.create(pass_=pass_.id, kind="signed", ttl_s=60)
    assert token.token is not None
    seen = site.client.verifications.create(token=token.token, gate=site.gate)
    again = site.client.verifications.create(token=token.token, gate=site.gate)
    assert (seen.decision, seen.reason, seen.opens, seen.pass_) == ("admit", "ok", True, pass_.id)
    assert seen.holder is not None
    assert seen.holder.ref == "visitor"
    assert (again.decision, again.reason, again.opens) == ("deny", "already_used", False)
    assert (pass_.gates, pass_.max_entries, pass_.valid_until) == ((site.gate,), 3, until)
    assert site.client.passes.retrieve(pass_.id).entries == 1


def test_an_answer_that_is_lost_is_asked_for_under_the_same_request_id(site: Site) -> None:
    site.open_gate()
    text = site.text()
    with GatepassClient(site.line.url, "gp_wrong") as nobody, site.line.losing_answers(), pytest.raises(Unreachable):
        nobody.verifications.create(token=text, gate=site.gate)
    lost = len(site.line.lost)
    with site.line.losing_answers(), pytest.raises(Unreachable):
        site.client.verifications.create(token=text, gate=site.gate, request_id="r-1")
    assert len(site.line.lost) == lost + 4
    seen = site.client.verifications.create(token=text, gate=site.gate, request_id="r-1")
    assert (seen.decision, seen.repeated, seen.opens) == ("admit", "request_id", True)
    assert site.admitted() == ["r-1"]


def test_what_is_created_twice_for_a_lost_answer_is_there_once(site: Site) -> None:
    site.open_gate()
    with site.line.losing_answers(1):
        site.client.passes.create(holder=f"once-{site.gate}", gates=[site.gate])
    assert len(site.line.lost) == 1
    assert len(list(site.client.passes.list(holder=f"once-{site.gate}"))) == 1


def test_mistakes_are_exceptions_with_the_code_and_the_services_request_id(site: Site) -> None:
    site.open_gate()
    with pytest.raises(Conflict) as clash:
        site.open_gate()
    assert (clash.value.code, clash.value.status) == ("gate_exists", 409)
    assert clash.value.request_id
    with pytest.raises(NotFound):
        site.client.gates.retrieve("no-such-gate")
    with pytest.raises(Invalid) as wrong:
        site.client.passes.create(holder="x", gates=[site.gate], party_size=0)
    assert wrong.value.code == "invalid"
    assert wrong.value.errors[0][0] == "party_size"
    with GatepassClient(site.line.url, "gp_admin_wrong") as nobody, pytest.raises(Unauthenticated):
        nobody.gates.retrieve(site.gate)


def test_a_key_of_a_device_may_not_administer(site: Site) -> None:
    site.open_gate()
    device = site.device()
    with GatepassClient(site.line.url, device.api_key) as own, pytest.raises(Forbidden) as refused:
        own.passes.create(holder="x", gates="all")
    assert refused.value.code == "forbidden"
    device.close()


def test_lists_go_on_over_all_their_pages(site: Site) -> None:
    site.open_gate()
    holder = f"pages-{site.gate}"
    made = [site.client.passes.create(holder=holder, gates="all").id for _ in range(51)]
    assert [each.id for each in site.client.passes.list(holder=holder)] == made[::-1]


def test_a_pass_is_suspended_resumed_changed_and_revoked(site: Site) -> None:
    site.open_gate()
    pass_ = site.client.passes.create(holder="changing", gates="all")
    assert pass_.gates is None
    assert site.client.passes.suspend(pass_.id, reason="lost").status == "suspended"
    assert site.client.passes.resume(pass_.id).status == "active"
    assert site.client.passes.update(pass_.id, max_entries=2).max_entries == 2
    assert site.client.passes.update(pass_.id, max_entries=None).max_entries is None
    assert site.client.passes.revoke(pass_.id).status == "revoked"


def test_an_admission_is_undone_and_the_token_is_good_again(site: Site) -> None:
    site.open_gate()
    text = site.text()
    seen = site.client.verifications.create(token=text, gate=site.gate)
    assert site.client.verifications.undo(seen.id).undone_at is not None
    assert site.client.verifications.create(token=text, gate=site.gate).opens


class Portal(http.server.BaseHTTPRequestHandler):
    """The page of a hotel's network, whatever is asked."""

    status = 200

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.status)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>Welcome to our network</html>")

    do_GET = do_POST = _answer  # noqa: N815  the names that http.server calls

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(params=[200, 302, 401, 404, 502])
def portal(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("_Portal", (Portal,), {"status": request.param})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_of_somebody_elses_is_no_answer(portal: str) -> None:
    with GatepassClient(portal, "gp_key", attempts=1) as client, pytest.raises(Unreachable):
        client.verifications.create(token="GP1:X", gate="main-door")


def test_neither_tokens_nor_links_stand_in_what_is_printed(site: Site) -> None:
    site.open_gate()
    token = site.token()
    registered = site.register()
    assert registered.setup is not None
    assert token.token is not None
    assert token.token not in repr(token)
    assert registered.setup.token not in repr(registered)
    device = site.device()
    assert device.api_key not in repr(device)
    device.close()


def test_an_address_that_is_none_is_said_at_once() -> None:
    with pytest.raises(NotSetUp):
        GatepassClient("gatepass.example.com", "gp_key")
