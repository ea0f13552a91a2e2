"""The bundle of the device's gate: fetched as differences, believed for its signature alone, kept across restarts.

The service's keys were pinned when the device was set up. A bundle signed by one of them brings the keys that count
from then on. Under an unknown key it is believed only if the service publishes that key, as it does once its keys were
changed at once; that is asked for as at the set-up. Another tenant or another gate is refused, and the bundle before it
stays. So it does where the `seq` is lower: another process of the service looked earlier.

Chunks are kept as they come, so that a download that was cut off goes on where it ended.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cbor2

from . import uses
from .core.bundle import Bundle, Manifest, UnknownKey, chunk_hash, open_manifest
from .core.keys import Ed25519Key
from .device import Device, published_keys
from .errors import BundleRefused, Unreachable
from .state import known, learn
from .times import Times
from .transport import Answer

_AT_ONCE = 64
_ATTEMPTS = 3


class Held(NamedTuple):
    """The bundle in use and the keys that came with it."""

    bundle: Bundle
    keys: dict[bytes, Ed25519Key]


class _Chunks(NamedTuple):
    """Every chunk of a manifest, and others; `fresh` are those that came with it."""

    all: Mapping[bytes, bytes]
    fresh: Sequence[bytes]


class BundleCache:
    """The bundle that the device has; `held` is None while there is none for its gate."""

    def __init__(self, device: Device, times: Times) -> None:
        self._device = device
        self._times = times
        self._etag: str | None = None
        self._one_at_a_time = threading.Lock()
        self._held = self._load()

    @property
    def held(self) -> Held | None:
        held = self._held
        return held if held is not None and held.bundle.manifest.gate.id == self._device.gate else None

    def refresh(self) -> bool:
        """Fetch what changed. Whether there is a newer bundle now.

        Raises `BundleRefused`, `Unreachable` and `ApiError`; the bundle before it stays, and grows old.
        """
        with self._one_at_a_time:
            return self._fetch()

    def _fetch(self) -> bool:
        for _ in range(_ATTEMPTS):
            gate, etag = self._device.gate, self._etag if self.held is not None else None
            answer = self._call(f"/v1/gates/{gate}/bundle", {"If-None-Match": etag} if etag else {})
            if answer.unchanged:
                return False
            manifest = self._believed(answer.content, gate)
            if manifest is None:
                return False
            chunks = self._chunks(manifest, gate)
            if chunks is not None:
                self._take(manifest, chunks, answer.content, answer.headers.get("etag"))
                return True
        raise Unreachable("The bundle changed faster than it could be fetched.")

    def _call(self, path: str, headers: dict[str, str] | None = None, **params: str) -> Answer:
        answer = self._device.transport.call("GET", path, params=params or None, headers=headers)
        self._times.saw(answer.at)
        return answer

    def _believed(self, body: bytes, gate: str) -> Manifest | None:
        """The manifest; None for one that is older than the one there is."""
        with self._device.state.transaction() as tx:
            pinned, tenant, seq = _pinned(tx), known(tx, "tenant"), known(tx, "seq")
        try:
            try:
                manifest = open_manifest(body, pinned)
            except UnknownKey:
                manifest = open_manifest(body, self._published())
        except ValueError as fault:
            raise BundleRefused(str(fault)) from fault
        if tenant is not None and manifest.tenant != tenant:
            raise BundleRefused("The bundle is another tenant's.")
        if manifest.gate.id != gate:
            raise BundleRefused("The bundle is another gate's.")
        return manifest if seq is None or manifest.seq >= seq else None

    def _published(self) -> dict[bytes, Ed25519Key]:
        try:
            return {kid: Ed25519Key(public) for kid, public in published_keys(self._device.transport).items()}
        except (KeyError, TypeError, ValueError) as fault:
            raise Unreachable("What came back are no keys of Gatepass's.") from fault

    def _chunks(self, manifest: Manifest, gate: str) -> _Chunks | None:
        """The chunks that the manifest names; None where one is no longer there, so that a newer manifest is wanted."""
        have = dict(self._device.state.rows("SELECT hash, content FROM chunks"))
        wanted = Bundle.missing(manifest, have)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            fetched = self._some(some, gate)
            self._keep(fetched)
            if len(fetched) < len(some):
                return None
            have |= fetched
        return _Chunks(have, wanted)

    def _some(self, hashes: list[bytes], gate: str) -> dict[bytes, bytes]:
        """Those chunks, as far as they are there."""
        answer = self._call(f"/v1/gates/{gate}/bundle/chunks", of=",".join(each.hex() for each in hashes))
        try:
            fetched = cbor2.loads(answer.content)
        except (cbor2.CBORError, ValueError):
            fetched = None
        if not isinstance(fetched, list) or len(fetched) != len(hashes):
            raise Unreachable("What came back are no chunks of Gatepass's.")
        there = {hash_: chunk for hash_, chunk in zip(hashes, fetched, strict=True) if chunk is not None}
        for hash_, chunk in there.items():
            if not isinstance(chunk, bytes) or chunk_hash(chunk) != hash_:
                raise BundleRefused("A chunk of the bundle is not the one that was signed.")
        return there

    def _keep(self, chunks: Mapping[bytes, bytes]) -> None:
        """Keep chunks, though their bundle is not whole yet: on a slow line it changes before all of it is here."""
        with self._device.state.transaction() as tx:
            tx.executemany("INSERT INTO chunks VALUES (?, ?) ON CONFLICT DO NOTHING", chunks.items())

    def _take(self, manifest: Manifest, chunks: _Chunks, body: bytes, etag: str | None) -> None:
        """Keep a bundle that is whole, with the keys that it brings."""
        held = self._held
        try:
            bundle = Bundle(manifest, chunks.all, held.bundle if held else None)
        except ValueError as fault:
            with self._device.state.transaction() as tx:
                tx.executemany("DELETE FROM chunks WHERE hash = ?", [(hash_,) for hash_ in chunks.fresh])
            raise BundleRefused(str(fault)) from fault
        named = set(Bundle.missing(manifest, ()))
        self._times.saw(manifest.seq)
        with self._device.state.transaction() as tx:
            before = {hash_ for (hash_,) in tx.execute("SELECT hash FROM chunks")}
            tx.executemany("DELETE FROM chunks WHERE hash = ?", [(hash_,) for hash_ in before - named])
            tx.executemany("INSERT INTO chunks VALUES (?, ?)", [(hash_, chunks.all[hash_]) for hash_ in named - before])
            learn(tx, "keys", json.dumps({kid.hex(): public.hex() for kid, public in manifest.keys.items()}))
            learn(tx, "tenant", manifest.tenant)
            learn(tx, "seq", manifest.seq)
            learn(tx, "manifest", body)
            self._times.keep(tx)
            uses.counted(tx, manifest.seq)
        self._held = Held(bundle, {kid: Ed25519Key(public) for kid, public in manifest.keys.items()})
        self._etag = etag

    def _load(self) -> Held | None:
        """The bundle that was kept; None where there is none, or it is damaged."""
        with self._device.state.transaction() as tx:
            body, pinned = known(tx, "manifest"), _pinned(tx)
            chunks = dict(tx.execute("SELECT hash, content FROM chunks").fetchall())
        if body is None:
            return None
        try:
            return Held(Bundle(open_manifest(body, pinned), chunks), pinned)
        except ValueError:
            return None


def _pinned(tx: sqlite3.Connection) -> dict[bytes, Ed25519Key]:
    keys = json.loads(known(tx, "keys") or "{}")
    return {bytes.fromhex(kid): Ed25519Key(bytes.fromhex(public)) for kid, public in keys.items()}
