"""The relay moves for whoever is admitted; and the example, as it is in the documents."""

import subprocess
import sys
from pathlib import Path

from gatepass_kit import Result
from gatepass_kit.turnstile import StayedShut, Turnstile

from .conftest import Site

EXAMPLE = Path(__file__).parents[2] / "sdk/examples/turnstile.py"


class Relay:
    """Opens, or fails as it is told to."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.fault: Exception | None = None

    def open(self, result: Result) -> None:
        if self.fault is not None:
            raise self.fault
        self.opened.append(result.request_id)


def test_the_relay_moves_once_for_each_admission_and_for_nobody_else(site: Site) -> None:
    site.open_gate(repeat_window_s=60)
    text, relay, shown = site.text(), Relay(), list[Result]()
    with site.verifier() as verifier:
        Turnstile(verifier, relay, show=shown.append).run([text, text, "nothing", text])
    assert [each.decision for each in shown] == ["admit", "admit", "deny", "admit"]
    assert relay.opened == [shown[0].request_id]


def test_an_admission_whose_relay_surely_stayed_shut_is_undone(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts, relay = [site.text() for _ in range(2)], Relay()
    with site.verifier() as verifier:
        turnstile = Turnstile(verifier, relay)
        relay.fault = StayedShut("no power")
        assert turnstile.pass_by(texts[0]).opens
        assert site.admitted() == []
        with site.line.down():
            turnstile.pass_by(texts[1])
        relay.fault = None
        assert turnstile.pass_by(texts[0]).opens
        with site.line.down():
            assert turnstile.pass_by(texts[1]).opens
        verifier.sync()
    assert sorted(str(each) for each in site.admitted()) == sorted(relay.opened)
    assert len(relay.opened) == 2


def test_one_whose_relay_may_have_moved_stands_and_the_next_person_is_served(site: Site) -> None:
    site.open_gate()
    texts, relay = [site.text() for _ in range(2)], Relay()
    with site.verifier() as verifier:
        turnstile = Turnstile(verifier, relay)
        relay.fault = OSError("it answered something")
        first = turnstile.pass_by(texts[0])
        relay.fault = None
        second = turnstile.pass_by(texts[1])
    assert sorted(str(each) for each in site.admitted()) == sorted([first.request_id, second.request_id])
    assert relay.opened == [second.request_id]


def test_the_example_is_a_turnstile_in_thirty_lines(site: Site) -> None:
    site.open_gate()
    text, registered = site.text(), site.register()
    assert registered.setup is not None
    command = [sys.executable, EXAMPLE, site.folder]
    first = subprocess.run(
        [*command, registered.setup.url], input=f"{text}\n{text}\n", capture_output=True, text=True, check=True
    )
    again = subprocess.run(command, input="hello\n", capture_output=True, text=True, check=True)
    assert first.stdout.splitlines() == ["admit ok online", "click", "deny already_used online"]
    assert again.stdout.splitlines() == ["deny unrecognised online"]
    code = EXAMPLE.read_text().split('"""', 2)[2].strip().splitlines()
    assert len(code) <= 30
