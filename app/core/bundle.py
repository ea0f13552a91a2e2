"""The bundle: all that a verifier needs to decide without the network, for one gate.

A manifest, signed by the service, names chunks by their hashes: blocks of passes, segments of the status list, and the
tokens that were taken back one by one. What is fetched again is only what changed. docs/offline.md has the bytes.
"""

from collections.abc import Container, Mapping
from functools import lru_cache

from .bundle_chunks import (
    BLOCK,
    BundlePass,
    chunk_hash,
    pack_passes,
    pack_refused,
    unpack_passes,
    unpack_refused,
)
from .manifest import Manifest, UnknownKey, open_manifest, sign_manifest
from .model import NO_LIMITS, Holder, Limits, Pass, PassStatus, Scope
from .status_list import (
    APPLICATION_SPECIFIC,
    INVALID,
    SEGMENT,
    SUSPENDED,
    VALID,
    pack_statuses,
    status_of,
    unpack_statuses,
)

__all__ = [
    "BLOCK",
    "SEGMENT",
    "Bundle",
    "BundlePass",
    "Manifest",
    "UnknownKey",
    "chunk_hash",
    "open_manifest",
    "pack_passes",
    "pack_refused",
    "pack_statuses",
    "sign_manifest",
    "status_of",
    "unpack_passes",
    "unpack_refused",
    "unpack_statuses",
]

_EVERY_GATE = Scope(every_gate=True)

_unpacked = lru_cache(maxsize=64)(unpack_passes)
_array = lru_cache(maxsize=64)(unpack_statuses)


class Bundle:
    """A manifest with all its chunks, by hash. Raises ValueError where one is missing or damaged.

    `before` is the bundle that this one comes after: what is the same in both is not looked at again.
    """

    def __init__(self, manifest: Manifest, chunks: Mapping[bytes, bytes], before: "Bundle | None" = None) -> None:
        self.manifest = manifest
        self._chunks: dict[bytes, bytes] = {}
        self.looked_at: set[tuple[int, bytes]] = set()
        seen: set[tuple[int, bytes]] = set()
        if before is not None and len(before.manifest.schedules) <= len(manifest.schedules):
            seen = before.looked_at
        for block, hash_ in manifest.passes.items():
            chunk = self._take(hash_, chunks)
            if (block, hash_) not in seen:
                self._check(unpack_passes(block, chunk))
            self.looked_at.add((block, hash_))
        for hash_ in manifest.statuses.values():
            unpack_statuses(self._take(hash_, chunks))
        refused = manifest.refused
        self._refused = frozenset[bytes]() if refused is None else unpack_refused(self._take(refused, chunks))

    def pass_(self, idx: int) -> Pass | None:
        """The pass at that place, which may enter at the gate; a revoked one with its status alone; None for others.

        Its id and its holder's are its place: there is nothing else that names it.
        """
        status = self._status(idx)
        hash_ = self.manifest.passes.get(idx // BLOCK)
        found = None if hash_ is None else _unpacked(idx // BLOCK, self._chunks[hash_]).get(idx)
        if found is None:
            if status != INVALID:
                return None
            found = BundlePass(idx)
        id_ = idx.to_bytes(16, "big")
        return Pass(
            id=id_,
            idx=idx,
            holder=Holder(id_, "", 0, blocked=status == APPLICATION_SPECIFIC),
            scope=_EVERY_GATE,
            valid_from=found.valid_from,
            valid_until=found.valid_until,
            max_entries=found.max_entries,
            entries=found.entries,
            status={INVALID: PassStatus.REVOKED, SUSPENDED: PassStatus.SUSPENDED}.get(status, PassStatus.ACTIVE),
            hours=None if found.schedule is None else self.manifest.schedules[found.schedule],
            limits=NO_LIMITS if found.party_size == 1 else Limits(found.party_size),
        )

    def taken_back(self, token_id: bytes) -> bool:
        """Whether this one token was revoked or blocked."""
        return token_id in self._refused

    @staticmethod
    def missing(manifest: Manifest, have: Container[bytes]) -> list[bytes]:
        """The hashes of the chunks that are still to be fetched, each once."""
        named = [
            *manifest.passes.values(),
            *manifest.statuses.values(),
            *([manifest.refused] if manifest.refused else []),
        ]
        return [hash_ for hash_ in dict.fromkeys(named) if hash_ not in have]

    def _status(self, idx: int) -> int:
        hash_ = self.manifest.statuses.get(idx // SEGMENT)
        return VALID if hash_ is None else status_of(_array(self._chunks[hash_]), idx % SEGMENT)

    def _take(self, hash_: bytes, chunks: Mapping[bytes, bytes]) -> bytes:
        if hash_ in self._chunks:
            return self._chunks[hash_]
        chunk = chunks.get(hash_)
        if chunk is None:
            raise ValueError("A chunk of the bundle is missing.")
        if chunk_hash(chunk) != hash_:
            raise ValueError("A chunk of the bundle is damaged.")
        self._chunks[hash_] = chunk
        return chunk

    def _check(self, passes: Mapping[int, BundlePass]) -> None:
        there = len(self.manifest.schedules)
        if any(each.schedule is not None and each.schedule >= there for each in passes.values()):
            raise ValueError("A pass names a schedule that the manifest has not.")
