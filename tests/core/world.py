"""A small world in plain dicts, which keeps what decisions change as the store does: what a change says stands."""

import copy
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from app.core.changes import Change, CountEntry, CountLimited, Move, Occupy, Redeem, Reserve
from app.core.decision import Decision, Outcome, apply, decide, is_exit_side
from app.core.model import (
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Pass,
    Presence,
    Reservation,
    Token,
    Use,
    Zone,
)
from app.core.undo import undo
from tests.core.facts import CREDENTIAL, DAY, an_id, card_claims, code_claims, signed_claims

OUTSIDE = Presence(0, 0)


class Attempt(NamedTuple):
    """Somebody shows a token at a gate."""

    now: int
    verification: bytes
    gate: Gate
    token: bytes
    people: int = 1
    direction: Direction = Direction.ENTRY
    exit_bound: bool = False
    override: bool = False


class Done(NamedTuple):
    """An attempt, what was known of it and what was decided."""

    attempt: Attempt
    facts: Facts
    decision: Decision


class World:
    """Tokens and their passes, and all that attempts change."""

    def __init__(self, tokens: dict[bytes, tuple[Token, tuple[Pass, ...]]], zones: Sequence[Zone]) -> None:
        self.tokens = {id_: token for id_, (token, _) in tokens.items()}
        self.passes = {pass_.id: pass_ for _, passes in tokens.values() for pass_ in passes}
        self.passes_of = {id_: [pass_.id for pass_ in passes] for id_, (_, passes) in tokens.items()}
        self.zones = {zone.id: zone for zone in zones}
        self.uses: dict[tuple[bytes, int], Use] = {}
        self.presences: dict[tuple[bytes, str], Presence] = {}
        self.counts: dict[CountKey, EntryCount] = {}
        self.reservations: dict[tuple[str, bytes], Reservation | None] = {}
        self.done: list[Done] = []
        self.undone: dict[bytes, int] = {}

    def copied(self) -> "World":
        """Another that goes its own way: what its dicts hold is immutable."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            setattr(other, name, copy.copy(value))
        return other

    def facts(self, attempt: Attempt) -> Facts:
        """What is known of an attempt: the counted zones around the gate, the holder's part in them, and the rest."""
        gate, token = attempt.gate, self.tokens[attempt.token]
        pass_, *others = [self.passes[id_] for id_ in self.passes_of[attempt.token]]
        exit_side = is_exit_side(gate, exit_bound=attempt.exit_bound)
        one_way = Direction.EXIT if exit_side else gate.direction
        direction = attempt.direction if one_way == Direction.BOTH else one_way
        roots = {path[-1] for path in (gate.from_zones, gate.into_zones) if path}
        zones = {id_: zone for id_, zone in self.zones.items() if zone.path[-1] in roots}
        holder = pass_.holder.id
        claims = {"code": code_claims(), "card": card_claims()}.get(token.kind, signed_claims(idx=pass_.idx))
        return Facts(
            now=attempt.now,
            today=attempt.now // DAY,
            epoch=0,
            gate=gate,
            direction=direction,
            exit_side=exit_side,
            credential=CREDENTIAL,
            verification=attempt.verification,
            presented=claims,
            token=token,
            pass_=pass_,
            last_use=self._last_use(token.id),
            other_passes=tuple(others),
            people=attempt.people,
            override=attempt.override,
            site_day=attempt.now // DAY,
            zones=zones,
            inside={zone: self.presences[holder, zone] for zone in zones if (holder, zone) in self.presences},
            counts={key: each for key, each in self.counts.items() if key.pass_ in self.passes_of[token.id]},
            reservation=self._reservation(gate.id, holder) if gate.second_proof else None,
        )

    def settle(self, attempt: Attempt) -> Decision:
        """Decide an attempt and keep what it changes."""
        facts = self.facts(attempt)
        return self._keep(Done(attempt, facts, decide(facts)))

    def settle_batch(self, attempts: Sequence[Attempt]) -> list[Decision]:
        """Load all facts first; then let each attempt see of the changes before it those that it is about.

        Where two uses of a token have one number, nothing of it is kept, and each attempt is settled by itself.
        """
        changed: dict[Hashable, dict[Hashable, Change]] = {}
        batch: list[Done] = []
        for attempt, known in zip(attempts, [self.facts(each) for each in attempts], strict=True):
            seen = apply(known, [change for each in _subjects(known) for change in changed.get(each, {}).values()])
            decision = decide(seen)
            for change in decision.changes:
                stands = changed.setdefault(change.subject, {})
                stands.pop(change.key, None)
                stands[change.key] = change
            batch.append(Done(attempt, seen, decision))
        redeemed = [change for done in batch for change in done.decision.changes if isinstance(change, Redeem)]
        numbers = [(change.token, change.use.number) for change in redeemed]
        if len({*numbers} - self.uses.keys()) < len(numbers):
            return [self.settle(attempt) for attempt in attempts]
        return [self._keep(done) for done in batch]

    def undo(self, verification: bytes, now: int) -> None:
        """Take an admission back: its uses are voided, its entries given back, its people moved back."""
        place = next(n for n, each in enumerate(self.done) if each.attempt.verification == verification)
        assert verification not in self.undone
        self.undone[verification] = len(self.done)
        for key, use in self.uses.items():
            if use.verification == verification:
                self.uses[key] = use._replace(voided=True)
        changes = self.done[place].decision.changes
        for change in changes:
            if isinstance(change, CountEntry):
                pass_ = self.passes[change.pass_]
                self.passes[change.pass_] = pass_._replace(entries=max(0, pass_.entries - change.people))
        changed = [change for change in changes if isinstance(change, Move | CountLimited)]
        holders = {change.holder for change in changed if isinstance(change, Move)}
        for change in undo(
            changed,
            now=now,
            inside={zone: each for (holder, zone), each in self.presences.items() if holder in holders},
            people={id_: zone.people for id_, zone in self.zones.items()},
            counts=self.counts,
            undone=self._undone_before(place, holders),
        ):
            self._apply(change)

    def can_be_undone(self) -> list[bytes]:
        return [
            done.attempt.verification
            for done in self.done
            if done.decision.outcome is Outcome.ADMIT
            and done.decision.repeats is None
            and done.attempt.verification not in self.undone
        ]

    def stands(self) -> tuple[object, ...]:
        """All that an undo puts back: not the uses, which are voided, nor reservations, whose use is voided too."""
        return (
            self.passes,
            self.zones,
            {key: each for key, each in self.presences.items() if each != OUTSIDE},
            {key: each for key, each in self.counts.items() if each != EntryCount()},
        )

    def let_in(self, token: bytes) -> int:
        """How many people the uses of a token have let in that stand."""
        uses = [use for (id_, _), use in self.uses.items() if id_ == token]
        return sum(use.people for use in uses if not use.voided and use.reserved_until is None)

    def _last_use(self, token: bytes) -> Use | None:
        number = self._last_number(token)
        return self.uses[token, number]._replace(let_in=self.let_in(token)) if number else None

    def _last_number(self, token: bytes) -> int:
        return max((number for id_, number in self.uses if id_ == token), default=0)

    def _reservation(self, gate: str, holder: bytes) -> Reservation | None:
        """The first proof that waits there, unless its token was used since."""
        first = self.reservations.get((gate, holder))
        return first if first is not None and first.number == self._last_number(first.token) else None

    def _undone_before(self, place: int, holders: set[bytes]) -> Counter[str]:
        """How many came into each zone by what was done before that place, and undone after it."""
        came: Counter[str] = Counter()
        for done in self.done[:place]:
            if self.undone.get(done.attempt.verification, 0) > place:
                for change in done.decision.changes:
                    if isinstance(change, Move) and change.holder in holders:
                        came[change.zone] += change.after.people - change.before.people
        return came

    def _keep(self, done: Done) -> Decision:
        self.done.append(done)
        for change in done.decision.changes:
            self._apply(change)
        return done.decision

    def _apply(self, change: Change) -> None:
        if isinstance(change, Redeem):
            key = (change.token, change.use.number)
            assert key not in self.uses, "two redemptions have one number"
            self.uses[key] = change.use
        elif isinstance(change, Reserve):
            self.reservations[change.gate, change.holder] = change.reservation
        elif isinstance(change, CountEntry):
            self.passes[change.pass_] = self.passes[change.pass_]._replace(entries=change.entries)
        elif isinstance(change, CountLimited):
            self.counts[change.count_key] = change.after
        elif isinstance(change, Move):
            self.presences[change.holder, change.zone] = change.after
        else:
            assert isinstance(change, Occupy), "nobody types a wrong code here"
            self.zones[change.zone] = self.zones[change.zone]._replace(people=change.people)


def _subjects(facts: Facts) -> Iterator[Hashable]:
    """What the facts are about, as changes name it."""
    assert facts.token is not None
    assert facts.pass_ is not None
    yield from (facts.token.id, facts.pass_.id, facts.pass_.holder.id)
    yield from (pass_.id for pass_ in facts.other_passes)
    yield from facts.zones
    yield from facts.budgets


def verification(number: int) -> bytes:
    return an_id(1_000_000 + number)
