"""The bundle is believed for its signature alone, never goes back, and is fetched as differences."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from gatepass_kit import BundleRefused, Device, Unreachable, Verifier, bundle_cache
from gatepass_kit.core.bundle import Bundle
from gatepass_kit.state import known, learn

from .conftest import Site

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "bundle.json").read_text("ascii"))["good"][0]


def change(verifier: Verifier, name: str, value: object) -> None:
    with verifier.device.state.transaction() as tx:
        learn(tx, name, value)


def answer_with(verifier: Verifier, body: bytes) -> None:
    """Have those bytes come as the bundle."""
    call = verifier.device.transport.call

    def answering(method: str, path: str, *arguments: Any, **others: Any) -> Any:
        answer = call(method, path, *arguments, **others)
        return answer._replace(content=body) if path.endswith("/bundle") else answer

    verifier.device.transport.call = answering  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("tenant", None, "another tenant's"),
        ("manifest", VECTOR["manifest"], "key"),
        ("manifest", "00", "COSE"),
    ],
)
def test_a_bundle_that_is_not_to_be_believed_is_refused_and_the_one_before_stays(
    site: Site, name: str, value: str | None, why: str
) -> None:
    """Another tenant's, one under a key that the service does not publish, and what is no bundle."""
    site.open_gate(offline="admit_and_reconcile")
    text = site.text()
    with site.verifier() as verifier:
        before = verifier.status()
        if name == "tenant":
            change(verifier, "tenant", "somebody-else")
        else:
            answer_with(verifier, bytes.fromhex(value or ""))
        verifier._cache._etag = None
        with pytest.raises(BundleRefused, match=why):
            verifier.refresh()
        assert verifier.status().bundle_at == before.bundle_at
        with site.line.down():
            assert verifier.verify(text).opens


def test_a_bundle_of_earlier_is_left_unused(site: Site) -> None:
    """Another process of the service looked earlier: nobody is to be alarmed by that."""
    site.open_gate(offline="admit_and_reconcile")
    with site.verifier() as verifier:
        before = verifier.status()
        change(verifier, "seq", 2**52)
        verifier._cache._etag = None
        assert not verifier.refresh()
        assert verifier.status().bundle_at == before.bundle_at


def test_a_key_that_was_changed_at_once_is_asked_for(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    with site.verifier() as verifier:
        change(verifier, "keys", json.dumps({"00000000": "11" * 32}))
        verifier._cache._etag = None
        assert verifier.refresh()
        held = verifier._cache.held
        assert held is not None
        assert held.keys.keys() == held.bundle.manifest.keys.keys()


def test_what_did_not_change_is_not_fetched_again(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    site.text()
    with site.verifier() as verifier:
        asked = list[str]()
        call = verifier.device.transport.call

        def listening(method: str, path: str, *arguments: Any, **others: Any) -> Any:
            asked.append(path.rpartition("/")[2])
            return call(method, path, *arguments, **others)

        verifier.device.transport.call = listening  # type: ignore[method-assign]
        assert not verifier.refresh()
        assert asked == ["bundle"], "the manifest is as it was"
        verifier._cache._etag = None
        assert verifier.refresh()
        assert asked == ["bundle", "bundle"], "nor are its chunks"


def kept(verifier: Verifier) -> set[bytes]:
    return {hash_ for (hash_,) in verifier.device.state.rows("SELECT hash FROM chunks")}


def named(verifier: Verifier) -> set[bytes]:
    held = verifier._cache.held
    assert held is not None
    return set(Bundle.missing(held.bundle.manifest, ()))


def test_a_download_that_is_cut_off_each_time_goes_on_where_it_ended_though_the_bundle_changes_meanwhile(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One round gets through at each try, the program starts anew after it, and somebody is always being suspended."""
    monkeypatch.setattr(bundle_cache, "_AT_ONCE", 1)
    site.open_gate(offline="admit_and_reconcile")
    tokens = [site.token() for _ in range(40)]
    site.device().close()
    asked = list[str]()
    tries, whole = 0, False
    while not whole:
        tries += 1
        assert tries < 20, "it never ends"
        site.client.passes.suspend(tokens[tries].pass_, reason="a reason")
        time.sleep(1.1)  # the service looks once a second
        with Verifier(Device.load(site.folder)) as verifier:
            this_time = one_round(site, verifier)
            with suppress(Unreachable):
                verifier.refresh()
            site.line.mend()
            asked += this_time
            whole = verifier._cache.held is not None
            if whole:
                assert kept(verifier) == named(verifier), "what no manifest names has gone"
    assert tries > 3, "so there were several rounds"
    assert len(asked) == len(set(asked)), "nothing was fetched twice"


def one_round(site: Site, verifier: Verifier) -> list[str]:
    """What chunks are asked for until the line is cut: before the second round of them."""
    asked = list[str]()
    call = verifier.device.transport.call

    def calling(method: str, path: str, *arguments: Any, **others: Any) -> Any:
        if path.endswith("/chunks"):
            if asked:
                site.line.cut()
            else:
                asked.append(others["params"]["of"])
        return call(method, path, *arguments, **others)

    verifier.device.transport.call = calling  # type: ignore[method-assign]
    return asked


def test_chunks_of_a_bundle_that_is_refused_are_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.open_gate(offline="admit_and_reconcile")
    site.text()
    with site.verifier() as verifier:
        before = kept(verifier)
        assert before == named(verifier)
        site.text(pass_party_size=2)
        time.sleep(1.1)
        with monkeypatch.context() as broken:
            broken.setattr(bundle_cache.Bundle, "__init__", refusing)
            with pytest.raises(BundleRefused, match="it is no good"):
                verifier.refresh()
        assert kept(verifier) == before
        assert verifier.refresh()
        assert kept(verifier) == named(verifier) != before


def refusing(*_: object) -> None:
    raise ValueError("it is no good")


def test_what_is_kept_is_whole_after_a_restart_and_works_without_the_network(site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = [site.text() for _ in range(2)]
    with site.verifier() as verifier:
        at = verifier.status().bundle_at
    with Verifier(Device.load(site.folder)) as verifier, site.line.down():
        assert verifier.status().bundle_at == at
        assert verifier.verify(texts[0]).opens
        with verifier.device.state.transaction() as tx:
            tx.execute("DELETE FROM chunks")
    with Verifier(Device.load(site.folder)) as verifier:
        with site.line.down():
            assert verifier.verify(texts[1]).reason == "stale_bundle", "one that is damaged is none"
            with pytest.raises(Unreachable):
                verifier.refresh()
        assert verifier.refresh()
        with site.line.down():
            assert verifier.verify(texts[1]).opens


def test_the_keys_are_pinned_at_set_up_and_are_those_of_the_bundle_then(site: Site) -> None:
    site.open_gate()
    device = site.device()
    with Verifier(device) as verifier:
        with device.state.transaction() as tx:
            pinned, tenant = json.loads(known(tx, "keys")), known(tx, "tenant")
        assert (len(pinned) > 0, tenant) == (True, None)
        verifier.refresh()
        held = verifier._cache.held
        assert held is not None
        assert {kid.hex() for kid in held.keys} == pinned.keys()
        assert isinstance(held.bundle, Bundle)
        with device.state.transaction() as tx:
            assert known(tx, "tenant") == "default"
