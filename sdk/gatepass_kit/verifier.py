"""`Verifier`: decides at one gate, with the network and without it.

1. **Ask** the service, under a request id, and wait no longer than the deadline. If the same token was let in here and
   the service does not know it yet, the queue is sent first; if that fails, it is decided here.
2. **Answered**: what it said is remembered, so that the token is not let in again once the network is gone.
3. **Not answered**, or answered that nobody knows: decide here, by the bundle, under the same request id. The use and
   the row of the queue are durable before anybody is told.
4. **Send** the queue when the network is back. Under one request id the service has one decision, whichever way it
   came.
"""

import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

from . import queue, unread, uses
from .answers import Side, Verification, microseconds, read
from .background import Background
from .bundle_cache import BundleCache
from .core.decision import UNAVAILABLE
from .core.ids import parse
from .deadline import Deadline
from .device import Device
from .errors import ApiError, Forbidden, GatepassError, ServiceFault, TooManyRequests, Unauthenticated, Unreachable
from .machine import monotonic, new_request_id, now
from .offline import UNAUTHENTICATED, Offline
from .queue import Attempt
from .result import Result, of_service, refused
from .state import known, learn
from .sync import Sync, Synced
from .times import Times
from .transport import tried_again
from .unread import ByService

DEADLINE_S = 1.5
"""How long the service may take to answer before it is decided here."""

_AT_ONCE = 2
_MOST_PEOPLE = 1000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PATH = "/v1/verifications"
_NOT_ANSWERED = (Unreachable, ServiceFault, TooManyRequests)
_log = logging.getLogger(__name__)


class Status(NamedTuple):
    """How a verifier stands. Times are microseconds UTC, None where there is nothing.

    `policy` is whom the gate lets in without the network. The bundle is as of `bundle_at` and is good until
    `bundle_until`. `waiting` decisions are still to be sent, the oldest of them from `waiting_since`. `service_time` is
    the latest time that the service said.
    """

    device: str
    gate: str
    side: str | None
    revoked: bool
    policy: str | None
    bundle_at: int | None
    bundle_until: int | None
    waiting: int
    waiting_since: int | None
    service_time: int | None


class Verifier:
    """Verifies at the gate of `device`. Safe to use from any thread; close it, or use it with `with`.

    `deadline_s` is how long to wait for the service. `clock` tells the time in microseconds UTC.
    """

    def __init__(self, device: Device, *, deadline_s: float = DEADLINE_S, clock: Callable[[], int] = now) -> None:
        self.device = device
        self._clock = clock
        self._deadline_s = deadline_s
        self._deadline = Deadline(deadline_s)
        self._times = Times(device.state)
        self._cache = BundleCache(device, self._times)
        self._offline = Offline(device, self._cache, self._times, lambda: self._revoked)
        self._sync = Sync(device, self._times)
        with device.state.transaction() as tx:
            self._revoked = bool(known(tx, "revoked"))
        self._background: Background | None = None
        self._read_what_was_unread()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def verify(
        self, text: str, *, request_id: str | None = None, direction: Side | None = None, people: int = 1
    ) -> Result:
        """Decide on what was read. Always answers: what cannot be decided is refused on the way in, not on the way out.

        Whoever has to ask again for the same person (the program was restarted, say) gives the same `request_id` (1 to
        64 of `A-Za-z0-9._-`) and gets the first answer again. `direction` is needed at a gate for both directions,
        unless the device is bound to a side. `people` is how many of a party go through, up to 1,000. Raises ValueError
        for another request id or number, and for nothing else: where the state file cannot be read or written, whoever
        wants in is refused (`unavailable`) and whoever goes out is let out.
        """
        if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
            raise ValueError("A request id is 1 to 64 of A-Za-z0-9._-")
        if not 1 <= people <= _MOST_PEOPLE:
            raise ValueError(f"From 1 to {_MOST_PEOPLE} people go through.")
        text = text.encode("utf-8", "replace").decode()
        attempt = Attempt(request_id or new_request_id(), text, self.device.gate, direction, people)
        try:
            return self._verify(attempt, self._deadline.ends())
        except sqlite3.Error:
            _log.exception("The state file cannot be used, so it was not decided.")
            return self._undecided(attempt)

    def undo(self, result: Result) -> None:
        """Take an admission back: the turnstile did not turn. The token is good again.

        At once, if the service can be asked and knows it; else with the queue, within the 15 minutes in which it can be
        undone. Raises ValueError for a refusal.
        """
        if result.decision != "admit":
            raise ValueError("Only an admission can be undone.")
        self._undo(result, self._deadline.ends())

    def _undo(self, result: Result, until: float) -> None:
        undone = {"decision": "deny", "reason": "undone", "flags": []}
        with self.device.state.transaction() as tx:
            row = queue.find(tx, result.request_id)
            uses.give_back(tx, result.request_id)
            unread.drop(tx, result.request_id)
            if row is not None and row.state == queue.WAITING:
                queue.rewrite(tx, row.request_id, {**row.item, **undone}, {**row.answer, **undone, "people": 0})
                self._wake()
                return
            verification = result.verification or (row.verification if row else None)
            if verification is None:
                return  # it is refused or undone already
            if row is not None:
                queue.move(tx, row.request_id, queue.TO_UNDO)
            else:
                attempt = Attempt(result.request_id, "", result.gate, result.direction, result.people)
                queue.add_undo(tx, attempt, verification, self._clock())
        try:
            self._deadline.wait_for(self._sync.undo, until)
        except GatepassError as fault:
            _log.info("undone later: %s", fault)
            self._wake()

    def refresh(self) -> bool:
        """Fetch what changed of the bundle. Whether there is a newer one. Raises `GatepassError`."""
        with self._noticing():
            newer = self._cache.refresh()
        self._read_what_was_unread()
        return newer

    def sync(self) -> Synced:
        """Send the queue. Raises `GatepassError`; what the service has not answered stays queued."""
        with self._noticing():
            return self._sync.run()

    def report(self, battery: int | None = None) -> None:
        """Say that the device is there, and learn whether it was moved. Raises `GatepassError`."""
        with self._noticing():
            self.device.report(battery)

    def run_background(self, *, bundle_every_s: float = 30, report_every_s: float = 60) -> None:
        """Keep the bundle fresh, report, and send the queue, in a thread of its own until the verifier is closed."""
        if self._background is None:
            self._background = Background(self, bundle_every_s, report_every_s)
            self._background.start()

    def status(self) -> Status:
        """How it stands. Asks nobody."""
        held, state = self._cache.held, self.device.state
        manifest = held.bundle.manifest if held else None
        return Status(
            device=self.device.id,
            gate=self.device.gate,
            side=self.device.side,
            revoked=self._revoked,
            policy=manifest and manifest.offline.value,
            bundle_at=manifest and manifest.seq,
            bundle_until=manifest and manifest.seq + manifest.max_stale,
            waiting=queue.length(state),
            waiting_since=queue.oldest(state),
            service_time=self._times.service or None,
        )

    def close(self) -> None:
        """Stop the thread and close the device. What waits in the queue is sent when it is opened again."""
        if self._background is not None:
            self._background.stop()
        self.device.close()

    def _verify(self, attempt: Attempt, until: float) -> Result:
        if queue.knows(self.device.state, attempt.request_id):
            return self._decide(attempt)
        if self._is_unsent(attempt) and not self._sent(until):
            return self._decide(attempt)
        result = self._ask(attempt, until)  # 1, 2
        if result is None:
            return self._decide(attempt)  # 3
        lost = result.reason == "already_used" or result.repeated == "window"
        if lost and queue.refused_here(self.device.state, attempt) and self._sent(until):
            # The service may have let the person in then, and its answer was lost: it has taken that back by now.
            again = attempt._replace(request_id=new_request_id())
            return self._ask(again, until) or self._decide(again)
        return result

    def _is_unsent(self, attempt: Attempt) -> bool:
        """Whether the same token was let in here and the service does not know it yet: it would let it in again."""
        if self._offline.leads_out:
            return False
        claims = self._offline.recognise(attempt.text)
        token = claims.token if claims else None
        if token is not None and token.reusable:
            return False
        return queue.admitted_here(self.device.state, attempt, token and token.id)

    def _sent(self, until: float) -> bool:
        """Whether the queue could be sent in time."""
        try:
            self._deadline.wait_for(self.sync, until)
        except GatepassError:
            return False
        return True

    def _ask(self, attempt: Attempt, until: float) -> Result | None:
        """The service's answer; None where there is none, or one that says that nobody knows."""
        began = monotonic()
        try:
            with self._noticing():
                seen = self._deadline.wait_for(lambda: self._call(attempt), until)
        except _NOT_ANSWERED as fault:
            _log.info("decided here: %s", fault)
            return None
        except ApiError as fault:
            if isinstance(fault, Forbidden) and self._moved(attempt, until):
                return self._ask(attempt._replace(gate=self.device.gate), until)
            if self._offline.leads_out and not isinstance(fault, Unauthenticated):
                return None  # nobody is held back for what is wrong with the call
            return refused(fault.code, attempt.gate, attempt.request_id)
        if UNAVAILABLE in (seen.reason, *seen.flags):
            return None
        self._wake(reached=True)
        known_at = microseconds(seen.at) + int((monotonic() - began) * 1_000_000)
        return self._stands(attempt, seen, known_at, until)

    def _call(self, attempt: Attempt) -> Verification:
        wish: dict[str, Any] = {"token": attempt.text, "gate": attempt.gate, "request_id": attempt.request_id}
        if attempt.direction is not None:
            wish["direction"] = attempt.direction
        if attempt.people != 1:
            wish["people"] = attempt.people
        call = self.device.transport.call
        # A second time at once: the connection that was kept open may have been closed by the other side just now.
        answer = tried_again(
            lambda: call("POST", _PATH, wish, timeout_s=self._deadline_s), attempts=_AT_ONCE, at_once=True
        )
        seen = read(Verification, answer.json())
        self._times.saw(answer.at)
        self._times.saw(microseconds(seen.at))
        return seen

    def _stands(self, attempt: Attempt, seen: Verification, known_at: int, until: float) -> Result:
        """The service's word; but what is decided here, where the same token was let in here while it was asked."""
        result = of_service(seen, attempt.request_id)
        if result.decision == "deny" or result.repeated == "window":
            return result
        self._remember_answered(attempt, seen, known_at)
        if not self._is_unsent(attempt):
            return result
        self._undo(result, until)
        return self._decide(attempt._replace(request_id=new_request_id()))

    def _remember_answered(self, attempt: Attempt, seen: Verification, known_at: int) -> None:
        id_ = parse("ver", seen.id)
        if id_ is None or self._offline.leads_out:
            return
        told = ByService(attempt.request_id, attempt.text, id_, seen.gate, seen.direction, seen.people, known_at)
        try:
            self._remember(told)
        except sqlite3.Error:
            _log.exception("An admission by the service could not be written down here.")

    def _remember(self, seen: ByService) -> None:
        """Remember an admission by the service, durably; one that cannot be read yet, until it can."""
        claims = self._offline.recognise(seen.text)
        with self.device.state.transaction() as tx:
            if claims is not None and claims.token is not None and claims.idx is not None:
                before = uses.latest(tx, claims.token.id, self._offline.credential)
                use = uses.use_of(claims, seen, self._clock(), before)
                uses.remember(tx, uses.Admission(seen.request_id, claims.token, claims.idx, use, seen.known_at))
                unread.drop(tx, seen.request_id)
            elif self._offline.is_readable_later(seen.text):
                unread.keep(tx, seen)
            else:
                unread.drop(tx, seen.request_id)
            self._times.keep(tx)

    def _read_what_was_unread(self) -> None:
        """Remember what could not be read before, if it can be now."""
        waiting = unread.kept(self.device.state)
        for each in waiting:
            self._remember(each)
        if waiting:
            with self.device.state.transaction() as tx:
                unread.forget(tx, self._times.service)

    def _decide(self, attempt: Attempt) -> Result:
        try:
            return self._offline.decide(attempt, self._clock())
        except sqlite3.Error:
            _log.exception("What was decided could not be written down, so it was not decided.")
            return self._undecided(attempt)
        finally:
            self._wake()

    def _undecided(self, attempt: Attempt) -> Result:
        """What is answered where nothing can be written down."""
        if not self._offline.leads_out:
            return refused(UNAVAILABLE, attempt.gate, attempt.request_id, offline=True)
        return Result(
            decision="admit",
            reason="ok",
            flags=(UNAVAILABLE,),
            gate=attempt.gate,
            direction="exit",
            request_id=attempt.request_id,
            offline=True,
            people=attempt.people,
        )

    def _moved(self, attempt: Attempt, until: float) -> bool:
        """Whether the device was moved to another gate than the one that was asked at."""
        try:
            self._deadline.wait_for(self.device.report, until)
        except (GatepassError, OSError):
            return False
        return self.device.gate != attempt.gate

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """While calls are made: a 401 shows that the device was revoked, a good answer that it is not."""
        try:
            yield
        except Unauthenticated:
            self._notice(revoked=True)
            raise
        self._notice(revoked=False)

    def _notice(self, *, revoked: bool) -> None:
        """Keep in mind, across restarts, whether the service refuses the device's key.

        What is in the file may come from another program on the same folder.
        """
        if revoked and not self._revoked:
            _log.error("%s: the service does not know this device's key any more.", UNAUTHENTICATED)
        self._revoked = revoked
        try:
            if revoked != bool(self.device.state.rows("SELECT 1 FROM known WHERE name = 'revoked'")):
                with self.device.state.transaction() as tx:
                    learn(tx, "revoked", 1 if revoked else None)
        except sqlite3.Error:
            _log.exception("That could not be written down, and is forgotten at a restart.")

    def _wake(self, *, reached: bool = False) -> None:
        if self._background is not None:
            self._background.wake(reached=reached)
