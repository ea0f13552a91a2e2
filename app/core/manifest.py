"""The manifest of a bundle: what is signed of it, as docs/offline.md has it byte for byte.

It says for which gate, as of when and for how long; which keys sign; and names the chunks by their hashes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import cbor2

from .bundle_chunks import HASH_BYTES
from .cose import ED25519, Signer, enclose, envelope, kid_in, sig_structure
from .model import SECOND, Direction, Gate, OfflinePolicy
from .status_list import DRAFT
from .strict_cbor import is_uint, strict
from .token_format import PublicKey

VERSION = 1
MAX_MANIFEST = 1 << 24
"""The most bytes that a manifest has."""

_FIELDS = frozenset(
    ("v", "tenant", "seq", "max_stale", "epoch", "keys", "gate", "schedules", "status_list", "passes", "statuses")
) | {"refused"}
_GATE_FIELDS = {"id", "direction", "repeat_window", "second_proof", "offline"}
_GATE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KID_BYTES, _KEY_BYTES = 4, 32
_MAX_DEPTH = 6

Schedules = tuple[tuple[tuple[int, int], ...], ...]


class UnknownKey(ValueError):
    """The manifest is signed by a key that is not pinned."""


class Manifest(NamedTuple):
    """What is signed. Times are microseconds UTC.

    `seq` is the time as of which the database was read. `keys` are all published signing keys, by `kid`, oldest first.
    `gate` comes without its zones: where a pass may be used was settled when the bundle was made. Of `passes` and
    `statuses` the hash of each chunk is there by its block or segment. `refused` is that of the tokens taken back.
    """

    tenant: str
    seq: int
    max_stale: int
    epoch: int
    keys: Mapping[bytes, bytes]
    gate: Gate
    offline: OfflinePolicy
    schedules: Schedules = ()
    passes: Mapping[int, bytes] = {}
    statuses: Mapping[int, bytes] = {}
    refused: bytes | None = None


def sign_manifest(manifest: Manifest, signer: Signer) -> bytes:
    """The body of a bundle: an untagged COSE_Sign1."""
    gate = manifest.gate
    payload = {
        "v": VERSION,
        "tenant": manifest.tenant,
        "seq": manifest.seq,
        "max_stale": manifest.max_stale // SECOND,
        "epoch": manifest.epoch,
        "keys": [[kid, public] for kid, public in manifest.keys.items()],
        "gate": {
            "id": gate.id,
            "direction": gate.direction.value,
            "repeat_window": gate.repeat_window // SECOND,
            "second_proof": gate.second_proof // SECOND,
            "offline": manifest.offline.value,
        },
        "schedules": [[[start // SECOND, end // SECOND] for start, end in each] for each in manifest.schedules],
        "status_list": DRAFT,
        "passes": [list(each) for each in sorted(manifest.passes.items())],
        "statuses": [list(each) for each in sorted(manifest.statuses.items())],
        "refused": manifest.refused,
    }
    return enclose(cbor2.dumps(payload, canonical=True), _external_aad(manifest.tenant), signer)


def open_manifest(body: bytes, keys: Mapping[bytes, PublicKey]) -> Manifest:
    """The manifest, once the signature of one of the pinned `keys` holds.

    Whether it is for the verifier's own tenant and gate, and no older than the one it has, is for the caller to see.
    Raises `UnknownKey`, and ValueError for all else that is wrong with it.
    """
    if len(body) > MAX_MANIFEST:
        raise ValueError("The manifest is too large.")
    protected, payload, signature = envelope(body)
    key = keys.get(kid_in(protected))
    if key is None:
        raise UnknownKey("The manifest is signed by a key that is not pinned.")
    content = strict(payload, _MAX_DEPTH)
    if type(content) is not dict or type(content.get("tenant")) is not str:
        raise ValueError("The manifest names no tenant.")
    signed = sig_structure(protected, _external_aad(content["tenant"]), payload)
    if key.algorithm != ED25519 or not key.verify(signature, signed):
        raise ValueError("The signature of the manifest does not hold.")
    return _manifest(content)


def _manifest(content: Mapping[Any, Any]) -> Manifest:
    if content.keys() != _FIELDS or not is_uint(content["v"]) or content["v"] != VERSION:
        raise ValueError("The manifest is of another version.")
    if content["status_list"] != DRAFT:
        raise ValueError("The manifest names another draft of the status list.")
    if not all(is_uint(content[name]) for name in ("seq", "max_stale", "epoch")):
        raise ValueError("The manifest has something else than a number in range.")
    refused = content["refused"]
    if refused is not None and not _is_bytes(refused, HASH_BYTES):
        raise ValueError("The manifest names a chunk by something else than a hash.")
    gate, offline = _gate(content["gate"])
    return Manifest(
        tenant=content["tenant"],
        seq=content["seq"],
        max_stale=content["max_stale"] * SECOND,
        epoch=content["epoch"],
        keys=_keys(content["keys"]),
        gate=gate,
        offline=offline,
        schedules=_schedules(content["schedules"]),
        passes=_hashes(content["passes"]),
        statuses=_hashes(content["statuses"]),
        refused=refused,
    )


def _gate(gate: Any) -> tuple[Gate, OfflinePolicy]:  # noqa: ANN401  whatever CBOR may hold
    if type(gate) is not dict or gate.keys() != _GATE_FIELDS:
        raise ValueError("The manifest describes no gate.")
    if type(gate["id"]) is not str or not _GATE_ID.fullmatch(gate["id"]):
        raise ValueError("The manifest is for something else than a gate.")
    if gate["direction"] not in tuple(Direction) or gate["offline"] not in tuple(OfflinePolicy):
        raise ValueError("The gate has a direction or a policy that there is not.")
    repeat_window, second_proof = gate["repeat_window"], gate["second_proof"]
    if not is_uint(repeat_window) or not is_uint(second_proof):
        raise ValueError("The gate has something else than a number in range.")
    times = repeat_window * SECOND, second_proof * SECOND
    return Gate(gate["id"], Direction(gate["direction"]), (), (), *times), OfflinePolicy(gate["offline"])


def _keys(pairs: Any) -> Mapping[bytes, bytes]:  # noqa: ANN401
    keys = {}
    for kid, public in _pairs(pairs):
        if not _is_bytes(kid, _KID_BYTES) or not _is_bytes(public, _KEY_BYTES):
            raise ValueError("The manifest has something else than public keys.")
        if kid in keys:
            raise ValueError("The manifest has two keys of one name.")
        keys[kid] = public
    if not keys:
        raise ValueError("The manifest has no keys.")
    return keys


def _schedules(schedules: Any) -> Schedules:  # noqa: ANN401
    if type(schedules) is not list:
        raise ValueError("The manifest has no list of schedules.")
    return tuple(_intervals(each) for each in schedules)


def _intervals(pairs: Any) -> tuple[tuple[int, int], ...]:  # noqa: ANN401
    intervals = []
    before = -1
    for start, end in _pairs(pairs):
        if not is_uint(start) or not is_uint(end) or not before < start < end:
            raise ValueError("The times of a schedule are not in order.")
        intervals.append((start * SECOND, end * SECOND))
        before = end
    return tuple(intervals)


def _hashes(pairs: Any) -> Mapping[int, bytes]:  # noqa: ANN401
    hashes: dict[int, bytes] = {}
    before = -1
    for place, hash_ in _pairs(pairs):
        if not is_uint(place) or not _is_bytes(hash_, HASH_BYTES):
            raise ValueError("The manifest names a chunk by something else than a hash.")
        if place <= before:
            raise ValueError("The chunks of the manifest are not in order.")
        hashes[place] = hash_
        before = place
    return hashes


def _pairs(pairs: Any) -> list[list[Any]]:  # noqa: ANN401
    if type(pairs) is not list or any(type(pair) is not list or len(pair) != 2 for pair in pairs):
        raise ValueError("The manifest has something else than a list of pairs.")
    return pairs


def _is_bytes(value: object, length: int) -> bool:
    return type(value) is bytes and len(value) == length


@lru_cache(maxsize=1024)
def _external_aad(tenant: str) -> bytes:
    return cbor2.dumps(["GPB1", tenant], canonical=True)
