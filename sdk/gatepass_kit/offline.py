"""Deciding without the network: by the same rules as the service, on the facts of the bundle.

One transaction reads what is known of the token, decides, writes the use, the entry and the row of the queue, and
commits. Only then is there an answer.
"""

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from . import queue, uses
from .answers import written
from .bundle_cache import BundleCache, Held
from .core.changes import Redeem
from .core.decision import OK, UNDONE, Decision, Outcome, decide, is_exit_side
from .core.model import Claims, Direction, Facts, Refused
from .core.offline import offline_facts
from .core.token_format import Keyring
from .core.tokens import bare, recognise_any
from .core.tokens.signed import SIGNED
from .device import Device
from .machine import new_verification
from .queue import Attempt, Row
from .result import Result, refused
from .state import known
from .times import Times

STALE_BUNDLE = "stale_bundle"
UNAUTHENTICATED = "unauthenticated"
REQUEST_ID_REUSED = "request_id_reused"
INVALID = "invalid"
UNKNOWN = "unknown"


class Offline:
    """Decides for one device while its service cannot be asked."""

    def __init__(self, device: Device, cache: BundleCache, times: Times, revoked: Callable[[], bool]) -> None:
        self._device = device
        self._revoked = revoked
        self._cache = cache
        self._times = times
        self.credential = device.id.encode()

    @property
    def leads_out(self) -> bool:
        """Whether nobody is held back here, as far as is known: at an exit gate, or bound to the exit side."""
        held, exit_bound = self._cache.held, self._device.side == "exit"
        return exit_bound or (held is not None and is_exit_side(held.bundle.manifest.gate, exit_bound=exit_bound))

    def recognise(self, text: str) -> Claims | None:
        """What a genuine signed token says; None for everything else, and where there is no bundle."""
        held = self._cache.held
        if held is None:
            return None
        presented = recognise_any(text, held.bundle.manifest.tenant, Keyring(held.keys))
        return presented if isinstance(presented, Claims) and presented.token is not None else None

    def is_readable_later(self, text: str) -> bool:
        """Whether it is a signed token under a key that is not known here, or not yet."""
        held = self._cache.held
        tenant, keys = (held.bundle.manifest.tenant, held.keys) if held else ("", {})
        return SIGNED.open(bare(text), tenant, Keyring(keys)) == Refused(UNKNOWN)

    def decide(self, attempt: Attempt, now: int) -> Result:
        """Decide, and have it durable. The same request id gets the same answer."""
        with self._device.state.transaction() as tx:
            earlier = queue.find(tx, attempt.request_id)
            if earlier is not None:
                return _again(earlier, attempt)
            if self._revoked() or known(tx, "revoked"):
                return refused(UNAUTHENTICATED, attempt.gate, attempt.request_id, offline=True)
            held = self._cache.held
            if held is None:
                return self._without_bundle(tx, attempt, now)
            try:
                facts = self._facts(tx, held, attempt, now)
            except ValueError:  # no direction, at a gate for both
                return refused(INVALID, attempt.gate, attempt.request_id, offline=True)
            return self._settle(tx, held, attempt, facts)

    def _facts(self, tx: sqlite3.Connection, held: Held, attempt: Attempt, now: int) -> Facts:
        presented = recognise_any(attempt.text, held.bundle.manifest.tenant, Keyring(held.keys))
        last_use, since = None, 0
        if isinstance(presented, Claims) and presented.token is not None and presented.idx is not None:
            last_use = uses.latest(tx, presented.token.id, self.credential)
            since = uses.entries_since(tx, presented.idx)
        direction = attempt.direction or self._device.side
        return offline_facts(
            held.bundle,
            presented,
            now=now,
            direction=Direction(direction) if direction else None,
            exit_bound=self._device.side == "exit",
            last_use=last_use,
            entries_since=since,
            last_good=self._times.last_good,
            credential=self.credential,
            verification=new_verification(now),
            people=attempt.people,
        )

    def _settle(self, tx: sqlite3.Connection, held: Held, attempt: Attempt, facts: Facts) -> Result:
        decision = decide(facts)
        result = _result(attempt, decision, facts.direction, facts.people)
        if decision.repeats is not None:
            return result  # the admission that is given again has its row
        token = facts.token
        claims = facts.presented
        could_be_admitted = isinstance(claims, Claims)  # by the service, and so have to be undone
        kept = _Kept(facts.now, token.id if token else None, facts.exit_side, could_be_admitted)
        self._queue(tx, attempt, result, kept)
        used = next((each.use for each in decision.changes if isinstance(each, Redeem)), None)
        if used is not None and token is not None and isinstance(claims, Claims) and claims.idx is not None:
            uses.remember(tx, uses.Admission(attempt.request_id, token, claims.idx, used, None))
        if decision.outcome is Outcome.ADMIT:
            manifest = held.bundle.manifest
            self._times.admitted(facts.now, manifest.seq + manifest.max_stale)
        self._times.keep(tx)
        return result

    def _without_bundle(self, tx: sqlite3.Connection, attempt: Attempt, now: int) -> Result:
        """Nothing is known of tokens. Whoever goes out is let out, whoever wants in is not."""
        outcome = Outcome.ADMIT if self.leads_out else Outcome.DENY
        decision = Decision(outcome, OK, (STALE_BUNDLE,)) if self.leads_out else Decision(outcome, STALE_BUNDLE)
        result = _result(attempt, decision, Direction.EXIT if self.leads_out else None, attempt.people)
        self._queue(tx, attempt, result, _Kept(now, None, self.leads_out, with_text=True))
        return result

    def _queue(self, tx: sqlite3.Connection, attempt: Attempt, result: Result, kept: "_Kept") -> None:
        item: dict[str, object] = {
            "request_id": attempt.request_id,
            "gate": attempt.gate,
            "at": written(kept.at),
            "decision": result.decision,
            "reason": result.reason,
            "flags": list(result.flags),
            "exit": kept.exit_side,  # then: gate and device may have been changed when it is sent
        }
        if attempt.direction is not None:
            item["direction"] = attempt.direction
        if attempt.people != 1:
            item["people"] = attempt.people
        if kept.with_text or result.decision == "admit":
            item["token"] = attempt.text  # until it is sent; what is no token at all, and was refused, is not kept
        queue.add(tx, attempt, at=kept.at, item=item, answer=result.kept(), token=kept.token)


class _Kept(NamedTuple):
    """What is kept of a decision beside attempt and result."""

    at: int
    token: bytes | None
    exit_side: bool
    with_text: bool


def _again(earlier: Row, attempt: Attempt) -> Result:
    """The answer that was given under the request id before."""
    if not earlier.answer:  # the service's admission, which is undone or about to be
        return refused(UNDONE, attempt.gate, attempt.request_id, offline=True)
    if earlier.asked != attempt.asked:
        return refused(REQUEST_ID_REUSED, attempt.gate, attempt.request_id, offline=True)
    return Result.again(earlier.answer)


def _result(attempt: Attempt, decision: Decision, direction: Direction | None, people: int) -> Result:
    admitted = decision.outcome is Outcome.ADMIT
    return Result(
        decision="admit" if admitted else "deny",
        reason=decision.reason,
        flags=decision.flags,
        gate=attempt.gate,
        direction=direction and direction.value,
        request_id=attempt.request_id,
        offline=True,
        repeated="window" if decision.repeats is not None else None,
        people=people if admitted else 0,
        people_left=decision.people_left,
    )
