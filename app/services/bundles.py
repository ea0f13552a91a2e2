"""Bundles: what kiosks need to verify without the network, made for a gate and kept up to date as it is asked for.

The first time a gate's bundle is made of all passes of the tenant, a stretch of places at a time. From then on only
passes that changed are read: `changed_at` is set by everything that changes what a bundle says of them. What changed
within the minute before the last look is read again, so that a transaction which was long in committing is not missed,
and clocks of other processes may differ.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from cachetools import LRUCache

from app.core.bundle import Manifest, sign_manifest
from app.core.model import DAY, MINUTE, SECOND, Direction, OfflinePolicy
from app.effects.calendar import ZoneInfoCalendar
from app.effects.clock import Clock
from app.storage.loaders.gates import Place
from app.storage.records import GateRecord
from app.storage.repositories.bundles import PassRow
from app.storage.store import Store
from app.storage.transaction import Transaction

from .bundle_content import Content
from .keychain import Keychain
from .mistakes import NotFound

STRETCH = 8_192
"""How many places are read at once: a whole number of blocks, so that each block is packed once."""

LOOK_EVERY = SECOND
SAME_FOR = 60 * SECOND
"""How long an unchanged bundle keeps its bytes. Then it is signed anew, so that how old it is can be told."""

LATE = 60 * SECOND
"""How late a change may be seen: a transaction takes seconds, and clocks differ by less."""

MOST_CHANGED = 20_000
"""Where more passes than this changed within a minute, the bundle is made anew instead."""

_AT_MOST = 10  # one part in so many of the time is spent on making a bundle anew because much changed
_HOURS_AHEAD = 8 * DAY  # no bundle is good for longer than a week
_TOKEN_LEEWAY = MINUTE
_KEPT_BEFORE = MINUTE  # how long chunks are kept that no manifest names any more
_ROOM_BEFORE = 16 * 1024 * 1024  # how many bytes of them, for each gate
_ROOM = 512 * 1024 * 1024
_PER_CHUNK, _PER_ROW = 300, 150  # bytes that Python spends on them besides

Key = tuple[str, str]


class Issued(NamedTuple):
    """A signed bundle. `etag` names its bytes."""

    body: bytes
    etag: str


class Bundles:
    """The bundles of this process, `room` bytes of them at most, the least recently asked for forgotten first."""

    def __init__(
        self, store: Store, clock: Clock, calendar: ZoneInfoCalendar, keychain: Keychain, *, room: int = _ROOM
    ) -> None:
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._keychain = keychain
        self._kept: LRUCache[Key, _Kept] = LRUCache(room, lambda kept: min(kept.size, room))
        self._looks: dict[Key, asyncio.Task[_Kept]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._as_of = 0

    async def bundle(self, tenant: str, gate: str) -> Issued:
        """The gate's bundle, looked at within the last second. Raises `NotFound`, and `Unavailable`."""
        return (await self._current((tenant, gate))).issued

    async def chunks(self, tenant: str, gate: str, hashes: Sequence[bytes]) -> list[bytes | None]:
        """Chunks of the gate's bundle, or of those of the last minute, in that order. None for what is not there.

        Raises as `bundle` does.
        """
        kept = self._kept.get((tenant, gate))
        if kept is None or any(kept.chunk(hash_) is None for hash_ in hashes):
            kept = await self._current((tenant, gate))  # another process may have made the bundle that names them
        return [kept.chunk(hash_) for hash_ in hashes]

    async def close(self) -> None:
        """Give up what is being made."""
        for task in self._looks.values():
            task.cancel()
        await asyncio.gather(*self._looks.values(), return_exceptions=True)

    async def _current(self, key: Key) -> "_Kept":
        """One look at a time at each gate, which whoever comes meanwhile waits for; and goes on if they go away."""
        kept = self._kept.get(key)
        if kept is not None and 0 <= self._clock.now() - kept.looked_at < LOOK_EVERY:
            return kept
        task = self._looks.get(key)
        if task is None:
            task = self._looks[key] = asyncio.create_task(self._look(key))
            task.add_done_callback(lambda _: self._looks.pop(key))
        return await asyncio.shield(task)

    async def _look(self, key: Key) -> "_Kept":
        """See what changed, and keep the bundle as it is now."""
        kept, now = self._kept.get(key), self._clock.now()
        as_of = self._as_of = max(now, self._as_of + 1)  # it never goes back, whatever the clock does
        since = None if kept is None else min(kept.known_at, now) - LATE
        try:
            found = await self._store.read(lambda tx: _found(tx, key, since, as_of))
        except NotFound:
            self._kept.pop(key, None)
            raise
        if kept is None or not kept.still_fits(found):
            kept = await self._made(key, found, as_of, kept)
        elif len(found.changed) > MOST_CHANGED and as_of < kept.not_anew_before:
            self._kept[key] = kept = kept._replace(looked_at=now)
            return kept
        elif len(found.changed) > MOST_CHANGED:
            kept = await self._made(key, found, as_of, kept)
        else:
            kept = await self._whole(key, partial(_refreshed, kept, found, as_of))
        kept = kept._replace(looked_at=now, known_at=now)
        self._kept[key] = kept = await self._whole(key, partial(self._issued, key[0], kept, found, as_of))
        return kept

    async def _whole(self, key: Key, change: Callable[[], "_Kept"]) -> "_Kept":
        """What a change makes of a bundle. Where it fails it may be half done: the next look makes the bundle anew."""
        try:
            return await asyncio.to_thread(change)
        except BaseException:
            self._kept.pop(key, None)
            raise

    async def _made(self, key: Key, found: "_Found", as_of: int, before: "_Kept | None") -> "_Kept":
        """Made of everything, read a stretch at a time, so that all else gets its turn; and one gate's at a time."""
        tenant, content = key[0], Content(found.place.gate, found.schedule_places)
        async with self._one_at_a_time:
            begun = self._clock.now()
            for first in range(0, found.places_drawn, STRETCH):
                rows = await self._store.read(partial(_stretch, tenant=tenant, first=first, as_of=as_of))
                await asyncio.to_thread(content.put, rows, as_of)
            took = max(self._clock.now() - begun, 0)
        made = _Kept(content, _basis(found), not_anew_before=as_of + _AT_MOST * took)
        if before is None:
            return made
        return made._replace(issued=before.issued, manifest=before.manifest, chunks=before.chunks, before=before.before)

    def _issued(self, tenant: str, kept: "_Kept", found: "_Found", as_of: int) -> "_Kept":
        """It with its manifest: the one there is, unless something is different or it is a minute old."""
        kept.content.refuse(found.refused)
        manifest, last = self._manifest(tenant, kept.content, found, as_of), kept.manifest
        if last is not None and as_of - last.seq < SAME_FOR and manifest._replace(seq=last.seq) == last:
            return kept
        body = sign_manifest(manifest, self._keychain.signer())
        chunks = kept.content.chunks()
        before = kept.no_longer_in(chunks, as_of)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return kept._replace(issued=Issued(body, etag), manifest=manifest, chunks=chunks, before=before)

    def _manifest(self, tenant: str, content: Content, found: "_Found", as_of: int) -> Manifest:
        named = content.schedules_named()
        return Manifest(
            tenant=tenant,
            seq=as_of,
            max_stale=found.gate.offline_max_stale_s * SECOND,
            epoch=found.place.epoch,
            keys={key.kid: key.public for key in self._keychain.published()},
            gate=found.place.gate._replace(from_zones=(), into_zones=()),
            offline=OfflinePolicy(found.gate.offline),
            schedules=tuple(
                self._hours(hours, found.place.time_zone, as_of) if place in named else ()
                for place, (_, hours) in enumerate(found.schedules)
            ),
            passes={block: chunk.hash for block, chunk in content.passes.items()},
            statuses={segment: chunk.hash for segment, chunk in content.statuses.items()},
            refused=content.refused.hash if content.refused else None,
        )

    def _hours(self, hours: str, time_zone: str, as_of: int) -> tuple[tuple[int, int], ...]:
        """When it is open, from the day before until no bundle of today can be good any more."""
        windows = self._calendar.windows(hours, time_zone, as_of)
        return tuple(each for each in windows if each[1] > as_of - DAY and each[0] < as_of + _HOURS_AHEAD)


class _Found(NamedTuple):
    """What one look reads."""

    gate: GateRecord
    place: Place
    schedules: Sequence[tuple[str, str]]
    places_drawn: int
    changed: Sequence[PassRow]
    refused: Sequence[bytes]

    @property
    def schedule_places(self) -> Mapping[str, int]:
        return {id_: place for place, (id_, _) in enumerate(self.schedules)}


class _Basis(NamedTuple):
    """What decides which passes are in a bundle, and how they name their schedules."""

    direction: Direction
    from_zones: tuple[str, ...]
    into_zones: tuple[str, ...]
    schedules: tuple[str, ...]


class _Earlier(NamedTuple):
    """A chunk that went out of the bundle then."""

    bytes: bytes
    went_at: int


class _Kept(NamedTuple):
    """A bundle, and what it takes to keep it up to date.

    `known_at` is when what is in it was read last; `looked_at` may be later, where much was left for later. `seen` has
    the passes that the last look read, by a hash of what it read. `before` are chunks of earlier bundles, in the order
    in which they went out of them.
    """

    content: Content
    basis: _Basis
    looked_at: int = 0
    known_at: int = 0
    not_anew_before: int = 0
    seen: Mapping[int, int] = {}
    issued: Issued = Issued(b"", "")
    manifest: Manifest | None = None
    chunks: Mapping[bytes, bytes] = {}
    before: Mapping[bytes, _Earlier] = {}

    def chunk(self, hash_: bytes) -> bytes | None:
        earlier = self.before.get(hash_)
        return self.chunks.get(hash_) or (earlier.bytes if earlier else None)

    def no_longer_in(self, chunks: Mapping[bytes, bytes], as_of: int) -> dict[bytes, _Earlier]:
        """What is to be kept of its chunks besides those that it has now: who fetches them may be slow.

        All that go now; and, as far as there is room, those that went within the last minute.
        """
        went, room = dict[bytes, _Earlier](), _ROOM_BEFORE
        for hash_ in reversed(list(self.before)):
            each = self.before[hash_]
            room -= len(each.bytes)
            if room < 0 or as_of - each.went_at > _KEPT_BEFORE:
                break
            went[hash_] = each
        kept = {hash_: went[hash_] for hash_ in reversed(went)}
        kept |= {hash_: _Earlier(chunk, as_of) for hash_, chunk in self.chunks.items()}
        return {hash_: each for hash_, each in kept.items() if hash_ not in chunks}

    def still_fits(self, found: _Found) -> bool:
        """Whether it can be brought up to date: a schedule that is new comes behind the others."""
        now = _basis(found)
        return now._replace(schedules=now.schedules[: len(self.basis.schedules)]) == self.basis

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        chunks = [*self.chunks.values(), *(each.bytes for each in self.before.values())]
        return sum(len(chunk) + _PER_CHUNK for chunk in chunks) + len(self.seen) * _PER_ROW + len(self.issued.body) * 2


def _basis(found: _Found) -> _Basis:
    gate = found.place.gate
    return _Basis(gate.direction, gate.from_zones, gate.into_zones, tuple(id_ for id_, _ in found.schedules))


def _found(tx: Transaction, key: Key, since: int | None, as_of: int) -> _Found:
    tenant, gate = key
    record, place = tx.gates.get(tenant, gate), tx.bundles.place(tenant, gate)
    if record is None or place is None:
        raise NotFound("gate")
    return _Found(
        record,
        place,
        tx.bundles.schedules(tenant),
        tx.bundles.places_drawn(tenant),
        () if since is None else tx.bundles.passes_changed(tenant, since, MOST_CHANGED + 1),
        tx.bundles.refused_tokens(tenant, as_of - _TOKEN_LEEWAY),
    )


def _stretch(tx: Transaction, *, tenant: str, first: int, as_of: int) -> list[PassRow]:
    return tx.bundles.passes_between(tenant, first, first + STRETCH, as_of)


def _refreshed(kept: _Kept, found: _Found, as_of: int) -> _Kept:
    """It with what changed. What was seen just so is not done again, unless it could not be settled."""
    seen = {row.idx: hash(row) for row in found.changed}
    fresh = [row for row in found.changed if kept.seen.get(row.idx) != seen[row.idx]]
    kept.content.learn_schedules(found.schedule_places)
    for idx in kept.content.put(fresh, as_of):
        del seen[idx]
    kept.content.drop_ended(as_of)
    return kept._replace(basis=_basis(found), seen=seen)
