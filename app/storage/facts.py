"""Loading what rules need to know, for a whole batch of attempts at once.

In two rounds: what an attempt names by itself (its gate, its token), and what these lead to (where the holder is). What
nobody in the batch needs is not asked for: a site without zones pays nothing for them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from app.core.decision import is_exit_side
from app.core.model import (
    NO_BUDGETS,
    NO_COUNTS,
    NO_LIMITS,
    NO_ZONES,
    NOWHERE,
    SECOND,
    Budget,
    BudgetKey,
    Claims,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Pass,
    Presence,
    Reservation,
    Token,
    Zone,
)

from .attempt import Attempt
from .calendar import Calendar
from .engine import Engine
from .loaders.afterwards import AfterwardsLoader
from .loaders.budgets import BudgetsLoader
from .loaders.cards import CardsLoader
from .loaders.gates import GatesLoader, Place
from .loaders.passes import PassesLoader, StoredPass
from .loaders.reservations import ReservationsLoader, Waiting
from .loaders.schedules import NEVER, SchedulesLoader
from .loaders.tokens import Found, TokensLoader
from .loaders.zones import Counted, ZonesLoader

_SIMULATED_S = 60
_HOURS = Pass._fields.index("hours")

Hours = tuple[tuple[int, int], ...]
"""When a schedule is open: see `Pass`."""


class _Around(NamedTuple):
    """What the attempts of a batch lead to."""

    zones_at: Mapping[tuple[str, str], Mapping[str, Zone]]
    inside: Mapping[tuple[str, bytes], Mapping[str, Presence]]
    hours: Mapping[tuple[str, str, str], Hours]
    reservations: Mapping[Waiting, Reservation]
    budgets: Mapping[BudgetKey, Budget]


class FactsLoader:
    """Loads facts with a fixed number of statements a batch, compiled once for an engine."""

    def __init__(self, engine: Engine, calendar: Calendar) -> None:
        self._engine = engine
        self._calendar = calendar
        self._gates = GatesLoader(engine)
        self._tokens = TokensLoader(engine)
        self._cards = CardsLoader(engine)
        self._passes = PassesLoader(engine)
        self._schedules = SchedulesLoader(engine)
        self._zones = ZonesLoader(engine, calendar)
        self._reservations = ReservationsLoader(engine)
        self._budgets = BudgetsLoader(engine)
        self._afterwards = AfterwardsLoader(engine)

    def load(self, connection: Connection, attempts: Sequence[Attempt], *, hold: bool = True) -> list[Facts | None]:
        """The facts of each attempt; None where there is no such gate.

        What they hang on is locked before it is read, unless nothing shall be held: passes, then zones, then budgets.
        """
        places = self._gates.load(connection, ((attempt.tenant, attempt.gate) for attempt in attempts))
        at = [places.get((attempt.tenant, attempt.gate)) for attempt in attempts]
        roots = sorted(
            {(a.tenant, root) for a, place in zip(attempts, at, strict=True) if place for root in place.roots}
        )
        if hold:
            self._engine.lock_passes(connection, [key[1:] for key in _token_keys(attempts)], list(_card_keys(attempts)))
            if roots:
                self._engine.lock_zones(connection, roots)
        found = self._found(connection, attempts, at)
        zones = self._zones.load(connection, roots, max(a.received_at for a in attempts)) if roots else {}
        zones_at = {key: here for key, place in places.items() if (here := _zones_of(place, key[0], zones))}
        around = _Around(
            zones_at,
            self._inside(connection, attempts, found, zones, zones_at) if zones_at else {},
            self._open(connection, attempts, at, found),
            self._waiting(connection, attempts, at, found),
            self._budgets.load(connection, (key for a in attempts for key in _budget_keys(a)), hold=hold),
        )
        facts = [
            None if place is None else self._facts(attempt, place, found.get(n), around)
            for n, (attempt, place) in enumerate(zip(attempts, at, strict=True))
        ]
        if any(attempt.reported is not None for attempt in attempts):
            facts = self._afterwards.as_of(connection, attempts, facts, _resets(zones))
        return facts

    def _found(
        self, connection: Connection, attempts: Sequence[Attempt], at: Sequence[Place | None]
    ) -> dict[int, Found]:
        """Tokens, or else cards, by the attempt's place in the batch."""
        found = dict(self._tokens.load(connection, list(_token_keys(attempts))))
        cards = [(n, key) for n, attempt in enumerate(attempts) if n not in found for key in _cards_of(attempt)]
        if cards:
            epochs = {k: place.epoch if (place := at[n]) else 0 for k, (n, _) in enumerate(cards)}
            known = self._cards.load(connection, [(k, *key) for k, (_, key) in enumerate(cards)], epochs)
            for k in sorted(known):  # what it is to the letter, before another spelling
                found.setdefault(cards[k][0], known[k])
        wanted = [(n, a.tenant, a.simulated_pass) for n, a in enumerate(attempts) if a.simulated_pass is not None]
        for n, stored in self._passes.load(connection, wanted).items():
            place = at[n]
            found[n] = Found(_simulated(attempts[n], place.epoch if place else 0), (stored,), None)
        return found

    def _inside(
        self,
        connection: Connection,
        attempts: Sequence[Attempt],
        found: Mapping[int, Found],
        zones: Mapping[tuple[str, str], Mapping[str, Counted]],
        zones_at: Mapping[tuple[str, str], Mapping[str, Zone]],
    ) -> Mapping[tuple[str, bytes], Mapping[str, Presence]]:
        """Where the holders are who come to a gate at a zone that is counted."""
        holders = [
            (attempts[n].tenant, each.passes[0].pass_.holder.id)
            for n, each in found.items()
            if each.passes and (attempts[n].tenant, attempts[n].gate) in zones_at
        ]
        if not holders:
            return {}
        counted = {(tenant, id_): each for (tenant, _), tree in zones.items() for id_, each in tree.items()}
        return self._zones.inside(connection, holders, counted)

    def _open(
        self,
        connection: Connection,
        attempts: Sequence[Attempt],
        at: Sequence[Place | None],
        found: Mapping[int, Found],
    ) -> Mapping[tuple[str, str, str], Hours]:
        """The hours of the schedules that passes name, by tenant, schedule and time zone."""
        named = {
            (attempts[n].tenant, each.schedule, place.time_zone)
            for n, one in found.items()
            for each in one.passes
            if each.schedule is not None and (place := at[n])
        }
        texts = self._schedules.load(connection, ((tenant, schedule) for tenant, schedule, _ in named))
        now = min(attempt.now for attempt in attempts)
        return {key: self._calendar.windows(texts.get(key[:2], NEVER), key[2], now) for key in named}

    def _waiting(
        self,
        connection: Connection,
        attempts: Sequence[Attempt],
        at: Sequence[Place | None],
        found: Mapping[int, Found],
    ) -> Mapping[Waiting, Reservation]:
        return self._reservations.load(
            connection,
            (
                Waiting(attempts[n].tenant, place.gate.id, each.passes[0].pass_.holder.id)
                for n, each in found.items()
                if each.passes and (place := at[n]) and place.gate.second_proof
            ),
        )

    def _facts(self, attempt: Attempt, place: Place, found: Found | None, around: _Around) -> Facts:
        gate, tenant, now = place.gate, attempt.tenant, attempt.now
        exit_side = is_exit_side(gate, exit_bound=attempt.exit_bound)
        direction = Direction.EXIT if exit_side else gate.direction
        if attempt.reported is not None and attempt.reported.exit is not None:
            exit_side = attempt.reported.exit
            direction = Direction.EXIT if exit_side else attempt.direction or _way_in(gate)
        elif direction == Direction.BOTH:
            direction = attempt.direction or Direction.BOTH
        passes = [_with_hours(each, tenant, place, around) for each in found.passes] if found else []
        holder = passes[0].holder.id if passes else b""
        limited = any(each.limits is not NO_LIMITS for each in passes)
        return Facts(
            now=now,
            today=attempt.today,
            epoch=place.epoch,
            gate=gate,
            direction=direction,
            exit_side=exit_side,
            credential=attempt.credential,
            verification=attempt.verification,
            presented=attempt.presented,
            token=found.token if found else None,
            pass_=passes[0] if passes else None,
            last_use=found.last_use if found else None,
            budgets={key: around.budgets.get(key, Budget()) for key in _budget_keys(attempt)} or NO_BUDGETS,
            other_passes=tuple(passes[1:]),
            people=attempt.people,
            override=attempt.override is not None,
            site_day=self._calendar.local_day(now, place.time_zone) if limited else 0,
            zones=around.zones_at.get((tenant, gate.id), NO_ZONES),
            inside=around.inside.get((tenant, holder), NOWHERE),
            counts=_counts_of(found) if found and limited else NO_COUNTS,
            reservation=around.reservations.get(Waiting(tenant, gate.id, holder)) if gate.second_proof else None,
        )


def _with_hours(stored: StoredPass, tenant: str, place: Place, around: _Around) -> Pass:
    if stored.schedule is None:
        return stored.pass_
    hours = around.hours[tenant, stored.schedule, place.time_zone]
    return Pass._make(
        (*stored.pass_[:_HOURS], hours, *stored.pass_[_HOURS + 1 :])
    )  # _replace takes three times as long


def _token_keys(attempts: Sequence[Attempt]) -> Iterator[tuple[int, str, bytes | None, bytes | None]]:
    """How the tokens of a batch may be stored: by their id, or by a lookup under each pepper."""
    for n, attempt in enumerate(attempts):
        claims = attempt.presented
        if isinstance(claims, Claims):
            if claims.token is not None:
                yield n, attempt.tenant, claims.token.id, None
            else:
                for lookup in claims.lookups:
                    yield n, attempt.tenant, None, lookup


def _cards_of(attempt: Attempt) -> Iterator[tuple[str, bytes, int]]:
    """How the card of an attempt may be enrolled, and when it is shown."""
    if isinstance(attempt.presented, Claims):
        for lookup in attempt.presented.cards:
            yield attempt.tenant, lookup, attempt.now


def _card_keys(attempts: Sequence[Attempt]) -> Iterator[tuple[str, bytes]]:
    for attempt in attempts:
        for tenant, lookup, _ in _cards_of(attempt):
            yield tenant, lookup


def _budget_keys(attempt: Attempt) -> tuple[BudgetKey, ...]:
    claims = attempt.presented
    if not isinstance(claims, Claims) or claims.number is None:
        return ()
    return (
        BudgetKey(attempt.tenant, "gate", attempt.gate),
        BudgetKey(attempt.tenant, "number", str(claims.number)),
    )


def _zones_of(place: Place, tenant: str, zones: Mapping[tuple[str, str], Mapping[str, Counted]]) -> Mapping[str, Zone]:
    """The counted zones around a gate, by id."""
    return {id_: each.zone for root in place.roots for id_, each in zones.get((tenant, root), {}).items()} or NO_ZONES


def _resets(zones: Mapping[tuple[str, str], Mapping[str, Counted]]) -> dict[tuple[str, str], int]:
    """When the people in each zone, by tenant and id, were last counted anew."""
    return {(tenant, id_): each.reset_at for (tenant, _), tree in zones.items() for id_, each in tree.items()}


def _way_in(gate: Gate) -> Direction:
    """How a gate that may have been another at the time was gone through, where nobody said it."""
    return Direction.ENTRY if gate.direction == Direction.EXIT else gate.direction


def _counts_of(found: Found) -> Mapping[CountKey, EntryCount]:
    if len(found.passes) == 1:
        return found.passes[0].counts
    return {key: count for each in found.passes for key, count in each.counts.items()}


def _simulated(attempt: Attempt, epoch: int) -> Token:
    """A token as it would be issued at the time of a simulation."""
    return Token(attempt.verification, "signed", attempt.now, attempt.now + _SIMULATED_S * SECOND, epoch=epoch)
