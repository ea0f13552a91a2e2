"""Power goes: what was answered is in the queue, and nobody is let in twice."""

import sqlite3
import subprocess
import sys

import pytest
from gatepass_kit import Device, Verifier
from gatepass_kit.queue import Attempt

from .conftest import Site

DECIDE = """
import sys
from gatepass_kit import Device, Verifier
verifier = Verifier(Device.load(sys.argv[1]))
for text in sys.stdin:
    result = verifier.verify(text.strip())
    print(result.decision, result.request_id, flush=True)
"""


def test_the_queue_survives_a_kill_between_the_decision_and_its_upload(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = [site.text() for _ in range(16)]
    with site.verifier():
        pass
    with site.line.down():
        process = subprocess.Popen(
            [sys.executable, "-c", DECIDE, site.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(texts) + "\n")
        process.stdin.flush()
        said = [process.stdout.readline().split() for _ in range(6)]
        process.kill()
        said += [line.split() for line in process.stdout.read().splitlines() if line.count(" ") == 1]
        process.wait()
        process.stdin.close()
        process.stdout.close()
    admitted = {request_id for decision, request_id in said if decision == "admit"}
    assert len(admitted) >= 6
    with Verifier(Device.load(site.folder)) as verifier:
        with site.line.down():
            assert {verifier.verify(text).reason for text in texts[: len(admitted)]} == {"already_used"}
        synced = verifier.sync()
        assert (synced.conflicts, synced.rejected) == ((), ())
    on_record = site.admitted()
    assert admitted <= set(on_record)
    assert len(on_record) == len(set(on_record)) <= len(admitted) + 1, "at most the one that was being decided"


def test_a_queue_of_more_than_a_call_takes_is_sent_whole(site: Site) -> None:
    site.open_gate()
    with site.verifier() as verifier:
        with site.line.down():
            for place in range(1001):
                verifier._decide(Attempt(f"many-{site.gate}.{place}", "what is this", site.gate, None, 1))
        assert verifier.status().waiting == 1001
        assert verifier.sync().recorded == 1001
        assert verifier.status().waiting == 0


@pytest.mark.parametrize("side", [None, "exit"])
def test_a_state_file_that_cannot_be_read_lets_nobody_in_and_holds_nobody_back(site: Site, side: str | None) -> None:
    site.open_gate(direction="both" if side else "entry", offline="admit_and_reconcile")
    text = site.text()
    with site.verifier(side=side) as verifier:
        state = verifier.device.state
        connection, state._connection = state._connection, sqlite3.connect(":memory:")
        results = [verifier.verify(text)]
        with site.line.down():
            results.append(verifier.verify(text))
        state._connection.close()
        results.append(verifier.verify(text))
        state._connection = connection
    expected = ("admit", ("unavailable",)) if side else ("deny", ())
    assert {(each.decision, each.flags) for each in results} == {expected}
    assert {each.reason for each in results} == {"ok" if side else "unavailable"}
