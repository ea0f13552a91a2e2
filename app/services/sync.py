"""Sync: what a device decided without the network becomes known.

1. **Open.** Each token is opened as at the gate. Only signed tokens can have been verified offline: of another kind
   nothing is looked up here, where no guessing budget is spent.
2. **Settle.** Each is recorded through the same ledger, in the order of the device's times, a few at a time so that no
   gate waits behind a queue. What was decided stands; what the rules say against it are conflicts.
3. **Answer**, once all of it is durable. The same queue sent again changes nothing: each request id has its answer.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from app.core.decision import OK, REASONS, Outcome, is_exit_side
from app.core.model import DAY, Claims, Direction, Gate, Presented, Refused
from app.core.tokens import recognise_any
from app.storage.attempt import Attempt, Reported, Settled, Undoing, Unsettled
from app.storage.failures import Unavailable
from app.storage.records import ConflictRecord, VerificationRecord
from app.storage.repositories.conflicts import ConflictFilter
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .pages import Page, page
from .verify import Presentation, content_of

OLDEST = 30 * DAY
"""How far back a device's time is believed; what it says of earlier is recorded as of then."""

BOUNDED = "time_bounded"
"""A flag of what a device said was later than now, or too long ago."""

_AT_ONCE = 32
_ERRORS = {"no_such_gate": "gate_not_found"}


class Queued(NamedTuple):
    """A verification as a device decided it. `at` is the device's time (microseconds UTC).

    `exit` says whether nobody was held back there: an exit gate, or a device bound to the exit side; None that it is as
    gate and device are now.
    """

    request_id: str
    gate: str
    at: int
    outcome: Outcome
    reason: str
    token: str | None
    direction: Direction | None
    people: int
    flags: tuple[str, ...]
    exit: bool | None = None


class Synced(NamedTuple):
    """What became of it. `verification` and `outcome` are what stands on record, None where it was rejected."""

    status: str
    error: str | None = None
    verification: bytes | None = None
    outcome: Outcome | None = None
    conflicts: tuple[str, ...] = ()


class KnownConflict(NamedTuple):
    """A conflict, with the verification that is in it."""

    record: ConflictRecord
    verification: VerificationRecord


async def sync(app: Context, caller: Caller, queue: Sequence[Queued]) -> list[Synced]:
    """Record a queue; what became of each, in its order. Raises `Unavailable`, and then it is to be sent again."""
    if not caller.confirmed:
        raise Unavailable("the key cannot be confirmed")
    order = sorted(range(len(queue)), key=lambda place: (queue[place].at, queue[place].request_id))
    gates = await _gates(app, caller, {each.gate for each in queue})
    results: dict[int, Synced] = {}
    for places in _a_few(iter(order)):
        now = app.clock.now()
        attempts: dict[int, Attempt] = {}
        for place in places:
            gate = gates.get(queue[place].gate)
            attempt = gate and _attempt(app, caller, queue[place], gate, now)  # 1
            if attempt:
                attempts[place] = attempt
            else:
                results[place] = Synced("rejected", "invalid" if gate else "gate_not_found")
        settled = await asyncio.gather(*(app.store.settle(attempt) for attempt in attempts.values()))  # 2
        for place, each in zip(attempts, settled, strict=True):
            results[place] = await _taken_back(app, caller, queue[place], _synced(each))
    return await _with_conflicts(app, caller, [results[place] for place in range(len(queue))])  # 3


async def list_conflicts(
    app: Context, caller: Caller, after: bytes | None, limit: int, wanted: ConflictFilter
) -> Page[KnownConflict]:
    """The tenant's conflicts, newest first. An admission that was taken back is in none any more."""

    def work(tx: Transaction) -> Page[KnownConflict]:
        found = page(lambda count: tx.conflicts.page(caller.tenant, after, count, wanted), lambda each: each.id, limit)
        known = [(each, tx.verifications.get(caller.tenant, each.verification)) for each in found.items]
        return Page([KnownConflict(each, record) for each, record in known if record is not None], found.next)

    return await app.store.read(work)


def _attempt(app: Context, caller: Caller, queued: Queued, gate: Gate, now: int) -> Attempt | None:
    """The attempt as it is recorded; None for an admission by what cannot be verified without the network."""
    text = queued.token or ""
    presented = recognise_any(text, caller.tenant, app.keychain.ever) if text else Refused(queued.reason)
    if queued.outcome is Outcome.ADMIT and not _could_be_admitted(caller, queued, gate, presented):
        return None
    at = min(max(queued.at, now - OLDEST), now)
    flags = queued.flags if at == queued.at else (*queued.flags, BOUNDED)
    asked = Presentation(
        gate=queued.gate, request_id=queued.request_id, direction=queued.direction, people=queued.people
    )
    return Attempt(
        tenant=caller.tenant,
        credential=caller.line,
        exit_bound=caller.side == Direction.EXIT,
        gate=queued.gate,
        direction=queued.direction or (Direction(caller.side) if caller.side else None),
        presented=_without_lookups(presented),
        request_id=queued.request_id,
        content=content_of(app, asked, presented, text),
        now=at,
        today=0,
        verification=app.new_id(),
        people=queued.people,
        reported=Reported(queued.outcome, queued.reason, flags, now, queued.exit),
    )


def _could_be_admitted(caller: Caller, queued: Queued, gate: Gate, presented: Presented) -> bool:
    """Whether a device can have let somebody through by it: in with a signed token, out with anything."""
    if isinstance(presented, Claims) and presented.token is not None:
        return True
    if queued.exit is not None:
        return queued.exit
    return is_exit_side(gate, exit_bound=caller.side == Direction.EXIT)


def _without_lookups(presented: Presented) -> Presented:
    """What names a token only in the store is not looked up: it could be guessed here, where nothing is counted."""
    if isinstance(presented, Claims) and presented.token is None:
        return Claims(presented.kind, (), otherwise=presented.otherwise)
    return presented


def _synced(settled: Settled | Unsettled) -> Synced:
    if isinstance(settled, Unsettled):
        return Synced("rejected", _ERRORS.get(settled.mistake, settled.mistake))
    status = "recorded" if settled.repeated is None else "known"
    return Synced(status, None, settled.verification, settled.outcome)


async def _taken_back(app: Context, caller: Caller, queued: Queued, synced: Synced) -> Synced:
    """Where the service had admitted and its answer was lost, the device may have refused: then nobody went through.

    So the admission is taken back, however long ago it was, and the token is good again if it has not expired.
    """
    if queued.outcome is not Outcome.DENY or synced.outcome is not Outcome.ADMIT or synced.verification is None:
        return synced
    undoing = Undoing(caller.tenant, synced.verification, caller.line, app.clock.now(), at_any_time=True)
    done = await app.store.undo(undoing)
    return synced._replace(outcome=Outcome.DENY) if done is None else synced


async def _gates(app: Context, caller: Caller, ids: Collection[str]) -> dict[str, Gate]:
    """Those gates that there are, as far as it matters here: their direction."""

    def work(tx: Transaction) -> dict[str, Gate]:
        found = [tx.gates.get(caller.tenant, id_) for id_ in sorted(ids)]
        return {each.id: Gate(each.id, Direction(each.direction)) for each in found if each is not None}

    return await app.store.read(work)


async def _with_conflicts(app: Context, caller: Caller, results: Sequence[Synced]) -> list[Synced]:
    ids = [each.verification for each in results if each.verification is not None]
    found: dict[bytes, list[str]] = {}
    for each in await app.store.read(lambda tx: tx.conflicts.of(caller.tenant, ids)):
        found.setdefault(each.verification, []).append(each.reason)
    return [each._replace(conflicts=tuple(sorted(found.get(each.verification or b"", ())))) for each in results]


def _a_few(places: Iterator[int]) -> Iterator[list[int]]:
    while few := list(islice(places, _AT_ONCE)):
        yield few


def is_a_reason(outcome: Outcome, reason: str) -> bool:
    """Whether a decision can have it."""
    return reason == OK if outcome is Outcome.ADMIT else reason != OK and reason in REASONS
