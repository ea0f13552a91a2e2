"""Setting a device up, and what it is afterwards."""

import json
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from gatepass_kit import Conflict, Device, NotFound, NotSetUp, Unauthenticated, Unreachable, Verifier
from gatepass_kit.state import learn
from gatepass_kit.transport import Transport

from .conftest import Site


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def link_of(site: Site) -> str:
    registered = site.register()
    assert registered.setup is not None
    return registered.setup.url


def test_a_link_sets_a_device_up_once_and_nobody_else_can_read_its_folder(site: Site) -> None:
    site.open_gate()
    link = link_of(site)
    device = Device.set_up(link, site.folder, name="North door")
    assert device.report().name == "North door"
    assert mode(site.folder) == 0o700
    assert {path.name for path in site.folder.iterdir()} >= {"device.json", "state.db"}
    assert {mode(path) for path in site.folder.iterdir()} == {0o600}
    with pytest.raises(Conflict) as used:
        Device.set_up(link, site.folder.with_name("another"))
    assert used.value.code == "setup_used"
    device.close()
    again = Device.load(site.folder)
    assert (again.id, again.gate, again.url) == (device.id, site.gate, site.line.url)
    again.close()


@pytest.mark.parametrize("link", ["https://gatepass.example.com/kiosk", "gp_setup_x", "ftp://x/kiosk#setup=y&v=1", ""])
def test_what_is_no_link_is_said_at_once(link: str, tmp_path: Path) -> None:
    with pytest.raises(NotSetUp):
        Device.set_up(link, tmp_path / "kiosk")


def test_an_unknown_link_and_one_of_a_later_handshake_are_told_apart(site: Site) -> None:
    site.open_gate()
    link = link_of(site)
    with pytest.raises(NotFound):
        Device.set_up(link.replace("#setup=gp_setup_", "#setup=gp_setup_0"), site.folder)
    with pytest.raises(Conflict) as newer:
        Device.set_up(link.replace("&v=1", "&v=2"), site.folder)
    assert newer.value.code == "handshake_too_new"
    Device.set_up(link, site.folder).close()


def test_a_link_is_not_used_up_where_the_service_cannot_be_reached(site: Site) -> None:
    site.open_gate()
    link = link_of(site)
    with site.line.down(), pytest.raises(Unreachable):
        Device.set_up(link, site.folder)
    Device.set_up(link, site.folder).close()


def test_a_folder_without_a_device_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp):
        Device.load(tmp_path)
    (tmp_path / "device.json").write_text('{"url": ')
    with pytest.raises(NotSetUp):
        Device.load(tmp_path)


def test_a_device_learns_that_it_was_moved_and_verifies_at_its_new_gate(site: Site) -> None:
    site.open_gate()
    with site.verifier() as verifier:
        site.client.gates.create(id=f"{site.gate}-b", name="Back", offline="admit_and_reconcile")
        site.client.devices.update(verifier.device.id, gate=f"{site.gate}-b")
        pass_ = site.client.passes.create(holder="mover", gates="all")
        text = site.client.tokens.create(pass_=pass_.id).token
        assert text is not None
        result = verifier.verify(text)
        assert (result.decision, result.gate, result.offline) == ("admit", f"{site.gate}-b", False)
        assert verifier.status().bundle_at is None, "the bundle of the gate before is not used at this one"
        verifier.refresh()
        assert verifier.status().policy == "admit_and_reconcile"


def test_a_new_key_is_in_the_folder_and_the_old_one_is_refused_after_it_was_used(site: Site) -> None:
    site.open_gate()
    device = site.device()
    old = device.api_key
    device.roll_key()
    assert device.api_key != old
    device.report()
    device.close()
    again = Device.load(site.folder)
    again.report()
    again.close()
    before = Transport(site.line.url, old, 10)
    with pytest.raises(Unauthenticated):
        report_for_two_seconds(before)
    before.close()


def report_for_two_seconds(transport: Transport) -> None:
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        transport.call("POST", "/v1/devices/report", {})


def test_a_new_key_is_found_by_another_program_on_the_folder_and_never_written_over(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    with site.verifier() as one, Verifier(Device.load(site.folder)) as other:
        one.device.roll_key()
        site.client.devices.update(one.device.id, side="entry")
        other.report()
        assert other.device.side == "entry"
        assert json.loads((site.folder / "device.json").read_text())["api_key"] == one.device.api_key
        one.report()
        time.sleep(2.1)  # by then the old key is refused everywhere
        other.report()
        assert other.verify(site.text()).opens
        assert not other.status().revoked


def test_a_good_answer_takes_back_what_another_program_thought(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        with verifier.device.state.transaction() as tx:
            learn(tx, "revoked", 1)
        verifier.report()
        with site.line.down():
            assert verifier.verify(text).opens


def test_the_side_is_known_from_the_set_up_on(site: Site) -> None:
    site.open_gate(direction="both")
    registered = site.register(side="exit")
    assert registered.setup is not None
    with Verifier(Device.set_up(registered.setup.url, site.folder)) as verifier, site.line.down():
        assert verifier.verify("what is this").opens


def test_a_set_up_that_cannot_ask_for_the_side_is_one_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.open_gate(direction="both")
    registered = site.register(side="exit")
    assert registered.setup is not None
    with monkeypatch.context() as cut:
        cut.setattr(Device, "report", unreachable)
        device = Device.set_up(registered.setup.url, site.folder)
    assert device.side is None
    device.report()
    assert device.side == "exit"
    device.close()


def unreachable(_: Device) -> None:
    raise Unreachable("No answer.")


def test_a_revoked_device_lets_nobody_in_not_even_without_the_network(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = [site.text() for _ in range(2)]
    with site.verifier() as verifier:
        site.client.devices.delete(verifier.device.id)
        result = verifier.verify(texts[0])
        assert (result.decision, result.reason, result.opens) == ("deny", "unauthenticated", False)
        assert verifier.status().revoked
    with Verifier(Device.load(site.folder)) as verifier, site.line.down():
        assert (verifier.verify(texts[1]).reason, verifier.status().revoked) == ("unauthenticated", True)


def test_set_up_again_the_same_device_keeps_its_queue_and_another_lays_it_aside(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    with site.verifier() as verifier:
        with site.line.down():
            assert verifier.verify("not a token").offline
        id_ = verifier.device.id
    again = site.client.devices.set_up_again(id_)
    assert again.setup is not None
    with Verifier(Device.set_up(again.setup.url, site.folder)) as verifier:
        assert (verifier.device.id, verifier.status().waiting) == (id_, 1)
    with Verifier(Device.set_up(link_of(site), site.folder)) as verifier:
        assert verifier.device.id != id_
        assert verifier.status().waiting == 0
    aside = sqlite3.connect(site.folder / f"state-{id_}.db")
    assert aside.execute("SELECT count(*) FROM decisions").fetchone() == (1,)
    aside.close()
