"""What an admission changes: the token is used, the entry counted, the people moved."""

from .changes import Change, CountEntry, CountLimited, Move, Occupy, Redeem, Reserve
from .crossing import OUTSIDE, counted_and_entered, counted_and_left, entered, is_inside, people_after_entry
from .model import ANYWHERE, NO_ENTRIES, CountKey, Direction, Facts, Pass, Presence, Reservation, Token, Use, Zone


def of_entry(facts: Facts) -> tuple[Change, ...]:
    """The changes when somebody is let in, or out at a gate for both directions."""
    token, pass_ = _known(facts)
    changes: list[Change] = [Redeem(token.id, _next_use(facts))]
    first = facts.reservation if facts.gate.second_proof > 0 and facts.direction != Direction.EXIT else None
    if first is not None and facts.now < first.until:
        if first.token != token.id:
            again = _next_use(facts)._replace(number=first.number + 1, let_in=first.let_in + facts.people)
            changes.append(Redeem(first.token, again))
        changes.append(Reserve(facts.gate.id, pass_.holder.id, None))
    if facts.direction != Direction.EXIT:
        changes += _counted(facts, pass_)
    if facts.zones:
        changes += movement(facts)
    return tuple(changes)


def of_first_proof(facts: Facts) -> tuple[Change, ...]:
    """The changes when a first proof has to wait for the second: none, where it waits already."""
    token, pass_ = _known(facts)
    if waits_here(facts):
        return ()
    use = _next_use(facts)
    until = facts.now + facts.gate.second_proof
    reserved = use._replace(reserved_until=until, let_in=use.let_in - facts.people)
    reservation = Reservation(token.id, use.number, token.kind, until, facts.people, reserved.let_in)
    return (Redeem(token.id, reserved), Reserve(facts.gate.id, pass_.holder.id, reservation))


def waits_here(facts: Facts) -> bool:
    """Whether the token's latest use is the first proof that waits at this gate."""
    use, first = facts.last_use, facts.reservation
    return (
        use is not None
        and first is not None
        and facts.token is not None
        and (first.token, first.number) == (facts.token.id, use.number)
        and facts.now < first.until
    )


def movement(facts: Facts) -> tuple[Change, ...]:
    """The changes of who is inside.

    What becomes known afterwards moves nobody who was moved since.
    """
    if facts.pass_ is None:
        return ()
    changes = list(departure(facts))
    for zone in counted_and_entered(facts):
        if not _moved_since(facts, zone):
            before = facts.inside.get(zone.id, OUTSIDE)
            changes += _moved(facts, zone.id, before, Presence(people_after_entry(facts, zone), facts.now))
    return tuple(changes)


def departure(facts: Facts) -> tuple[Change, ...]:
    """The changes of who is inside the zones that are left. Nobody leaves who is not inside, and nobody leaves twice.

    Where somebody goes out who was not known to be in, that is noted: how they came in may become known later.
    """
    changes: list[Change] = []
    left = counted_and_left(facts)
    known = [zone for zone in left if is_inside(facts, zone)]
    for zone in known or (left if facts.direction == Direction.EXIT else ()):
        if not _moved_since(facts, zone):
            before = facts.inside.get(zone.id, OUTSIDE)
            after = Presence(before.people - min(before.people, facts.people), before.since)
            changes += _moved(facts, zone.id, before, after)
    return tuple(changes)


def _known(facts: Facts) -> tuple[Token, Pass]:
    if facts.token is None or facts.pass_ is None:
        raise ValueError("admitted without a token")
    return facts.token, facts.pass_


def _next_use(facts: Facts) -> Use:
    last, reusable = facts.last_use, facts.token is not None and facts.token.reusable
    number, let_in = (last.number + 1, 0 if reusable else last.let_in) if last else (1, 0)
    return Use(
        number,
        facts.verification,
        facts.now,
        facts.gate.id,
        facts.credential,
        facts.direction,
        let_in=let_in + facts.people,
        people=facts.people,
        pass_=facts.pass_.id if facts.pass_ else None,
    )


def _counted(facts: Facts, pass_: Pass) -> list[Change]:
    changes: list[Change] = []
    if pass_.max_entries is not None:
        changes.append(CountEntry(pass_.id, pass_.entries + facts.people, facts.people))
    limits = pass_.limits
    if limits.per_day is not None or limits.min_interval:
        changes.append(_one_more(facts, CountKey(pass_.id, ANYWHERE)))
    if limits.zones:
        into = entered(facts)
        changes += [_one_more(facts, CountKey(pass_.id, each.zone)) for each in limits.zones if each.zone in into]
    return changes


def _one_more(facts: Facts, key: CountKey) -> CountLimited:
    before = facts.counts.get(key, NO_ENTRIES)
    count = before.with_entry if facts.afterwards is None else before.with_late_entry
    return CountLimited(key, before, count(facts.people, facts.site_day, facts.now))


def _moved_since(facts: Facts, zone: Zone) -> bool:
    return facts.afterwards is not None and facts.afterwards.moved.get(zone.id, 0) > facts.now


def _moved(facts: Facts, zone: str, before: Presence, after: Presence) -> tuple[Change, ...]:
    if facts.pass_ is None:
        raise ValueError("nobody moves")
    move = Move(facts.pass_.holder.id, zone, before, after)
    if facts.afterwards is not None and zone in facts.afterwards.recounted:
        return (move,)  # whoever counted by hand counted them too
    people = max(0, facts.zones[zone].people + after.people - before.people)
    return (move, Occupy(zone, people)) if after.people != before.people else (move,)
