"""Taking an admission back, in one transaction: the use is voided, the entry given back, the people moved back.

The admission itself stays on record; that it was undone is recorded beside it, once.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, func, select, update

from app.core.changes import CountLimited, Move
from app.core.crossing import crossed
from app.core.decision import Outcome
from app.core.model import ANYWHERE, CountKey, Direction, EntryCount
from app.core.undo import UNDO_WITHIN, undo

from .attempt import NotUndone, Undoing
from .calendar import Calendar
from .changes import Counted, unpacked
from .counts import counts_of
from .engine import Engine
from .loaders.gates import GatesLoader
from .loaders.zones import ZonesLoader
from .reconciler import Reconciler, Subject
from .recorder import Recorder, Standing, stand
from .repositories.entry_counts import is_entry
from .repositories.undos import Undos
from .tables import passes, redemptions, undos, verifications, zones


class _Admission(NamedTuple):
    """What there is to take back."""

    at: int
    decision: str
    direction: str
    gate: str
    token: bytes | None
    pass_: bytes | None
    holder: bytes | None
    credential: bytes
    people: int
    changes: str | None
    undone_at: int | None


class Undoer:
    """Takes admissions back on one engine."""

    def __init__(self, engine: Engine, calendar: Calendar) -> None:
        self._engine = engine
        self._calendar = calendar
        self._gates = GatesLoader(engine)
        self._zones = ZonesLoader(engine, calendar)
        self._recorder = Recorder(engine)
        self._reconciler = Reconciler(engine, calendar)

    def undo(self, connection: Connection, undoing: Undoing) -> NotUndone | None:
        """Take it back, or say why not. What it hangs on is locked as for settling, in the same order."""
        admission = _admission(connection, undoing)
        mistake = _mistake(admission, undoing)
        if admission is None or mistake is not None:
            return NotUndone(mistake or "no_such_verification")
        taken = unpacked(admission.changes, admission.holder or b"")
        roots = _roots(connection, undoing.tenant, taken.moves)
        counts = _held_counts(connection, undoing.tenant, admission.pass_)
        self._engine.lock_zones(connection, roots)
        counted = self._counted(connection, undoing.tenant, admission, taken.counted, counts)
        changed: list[Move | CountLimited] = [*taken.moves, *counted]
        if not Undos(connection, self._engine).insert(undoing):
            return NotUndone("already_undone")
        _void(connection, undoing, admission, taken.first)
        _give_entries_back(connection, undoing, admission)
        standing = self._standing(connection, undoing, changed, roots, counts)
        self._recorder.put(connection, _with_last_entry(connection, undoing.tenant, standing))
        subject = Subject(undoing.tenant, admission.token, admission.pass_)
        self._reconciler.taken_back(connection, subject, admission.at, undoing.now)
        return None

    def _counted(
        self,
        connection: Connection,
        tenant: str,
        admission: _Admission,
        known: Sequence[Counted],
        counts: Mapping[CountKey, EntryCount],
    ) -> list[CountLimited]:
        """What the admission counted; also for limits that the pass was given since, which count it too."""
        if admission.pass_ is None or admission.direction == Direction.EXIT:
            return []
        days = {CountKey(admission.pass_, zone): day for zone, day in known}
        since = counts.keys() - days.keys()
        if days:  # the pass was limited already: of its zones, what is not among them was not entered
            since &= {CountKey(admission.pass_, ANYWHERE)}
        place = (
            self._gates.load(connection, [(tenant, admission.gate)]).get((tenant, admission.gate)) if since else None
        )
        if place is not None:  # by a gate that is gone nobody came into a zone
            entered = {ANYWHERE, *crossed(*place.gate.sides(Direction.ENTRY))[0]}
            day = self._calendar.local_day(admission.at, place.time_zone)
            days |= {key: day for key in since if key.zone in entered}
        people, at = admission.people, admission.at
        return [
            CountLimited(key, EntryCount(), EntryCount(people, day, people, at)) for key, day in sorted(days.items())
        ]

    def _standing(
        self,
        connection: Connection,
        undoing: Undoing,
        changed: Sequence[Move | CountLimited],
        roots: Sequence[tuple[str, str]],
        counts: Mapping[CountKey, EntryCount],
    ) -> Standing:
        """What stands once the changes are taken back."""
        tenant = undoing.tenant
        trees = self._zones.load(connection, roots, undoing.now)
        counted = {(tenant, id_): each for tree in trees.values() for id_, each in tree.items()}
        holders = {(tenant, each.holder) for each in changed if isinstance(each, Move)}
        inside = self._zones.inside(connection, holders, counted)
        back = undo(
            changed,
            now=undoing.now,
            inside={zone: each for found in inside.values() for zone, each in found.items()},
            people={id_: each.zone.people for (_, id_), each in counted.items()},
            counts=counts,
            undone=_undone_since(connection, undoing, holders, changed),
        )
        standing = Standing({}, {}, {}, {}, {}, {})
        for change in back:
            stand(standing, tenant, undoing.now, change, counts)
        return standing


def _undone_since(
    connection: Connection,
    undoing: Undoing,
    holders: Collection[tuple[str, bytes]],
    changed: Sequence[Move | CountLimited],
) -> Mapping[str, int]:
    """The people whom earlier admissions of the holder had moved that were undone after this one, by zone."""
    moved: Counter[str] = Counter()
    if not any(isinstance(each, Move) for each in changed):
        return moved
    this, v = verifications.alias(), verifications.c
    rows = connection.execute(
        select(v.changes)
        .join(undos, and_(undos.c.tenant == v.tenant, undos.c.verification == v.id))
        .join(this, and_(this.c.tenant == v.tenant, this.c.id == undoing.verification))
        .where(
            undos.c.tenant == undoing.tenant,
            undos.c.verification < undoing.verification,
            undos.c.at >= this.c.at,
            v.holder.in_([holder for _, holder in holders]),
            v.changes.is_not(None),
        )
    )
    for (text,) in rows:
        for move in unpacked(text, b"").moves:
            moved[move.zone] += move.after.people - move.before.people
    return moved


def _mistake(admission: _Admission | None, undoing: Undoing) -> str | None:
    if admission is None:
        return "no_such_verification"
    if admission.credential != undoing.credential:
        return "of_another_key"
    if admission.decision != Outcome.ADMIT:
        return "not_admitted"
    if admission.undone_at is not None:
        return "already_undone"
    too_late = not undoing.at_any_time and undoing.now - admission.at > UNDO_WITHIN
    return "too_late" if too_late else None


def _admission(connection: Connection, undoing: Undoing) -> _Admission | None:
    v = verifications.c
    columns = (v.at, v.decision, v.direction, v.gate, v.token, v.pass_, v.holder, v.credential)
    row = connection.execute(
        select(*columns, v.people, v.changes, undos.c.at)
        .outerjoin(undos, and_(undos.c.tenant == v.tenant, undos.c.verification == v.id))
        .where(v.tenant == undoing.tenant, v.id == undoing.verification)
    ).first()
    return None if row is None else _Admission._make(row)


def _with_last_entry(connection: Connection, tenant: str, standing: Standing) -> Standing:
    """The time of the latest entry is that of the latest which was not undone: more than one may be."""
    for (_, pass_), counts in standing.counts.items():
        last = select(func.max(verifications.c.at)).where(is_entry(tenant, pass_))
        key = CountKey(pass_, ANYWHERE)
        if key in counts:
            counts[key] = counts[key]._replace(last_at=connection.scalar(last) or 0)
    return standing


def _held_counts(connection: Connection, tenant: str, pass_: bytes | None) -> Mapping[CountKey, EntryCount]:
    """The counts of the pass, which is held from now on."""
    if pass_ is None:
        return {}
    statement = select(passes.c.counts).where(passes.c.tenant == tenant, passes.c.id == pass_)
    return counts_of(pass_, connection.scalar(statement.with_for_update(key_share=True)))


def _roots(connection: Connection, tenant: str, moves: Sequence[Move]) -> Sequence[tuple[str, str]]:
    """The outermost zones of those that somebody was moved in."""
    if not moves:
        return ()
    moved = zones.c.id.in_(sorted({each.zone for each in moves}))
    rows = connection.execute(select(zones.c.root).where(zones.c.tenant == tenant, moved))
    return sorted({(tenant, row[0]) for row in rows})


def _void(connection: Connection, undoing: Undoing, admission: _Admission, first: Sequence[bytes]) -> None:
    """The uses no longer count: the tokens are good again until they expire."""
    use = redemptions.c
    for token in {admission.token, *first} - {None}:
        connection.execute(
            update(redemptions)
            .where(use.tenant == undoing.tenant, use.token == token, use.verification == undoing.verification)
            .values(voided_at=undoing.now)
        )


def _give_entries_back(connection: Connection, undoing: Undoing, admission: _Admission) -> None:
    """On a pass with `max_entries`; elsewhere entries are counted from the record, less what was undone."""
    if admission.pass_ is None or admission.direction == Direction.EXIT:
        return
    left = passes.c.entries - admission.people
    connection.execute(
        update(passes)
        .where(passes.c.tenant == undoing.tenant, passes.c.id == admission.pass_, passes.c.max_entries.is_not(None))
        .values(entries=case((left > 0, left), else_=0), changed_at=undoing.now)
    )
