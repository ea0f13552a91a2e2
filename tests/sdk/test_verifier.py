"""Deciding with the network, without it, and when it goes away in between."""

import socket
import sqlite3
import threading
import time
from typing import Any

import pytest
from gatepass_kit import Device, Verifier
from gatepass_kit.machine import now

from .conftest import Site
from .waiting import wait_until

MINUTE = 60_000_000


def test_with_the_network_the_service_decides(site: Site) -> None:
    site.open_gate()
    text = site.text(holder="online-1")
    with site.verifier() as verifier:
        result, again = verifier.verify(text), verifier.verify(text)
        assert (result.decision, result.reason, result.offline, result.opens) == ("admit", "ok", False, True)
        assert result.holder is not None
        assert result.holder.ref == "online-1"
        assert (again.decision, again.reason, again.opens) == ("deny", "already_used", False)
        assert verifier.verify("what is this").reason == "unrecognised"
        assert verifier.verify("x" * 8000).reason == "invalid"
        assert verifier.verify("\ud800").reason == "unrecognised"


def test_without_the_network_a_token_is_let_in_once_and_becomes_known(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with site.line.down():
            result, again = verifier.verify(f"\\000026{text}\r\n"), verifier.verify(text)
        assert (result.decision, result.offline, result.holder, result.opens) == ("admit", True, None, True)
        assert (again.decision, again.reason) == ("deny", "already_used")
        assert verifier.status().waiting == 2
        synced = verifier.sync()
        assert (synced.recorded, synced.known, synced.rejected, synced.conflicts) == (2, 0, (), ())
        assert verifier.status().waiting == 0
        assert site.admitted() == [result.request_id]
        with site.line.down():
            assert verifier.verify(text).reason == "already_used", "remembered past the upload"


def test_sending_the_same_queue_twice_changes_nothing(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = texts_of(site, 3)
    with site.verifier() as verifier:
        with site.line.down():
            admitted = [verifier.verify(text).request_id for text in texts]
        with site.line.losing_answers(), pytest.raises(Exception, match="No answer"):
            verifier.sync()
        assert verifier.status().waiting == 3
        assert verifier.sync().known == 3
        assert verifier.sync().known == 0
        assert sorted(str(each) for each in site.admitted()) == sorted(admitted)


def texts_of(site: Site, count: int) -> list[str]:
    """Tokens that are issued although the line is down."""
    down, site.line.is_cut = site.line.is_cut, False
    texts = [site.text() for _ in range(count)]
    site.line.is_cut = down
    return texts


def test_the_network_is_cut_in_the_middle_and_there_is_one_admission(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with site.line.losing_answers():
            result = verifier.verify(text)
        assert site.line.lost
        assert (result.decision, result.offline) == ("admit", True)
        assert site.admitted() == [result.request_id], "the service decided, and nobody heard it"
        synced = verifier.sync()
        assert (synced.recorded, synced.known, synced.conflicts, synced.undone) == (0, 1, (), ())
        assert site.admitted() == [result.request_id]
        with site.line.down():
            assert verifier.verify(text).reason == "already_used"


@pytest.mark.parametrize("kind", ["signed", "short", "code"])
def test_what_the_service_had_admitted_and_was_refused_here_it_takes_back(site: Site, kind: str) -> None:
    site.open_gate(offline="refuse" if kind == "signed" else "admit_and_reconcile")
    text = site.text(kind=kind)
    with site.verifier() as verifier:
        with site.line.losing_answers():
            result = verifier.verify(text)
        refused_for = {"signed": "offline_not_allowed"}.get(kind, "needs_network")
        assert (result.decision, result.reason, result.offline) == ("deny", refused_for, True)
        assert site.admitted() == [result.request_id]
        synced = verifier.sync()
        assert (synced.known, synced.undone, synced.contradicted) == (1, (), ())
        assert site.admitted() == []
        assert verifier.verify(text).opens, "and the code is good again"


def test_an_admission_that_is_undone_while_it_is_being_sent_is_taken_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with site.line.down():
            result = verifier.verify(text)
        call = verifier.device.transport.call

        def undone_meanwhile(*asked: Any, **how: Any) -> Any:
            answer = call(*asked, **how)
            monkeypatch.undo()
            verifier.undo(result)
            return answer

        monkeypatch.setattr(verifier.device.transport, "call", undone_meanwhile)
        synced = verifier.sync()
        assert (synced.recorded, synced.known, synced.contradicted) == (1, 1, ())
        assert site.admitted() == []
        assert verifier.status().waiting == 0
        assert verifier.verify(text).opens


def test_whoever_was_refused_for_a_lost_answer_and_shows_the_code_again_gets_in(site: Site) -> None:
    site.open_gate()
    text = site.text()
    with site.verifier() as verifier:
        with site.line.losing_answers():
            assert verifier.verify(text).reason == "offline_not_allowed"
        result = verifier.verify(text)
        assert (result.decision, result.opens) == ("admit", True)
        assert site.admitted() == [result.request_id]


def test_the_same_holds_where_a_repeat_window_would_give_the_lost_admission_again(site: Site) -> None:
    site.open_gate(repeat_window_s=60)
    text = site.text()
    with site.verifier() as verifier:
        with site.line.losing_answers():
            assert not verifier.verify(text).opens
        result, polled = verifier.verify(text), verifier.verify(text)
        assert (result.opens, result.repeated) == (True, None)
        assert (polled.decision, polled.repeated, polled.opens) == ("admit", "window", False)


def test_who_was_let_in_by_the_service_is_not_let_in_again_when_the_network_is_gone(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        assert verifier.verify(text).opens
        with site.line.down():
            assert verifier.verify(text).reason == "already_used"
    with Verifier(Device.load(site.folder)) as verifier, site.line.down():
        assert verifier.verify(text).reason == "already_used", "after a restart too"


def test_what_was_let_in_before_there_was_a_bundle_is_remembered_once_there_is_one(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with Verifier(site.device()) as verifier:
        assert verifier.verify(text).opens
        verifier.refresh()
        with site.line.down():
            assert verifier.verify(text).reason == "already_used"


def test_each_policy_lets_in_whom_it_says(site: Site) -> None:
    site.open_gate(offline="bound_tokens")
    bound, unbound, badge = site.text(gate=site.gate), site.text(), site.text(reusable=True, gate=site.gate)
    with site.verifier() as verifier, site.line.down():
        assert verifier.verify(unbound).reason == "offline_not_allowed"
        assert verifier.verify(bound).opens
        assert verifier.verify(badge).opens
        assert verifier.verify(badge).opens, "a badge is never used up"


def test_without_the_network_the_rules_of_the_bundle_are_asked(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    revoked, suspended, taken_back = (site.token() for _ in range(3))
    site.client.passes.revoke(revoked.pass_)
    site.client.passes.suspend(suspended.pass_)
    site.client.tokens.revoke(taken_back.id)
    with site.verifier() as verifier, site.line.down():
        reasons = [verifier.verify(each.token or "").reason for each in (revoked, suspended, taken_back)]
        (newer,) = texts_of(site, 1)
        reasons += [verifier.verify(text).reason for text in (newer, "GP1:ABC", "hello, world")]
    assert reasons == ["pass_revoked", "pass_suspended", "token_revoked", "unknown", "malformed", "unrecognised"]


def test_entries_that_the_bundle_does_not_count_yet_are_counted_here(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    first = site.token(pass_max_entries=2)
    texts = [str(site.client.tokens.create(pass_=first.pass_).token) for _ in range(3)]
    with site.verifier() as verifier:
        assert verifier.verify(str(first.token)).opens
        with site.line.down():
            assert [verifier.verify(text).reason for text in texts[:2]] == ["ok", "no_entries_left"]
        verifier.sync()
        site.client.passes.update(first.pass_, max_entries=3)
        time.sleep(1.1)  # the service looks for what changed once a second
        verifier.refresh()
        with site.line.down():
            reasons = [verifier.verify(text).reason for text in texts[1:]]
        assert reasons == ["ok", "no_entries_left"], "and none of them twice, once it does"


def test_a_party_goes_in_one_after_another_and_no_more(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text(pass_party_size=3)
    with site.verifier() as verifier:
        assert verifier.verify(text).opens
        with site.line.down():
            assert verifier.verify(text, people=2).opens
            assert verifier.verify(text).reason == "already_used"
        assert verifier.sync().conflicts == ()


def test_a_bundle_that_is_too_old_and_a_clock_that_is_behind_let_nobody_in(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile", offline_max_stale_s=60)
    texts = [site.text(ttl_s=3600) for _ in range(4)]
    shift = 0
    with site.verifier(clock=lambda: now() + shift) as verifier, site.line.down():
        shift = -MINUTE
        assert verifier.verify(texts[0]).reason == "clock_behind"
        shift = MINUTE
        assert verifier.verify(texts[1]).reason == "stale_bundle"
        shift = 0
        assert verifier.verify(texts[2]).opens, "a clock that was ahead for a while shuts nobody out afterwards"
        shift = 50_000_000
        assert verifier.verify(texts[3]).opens
        shift = 0
        assert verifier.verify(texts[0]).reason == "clock_behind", "somebody was let in at a later time"


def test_without_any_bundle_nobody_comes_in(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with Verifier(site.device()) as verifier:
        with site.line.down():
            assert verifier.verify(text).reason == "stale_bundle"
        assert verifier.sync().recorded == 1


@pytest.mark.parametrize("bundle", [True, False])
def test_nobody_is_held_back_on_the_way_out(site: Site, bundle: bool) -> None:  # noqa: FBT001
    site.open_gate(direction="both")
    device = site.device(side="exit")
    with Verifier(device) as verifier:
        if bundle:
            verifier.refresh()
        with site.line.down():
            results = [verifier.verify(text) for text in ("what is this", "GP1:ABC", "y" * 8000)]
        assert {(each.decision, each.direction, each.opens) for each in results} == {("admit", "exit", True)}
        flags = [("unrecognised",), ("malformed",), ("unrecognised",)] if bundle else [("stale_bundle",)] * 3
        assert [each.flags[-1:] for each in results] == flags
        assert verifier.verify("z" * 8000).opens, "also not for what the service does not take"
        synced = verifier.sync()
        assert (synced.recorded, [code for _, code in synced.rejected]) == (2, ["invalid", "invalid"])


@pytest.mark.parametrize("changed", ["gate", "device"])
def test_what_was_let_out_stays_so_whatever_is_changed_before_it_is_sent(site: Site, changed: str) -> None:
    site.open_gate(direction="both" if changed == "device" else "exit")
    text = site.text()
    with site.verifier(side="exit" if changed == "device" else None) as verifier:
        with site.line.down():
            assert [verifier.verify(each).opens for each in (text, "what is this")] == [True, True]
        if changed == "device":
            site.client.devices.update(verifier.device.id, side="entry")
        else:
            site.client.gates.update(site.gate, direction="entry")
        synced = verifier.sync()
        assert (synced.recorded, synced.rejected, synced.conflicts) == (2, (), ())
    door = site.client.verifications.create(token=text, gate=site.gate, direction="entry")
    assert door.reason == "ok", "going out took nothing of the token"


def test_who_was_let_in_is_held_against_the_rules_though_the_gate_has_become_an_exit(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with site.line.down():
            assert verifier.verify(text).opens
        site.client.gates.update(site.gate, direction="both")
        site.client.devices.update(verifier.device.id, side="exit")
        assert verifier.sync().recorded == 1
    door = site.client.verifications.create(token=text, gate=site.gate, direction="entry")
    assert door.reason == "already_used"


def test_one_text_that_the_service_never_takes_does_not_hold_up_the_others(site: Site) -> None:
    site.open_gate(direction="exit")
    texts = [*texts_of(site, 3), "\0", *texts_of(site, 4)]
    with site.verifier() as verifier:
        with site.line.down():
            assert all(verifier.verify(text).opens for text in texts)
        synced = verifier.sync()
    assert synced.recorded == 7
    assert [code for _, code in synced.rejected] == ["malformed_body"]


def test_at_a_gate_for_both_the_direction_has_to_be_said(site: Site) -> None:
    site.open_gate(direction="both", offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        assert verifier.verify(text).reason == "invalid"
        with site.line.down():
            assert verifier.verify(text).reason == "invalid"
            result = verifier.verify(text, direction="entry")
        assert (result.opens, result.direction) == (True, "entry")
        assert verifier.sync().recorded == 1


def test_the_same_request_id_gets_the_same_answer_wherever_it_was_decided(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text, other = texts_of(site, 2)
    with site.verifier() as verifier:
        with site.line.down():
            first = verifier.verify(text, request_id="door-1")
        again = verifier.verify(text, request_id="door-1")
        assert (first.repeated, again.repeated, again.opens, again.offline) == (None, "request_id", True, True)
        assert verifier.verify(other, request_id="door-1").reason == "request_id_reused"
        assert verifier.sync().recorded == 1
        assert verifier.verify(text, request_id="door-1").opens
        assert site.admitted() == ["door-1"]


@pytest.mark.parametrize("wrong", [{"request_id": "door 1"}, {"request_id": ""}, {"people": 0}, {"people": 1001}])
def test_what_could_never_be_sent_is_not_decided(site: Site, wrong: dict[str, Any]) -> None:
    site.open_gate()
    with Verifier(site.device()) as verifier, pytest.raises(ValueError, match="1 to "):
        verifier.verify("text", **wrong)


def test_a_camera_that_polls_gets_its_answer_again_without_the_network_too(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile", repeat_window_s=30)
    text = site.text()
    with site.verifier() as verifier:
        with site.line.down():
            first, second = verifier.verify(text), verifier.verify(text)
        assert (first.repeated, first.opens) == (None, True)
        assert (second.decision, second.repeated, second.opens) == ("admit", "window", False)
        assert verifier.sync().recorded == 1


@pytest.mark.parametrize("sent", [True, False])
def test_an_admission_without_the_network_is_taken_back(site: Site, sent: bool) -> None:  # noqa: FBT001
    site.open_gate(offline="admit_and_reconcile")
    text = site.text(pass_max_entries=1)
    with site.verifier() as verifier:
        with site.line.down():
            result = verifier.verify(text)
        if sent:
            verifier.sync()
        with site.line.down():
            verifier.undo(result)
            assert verifier.verify(text).opens, "the token and the entry are given back"
        assert verifier.sync().undone == ((result.request_id,) if sent else ())
        assert result.request_id not in site.admitted()
        assert len(site.admitted()) == 1


def test_an_admission_by_the_service_is_taken_back_at_once_or_later(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    at_once, later = texts_of(site, 2)
    with site.verifier() as verifier:
        verifier.undo(verifier.verify(at_once))
        assert site.admitted() == []
        result = verifier.verify(later, request_id="later-1")
        with site.line.down():
            verifier.undo(result)
            assert verifier.verify(later, request_id="later-1").reason == "undone"
        assert verifier.status().waiting == 1
        assert verifier.sync().undone == (result.request_id,)
        assert site.admitted() == []
        with pytest.raises(ValueError, match="Only an admission"):
            verifier.undo(verifier.verify("nothing"))


def test_a_token_that_two_gates_let_in_while_they_could_not_talk_is_a_conflict(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text, here = site.text(), site.folder
    with site.verifier() as one:
        site.folder = here.with_name("other")
        with site.verifier() as other:
            with site.line.down():
                assert one.verify(text).opens
                assert other.verify(text).opens
            assert one.sync().conflicts == ()
            (conflict,) = other.sync().conflicts
    assert conflict.reasons == ("already_used",)
    assert conflict.verification in [each.verification.id for each in site.client.conflicts.list()]


def test_a_service_that_does_not_answer_is_waited_for_no_longer_than_the_deadline(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = [site.text() for _ in range(2)]
    with site.verifier(deadline_s=0.3) as verifier:
        listening = threading.Event()
        site.line.lead_to(silent(listening))
        began = time.monotonic()
        assert verifier.verify(texts[0]).offline
        assert time.monotonic() - began < 1
        listening.set()


def silent(until: threading.Event) -> str:
    """The address of somebody who takes connections and says nothing."""
    server = socket.create_server(("127.0.0.1", 0))

    def hold() -> None:
        until.wait(10)
        server.close()

    threading.Thread(target=hold, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}"


def test_what_cannot_be_written_down_is_not_decided(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier, site.line.down():
        blocker = sqlite3.connect(site.folder / "state.db", isolation_level=None)
        verifier.device.state._connection.execute("PRAGMA busy_timeout = 50")
        blocker.execute("BEGIN IMMEDIATE")
        assert verifier.verify(text).reason == "unavailable"
        blocker.execute("ROLLBACK")
        blocker.close()
        assert verifier.verify(text).opens


def test_the_thread_fetches_reports_and_sends_by_itself(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with Verifier(site.device()) as verifier:
        verifier.run_background()
        wait_until(lambda: verifier.status().bundle_at is not None)
        with site.line.down():
            result = verifier.verify(text)
        assert (result.opens, result.offline) == (True, True)
        wait_until(lambda: verifier.status().waiting == 0)
        assert site.admitted() == [result.request_id]
        assert site.client.devices.retrieve(verifier.device.id).software == "gatepass-kit 0.1.0"
