"""What a decision changes, as values.

Each says what stands after it, so that of two changes with the same `key` the later one counts. `subject` is what it is
about: it concerns the next attempt whose facts are about the same. Only the settling transaction writes changes.
"""

from collections.abc import Hashable
from typing import NamedTuple

from .model import Budget, BudgetKey, CountKey, EntryCount, Facts, Presence, Reservation, Use

_ZONES = Facts._fields.index("zones")


class Redeem(NamedTuple):
    """One use of a token; or its reservation, where a second proof is wanted.

    With the second proof the first is used too, by a use of its own: the reservation lapses.
    """

    token: bytes
    use: Use

    @property
    def subject(self) -> Hashable:
        return self.token

    @property
    def key(self) -> Hashable:
        return "redeem"

    def applied_to(self, facts: Facts) -> Facts:
        mine = facts.token is not None and facts.token.id == self.token
        return facts._replace(last_use=self.use) if mine else facts


class Reserve(NamedTuple):
    """A first proof waits at a gate for the holder's second; None once it came."""

    gate: str
    holder: bytes
    reservation: Reservation | None

    @property
    def subject(self) -> Hashable:
        return self.holder

    @property
    def key(self) -> Hashable:
        return ("reserve", self.gate)

    def applied_to(self, facts: Facts) -> Facts:
        return facts._replace(reservation=self.reservation) if facts.gate.id == self.gate else facts


class CountEntry(NamedTuple):
    """Entries on a pass that has a limit. `entries` is what stands after them, `people` how many they were."""

    pass_: bytes
    entries: int
    people: int

    @property
    def subject(self) -> Hashable:
        return self.pass_

    @property
    def key(self) -> Hashable:
        return "entries"

    def applied_to(self, facts: Facts) -> Facts:
        passes = [
            each._replace(entries=self.entries) if each is not None and each.id == self.pass_ else each
            for each in (facts.pass_, *facts.other_passes)
        ]
        others = tuple(each for each in passes[1:] if each is not None)
        return facts._replace(pass_=passes[0], other_passes=others)


class CountLimited(NamedTuple):
    """Entries on a pass that are limited by the day, by the zone, or by the time between them."""

    count_key: CountKey
    before: EntryCount
    after: EntryCount

    @property
    def subject(self) -> Hashable:
        return self.count_key.pass_

    @property
    def key(self) -> Hashable:
        return self.count_key

    def applied_to(self, facts: Facts) -> Facts:
        return facts._replace(counts={**facts.counts, self.count_key: self.after})


class Move(NamedTuple):
    """Some of a holder's party came into a zone or left it."""

    holder: bytes
    zone: str
    before: Presence
    after: Presence

    @property
    def subject(self) -> Hashable:
        return self.holder

    @property
    def key(self) -> Hashable:
        return ("move", self.zone)

    def applied_to(self, facts: Facts) -> Facts:
        return facts._replace(inside={**facts.inside, self.zone: self.after})


class Occupy(NamedTuple):
    """How many people are in a zone after some came or left."""

    zone: str
    people: int

    @property
    def subject(self) -> Hashable:
        return self.zone

    @property
    def key(self) -> Hashable:
        return "people"

    def applied_to(self, facts: Facts) -> Facts:
        zone = facts.zones.get(self.zone)
        if zone is None:
            return facts
        zones = {**facts.zones, self.zone: zone._replace(people=self.people)}
        return Facts._make((*facts[:_ZONES], zones, *facts[_ZONES + 1 :]))  # at every gate of a counted zone: quickly


class SpendBudget(NamedTuple):
    """One wrong code. `budget` is what stands after it."""

    budget_key: BudgetKey
    budget: Budget

    @property
    def subject(self) -> Hashable:
        return self.budget_key

    @property
    def key(self) -> Hashable:
        return "budget"

    def applied_to(self, facts: Facts) -> Facts:
        return facts._replace(budgets={**facts.budgets, self.budget_key: self.budget})


Change = Redeem | Reserve | CountEntry | CountLimited | Move | Occupy | SpendBudget
