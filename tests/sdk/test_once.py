"""One device lets one token in once, whichever way each of its decisions is made."""

from typing import Any

import pytest
from gatepass_kit import Device, Result, Unreachable, Verifier, unread

from .conftest import Site


@pytest.mark.parametrize("bound", [True, False])
def test_who_was_let_in_without_the_network_is_refused_as_soon_as_it_is_back(site: Site, bound: bool) -> None:  # noqa: FBT001
    site.open_gate(offline="bound_tokens" if bound else "admit_and_reconcile")
    text = site.text(**({"gate": site.gate} if bound else {}))
    with site.verifier() as verifier:
        with site.line.down():
            first = verifier.verify(text)
        again = verifier.verify(f"\\000026{text}\r\n")
        assert (first.opens, again.decision, again.reason, again.offline) == (True, "deny", "already_used", False)
        assert verifier.status().waiting == 0, "the queue was sent first"
        assert site.admitted() == [first.request_id]


def test_where_the_queue_cannot_be_sent_first_it_is_decided_here(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with site.line.down():
            assert verifier.verify(text).opens
        call = verifier.device.transport.call

        def all_but_the_queue(method: str, path: str, *arguments: Any, **others: Any) -> Any:
            if path.endswith("/sync"):
                raise Unreachable("The queue is too long for this line.")
            return call(method, path, *arguments, **others)

        monkeypatch.setattr(verifier.device.transport, "call", all_but_the_queue)
        result = verifier.verify(text)
        assert (result.decision, result.reason, result.offline) == ("deny", "already_used", True)
        monkeypatch.undo()
        assert verifier.sync().conflicts == ()


def test_a_party_is_counted_over_both_ways(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text(pass_party_size=2)
    with site.verifier() as verifier:
        with site.line.down():
            assert verifier.verify(text).opens
        results = [verifier.verify(text) for _ in range(2)]
        assert [(each.reason, each.offline) for each in results] == [("ok", False), ("already_used", False)]


def test_nobody_waits_for_the_queue_who_shows_a_badge_or_something_else(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    badge, other = site.text(reusable=True), site.text()
    with site.verifier() as verifier:
        with site.line.down():
            assert verifier.verify(badge).opens
        assert [verifier.verify(each).offline for each in (badge, other)] == [False, False]
        assert verifier.status().waiting == 1


def test_what_was_undone_before_it_was_sent_is_good_again_with_the_network(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with site.line.down():
            verifier.undo(verifier.verify(text))
        assert verifier.verify(text).opens


def test_who_was_let_in_under_a_key_that_is_not_known_here_is_remembered_until_it_is(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text, undone = site.text(), site.text()
    with site.verifier() as verifier:
        held = verifier._cache.held
        assert held is not None
        verifier._cache._held = held._replace(keys={})
        assert verifier.verify(text).opens
        verifier.undo(verifier.verify(undone))
        assert verifier.verify("what is this").reason == "unrecognised"
        (kept,) = unread.kept(verifier.device.state)
        assert kept.text == text
        verifier._cache._held = held
        verifier.refresh()
        assert unread.kept(verifier.device.state) == []
        with site.line.down():
            assert [verifier.verify(each).reason for each in (text, undone)] == ["already_used", "ok"]


def test_who_was_let_in_before_there_was_a_bundle_is_remembered_over_a_restart(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with Verifier(site.device()) as verifier:
        assert verifier.verify(text).opens
    with Verifier(Device.load(site.folder)) as verifier:
        verifier.refresh()
        with site.line.down():
            assert verifier.verify(text).reason == "already_used"


def test_what_can_never_be_read_is_forgotten_after_a_day(site: Site) -> None:
    site.open_gate()
    with site.verifier() as verifier:
        at = verifier.status().service_time
        assert at is not None
        for hours in (23, 25):
            old = unread.ByService(f"r-{hours}", "GP1:", b"", site.gate, "entry", 1, at - hours * 3600 * 1_000_000)
            with verifier.device.state.transaction() as tx:
                unread.keep(tx, old)
                unread.forget(tx, at)
        assert [each.request_id for each in unread.kept(verifier.device.state)] == ["r-23"]


@pytest.mark.parametrize("people", [1, 2])
def test_who_was_let_in_here_while_the_service_was_asked_for_the_same_token_counts(
    site: Site, monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    """Two lanes, one code, and the network goes between them."""
    site.open_gate(offline="admit_and_reconcile")
    text = site.text(pass_party_size=people)
    here = list[Result]()
    with site.verifier() as verifier:
        call = verifier._call

        def slow(*asked: Any) -> Any:
            seen = call(*asked)
            monkeypatch.undo()
            with site.line.down():
                here.append(verifier.verify(text))
            return seen

        monkeypatch.setattr(verifier, "_call", slow)
        result = verifier.verify(text)
        assert [here[0].opens, result.opens] == [True, people == 2]
        assert result.reason == ("ok" if people == 2 else "already_used")
        assert verifier.sync().conflicts == ()
        assert len(site.admitted()) == people
        assert here[0].request_id in site.admitted()
        assert verifier.verify(text).reason == "already_used"
