"""Conflicts: admissions that should not have been, as it turns out once all verifiers have sent theirs.

Two verifiers that cannot talk cannot stop one token twice. Afterwards it can be seen. Admissions are laid in the order
of their times, whenever they became known, and each is held against those before it: so what comes out does not depend
on who sent first. What would have been too much without the offline admissions too is no conflict: somebody at the desk
let it happen, or the limit was lowered since.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .model import ANYWHERE, Limits


class Admission(NamedTuple):
    """People who were let in, by one verification. `into` are the zones they came into, `day` the day at the gate."""

    at: int
    gate: str
    credential: bytes
    verification: bytes
    people: int
    offline: bool
    token: bytes | None = None
    into: tuple[str, ...] = ()
    day: int = 0


class Conflict(NamedTuple):
    """An admission that should not have been, for this reason; `other` is the one that came first, if any."""

    verification: bytes
    reason: str
    other: bytes | None = None


Beyond = Callable[[Sequence[Admission]], Iterable[Conflict]]
"""What finds those that are too much, in admissions in the order of their times."""


def conflicts(admissions: Iterable[Admission], beyond: Beyond) -> frozenset[Conflict]:
    """What is too much in all of `admissions`, and would not be without those that were made offline."""
    in_order = sorted(admissions)
    online = {(found.verification, found.reason) for found in beyond([each for each in in_order if not each.offline])}
    return frozenset(each for each in beyond(in_order) if (each.verification, each.reason) not in online)


def beyond_the_token(party_size: int) -> Beyond:
    """Of the admissions by a token that is good once: those for which nobody, or too few, of its party were left."""

    def beyond(admissions: Sequence[Admission]) -> Iterable[Conflict]:
        let_in = 0
        for each in admissions:
            if let_in + each.people > party_size:
                reason = "already_used" if let_in >= party_size else "too_many_people"
                yield Conflict(each.verification, reason, admissions[0].verification if let_in else None)
            let_in += each.people

    return beyond


def beyond_the_limits(max_entries: int | None, limits: Limits) -> Beyond:
    """Of the entries on a pass: those that were more than its limits allow, or too soon after another."""

    def beyond(entries: Sequence[Admission]) -> Iterable[Conflict]:
        total: Counter[str] = Counter()
        on_day: Counter[tuple[str, int]] = Counter()
        before: Admission | None = None
        for each in entries:
            other = before and before.verification
            if max_entries is not None and total[ANYWHERE] + each.people > max_entries:
                yield Conflict(each.verification, "no_entries_left", other)
            if limits.per_day is not None and on_day[ANYWHERE, each.day] + each.people > limits.per_day:
                yield Conflict(each.verification, "no_entries_left_today", other)
            if _beyond_a_zone(each, limits, total, on_day):
                yield Conflict(each.verification, "no_entries_left_in_zone", other)
            if before is not None and before.token != each.token and each.at < before.at + limits.min_interval:
                yield Conflict(each.verification, "too_soon", other)
            for zone in (ANYWHERE, *each.into):
                total[zone] += each.people
                on_day[zone, each.day] += each.people
            before = each

    return beyond


def _beyond_a_zone(each: Admission, limits: Limits, total: Counter[str], on_day: Counter[tuple[str, int]]) -> bool:
    return any(
        (limit.total is not None and total[limit.zone] + each.people > limit.total)
        or (limit.per_day is not None and on_day[limit.zone, each.day] + each.people > limit.per_day)
        for limit in limits.zones
        if limit.zone in each.into
    )
