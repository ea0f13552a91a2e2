"""The chunks of one gate's bundle, kept as bytes: to change a pass is to unpack its block and to pack it again.

Nothing here reads a database or a clock; it is run on threads.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from app.core.bundle import BLOCK, SEGMENT, BundlePass, chunk_hash, pack_passes, pack_refused, unpack_passes
from app.core.model import SECOND, Direction, Facts, Gate, Holder, Pass, PassStatus, Refused, Scope, Token
from app.core.rules.wrong_gate import wrong_gate
from app.core.status_list import (
    APPLICATION_SPECIFIC,
    INVALID,
    SUSPENDED,
    VALID,
    pack_status_array,
    set_status,
    status_of,
    unpack_statuses,
)
from app.core.strict_cbor import MAX_INT
from app.storage.loaders.passes import limits_of, scope_of
from app.storage.repositories.bundles import PassRow

_NEVER = 1 << 62
_LATEST = MAX_INT // SECOND * SECOND
"""The last whole second of which a chunk can tell: in 2255. A pass may begin or end later."""

_MOST_SCOPES = 10_000
_EMPTY_SEGMENT = bytes(SEGMENT // 4)
_NOBODY = Holder(b"", "", 0)
_ANY_TOKEN = Token(b"", "signed", 0, 0)


class Chunk(NamedTuple):
    """The bytes of a chunk and their hash. Of passes: when the first of them ends, and which schedules they name."""

    hash: bytes
    bytes: bytes
    ends_at: int = _NEVER
    schedules: frozenset[int] = frozenset()


class Content:
    """What a bundle of `gate` holds. `schedules` gives each schedule its place in the manifest.

    `ended_by` is, everywhere, the time as of which the bundle is made (microseconds UTC): a pass that has ended by then
    is not in it.
    """

    def __init__(self, gate: Gate, schedules: Mapping[str, int]) -> None:
        self.passes: dict[int, Chunk] = {}
        self.statuses: dict[int, Chunk] = {}
        self.refused: Chunk | None = None
        self._refused_ids: Sequence[bytes] = ()
        self._gate = gate
        self._schedules = schedules
        self._may_enter: dict[str, bool] = {}

    def learn_schedules(self, places: Mapping[str, int]) -> None:
        """There may be more of them now; those that there were have kept their places."""
        self._schedules = places

    def put(self, rows: Iterable[PassRow], ended_by: int) -> set[int]:
        """Take in passes as they are now; the places of those that name a schedule which is not known yet."""
        blocks: defaultdict[int, dict[int, BundlePass | None]] = defaultdict(dict)
        segments: defaultdict[int, dict[int, int]] = defaultdict(dict)
        unsettled = set()
        for row in rows:
            idx = row.idx
            segments[idx // SEGMENT][idx % SEGMENT] = _status(row)
            blocks[idx // BLOCK][idx] = self._told(row, ended_by)
            if row.schedule is not None and row.schedule not in self._schedules:
                unsettled.add(idx)
        for block, changes in blocks.items():
            self._change_block(block, changes)
        for segment, statuses in segments.items():
            self._change_segment(segment, statuses)
        return unsettled

    def drop_ended(self, ended_by: int) -> None:
        """Leave out the passes that have ended."""
        for block in [block for block, chunk in self.passes.items() if chunk.ends_at <= ended_by]:
            there = unpack_passes(block, self.passes[block].bytes)
            self._change_block(block, {idx: None for idx, each in there.items() if _has_ended(each, ended_by)})

    def refuse(self, ids: Sequence[bytes]) -> None:
        """The tokens that were taken back one by one are these, in order."""
        if ids != self._refused_ids:
            chunk = pack_refused(ids)
            self.refused = Chunk(chunk_hash(chunk), chunk) if ids else None
            self._refused_ids = ids

    def chunks(self) -> dict[bytes, bytes]:
        """All chunks by their hash."""
        refused = (self.refused,) if self.refused else ()
        return {each.hash: each.bytes for each in (*self.passes.values(), *self.statuses.values(), *refused)}

    def schedules_named(self) -> frozenset[int]:
        """The places of the schedules that a pass here names."""
        return frozenset[int]().union(*(chunk.schedules for chunk in self.passes.values()))

    def _told(self, row: PassRow, ended_by: int) -> BundlePass | None:
        """What the bundle says of a pass, in whole seconds; None where it is left out."""
        if row.status == PassStatus.REVOKED or (row.schedule is not None and row.schedule not in self._schedules):
            return None
        if row.scope not in self._may_enter:
            if len(self._may_enter) >= _MOST_SCOPES:
                self._may_enter.clear()
            self._may_enter[row.scope] = may_enter(self._gate, scope_of(row.scope))
        if not self._may_enter[row.scope]:
            return None
        if row.valid_from is not None and row.valid_from > _LATEST:
            return None  # until then no bundle of today is good
        told = BundlePass(
            row.idx,
            None if row.valid_from is None or row.valid_from <= 0 else -(-row.valid_from // SECOND) * SECOND,
            _last_second(row.valid_until),
            None if row.schedule is None else self._schedules[row.schedule],
            1 if row.limits is None else limits_of(row.limits).party_size,
            row.max_entries,
            0 if row.max_entries is None else row.entries,
        )
        return None if _has_ended(told, ended_by) else told

    def _change_block(self, block: int, changes: Mapping[int, BundlePass | None]) -> None:
        chunk = self.passes.get(block)
        before = unpack_passes(block, chunk.bytes) if chunk else {}
        if all(before.get(idx) == told for idx, told in changes.items()):
            return
        after = {idx: told for idx, told in {**before, **changes}.items() if told is not None}
        if not after:
            del self.passes[block]
            return
        packed = pack_passes(after.values())
        self.passes[block] = Chunk(
            chunk_hash(packed),
            packed,
            min((each.valid_until for each in after.values() if each.valid_until is not None), default=_NEVER),
            frozenset(each.schedule for each in after.values() if each.schedule is not None),
        )

    def _change_segment(self, segment: int, statuses: Mapping[int, int]) -> None:
        chunk = self.statuses.get(segment)
        array = unpack_statuses(chunk.bytes) if chunk else _EMPTY_SEGMENT
        changes = {place: status for place, status in statuses.items() if status_of(array, place) != status}
        if not changes:
            return
        changed = bytearray(array)
        for place, status in changes.items():
            set_status(changed, place, status)
        if changed == _EMPTY_SEGMENT:
            self.statuses.pop(segment)
            return
        packed = pack_status_array(changed)
        self.statuses[segment] = Chunk(chunk_hash(packed), packed)


def may_enter(gate: Gate, scope: Scope) -> bool:
    """Whether a pass of that scope is for that gate: what the rule says of the way that the gate is gone through.

    At a gate for both ways it says the same of each; at an exit it says who belongs there, and nobody is kept inside.
    """
    direction = Direction.ENTRY if gate.direction == Direction.BOTH else gate.direction
    facts = Facts(
        now=0,
        today=0,
        epoch=0,
        gate=gate,
        direction=direction,
        exit_side=False,
        credential=b"",
        verification=b"",
        presented=Refused(""),
        token=_ANY_TOKEN,
        pass_=Pass(b"", 0, _NOBODY, scope),
    )
    return not _refuses(facts)


_refuses: Callable[[Facts], bool] = wrong_gate.refuses


def _status(row: PassRow) -> int:
    """Revoked is for good, and goes before all else; of a blocked holder nothing else matters."""
    if row.status == PassStatus.REVOKED:
        return INVALID
    if row.blocked_at is not None:
        return APPLICATION_SPECIFIC
    return SUSPENDED if row.status == PassStatus.SUSPENDED else VALID


def _last_second(valid_until: int | None) -> int | None:
    """The whole second by which a pass ends; None where it never does, or later than a chunk can tell."""
    if valid_until is None or valid_until // SECOND > _LATEST // SECOND:
        return None
    return valid_until // SECOND * SECOND


def _has_ended(told: BundlePass, ended_by: int) -> bool:
    return told.valid_until is not None and told.valid_until <= ended_by
