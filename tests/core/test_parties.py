"""Groups: several people on one token, together or in parts."""

import pytest

from app.core.changes import CountEntry, CountLimited, Move, Redeem
from app.core.decision import Outcome, apply, decide
from app.core.model import (
    ANYWHERE,
    MINUTE,
    AntiPassback,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    Gate,
    Presence,
    Scope,
    ZoneLimit,
)
from tests.core.facts import (
    HOLDER_ID,
    NOW,
    PASS_ID,
    TODAY,
    a_hard_zone,
    a_limited_pass,
    a_pass,
    a_presence,
    a_token,
    a_use,
    a_zone,
    facts,
    zone_facts,
)

THREE = a_limited_pass(party_size=3)


def one_after_another(seen: Facts, *parts: int) -> list[tuple[str, int]]:
    """What is said to each part of a party that comes with the same token, and how many are left then."""
    said = []
    for people in parts:
        decision = decide(seen._replace(people=people))
        seen = apply(seen, decision.changes)
        said.append((decision.reason, decision.people_left))
    return said


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((3,), [("ok", 0)]),
        ((1, 1, 1), [("ok", 2), ("ok", 1), ("ok", 0)]),
        ((2, 1), [("ok", 1), ("ok", 0)]),
        ((2, 2, 1), [("ok", 1), ("too_many_people", 1), ("ok", 0)]),
        ((4, 3), [("too_many_people", 3), ("ok", 0)]),
        ((3, 1), [("ok", 0), ("already_used", 0)]),
    ],
)
def test_a_party_comes_together_or_in_parts(parts: tuple[int, ...], said: list[tuple[str, int]]) -> None:
    assert one_after_another(facts(pass_=THREE), *parts) == said


def test_a_pass_for_one_says_nothing_of_people_left() -> None:
    assert one_after_another(facts(), 1, 1) == [("ok", 0), ("already_used", 0)]
    assert decide(facts(people=2)).people_left == 0


def test_a_reusable_token_lets_the_party_in_at_each_showing() -> None:
    seen = facts(pass_=THREE, token=a_token(reusable=True))
    assert one_after_another(seen, 3, 2, 4, 3) == [("ok", 3), ("ok", 3), ("too_many_people", 3), ("ok", 3)]


def test_every_one_of_a_party_is_counted() -> None:
    pass_ = a_limited_pass(party_size=3, per_day=5, zones=(ZoneLimit("hq", total=9),))._replace(
        max_entries=7, entries=2
    )
    decision = decide(facts(pass_=pass_, people=3, site_day=TODAY))
    redeemed, *counted = decision.changes
    after = EntryCount(3, TODAY, 3, NOW)
    assert isinstance(redeemed, Redeem)
    assert redeemed.use.let_in == 3
    assert counted == [
        CountEntry(PASS_ID, 5, 3),
        CountLimited(CountKey(PASS_ID, ANYWHERE), EntryCount(), after),
        CountLimited(CountKey(PASS_ID, "hq"), EntryCount(), after),
    ]


@pytest.mark.parametrize(
    ("pass_", "left"),
    [
        (a_limited_pass(party_size=3)._replace(max_entries=2), 1),
        (a_limited_pass(party_size=3, per_day=2), 1),
        (a_limited_pass(party_size=3, zones=(ZoneLimit("hq", per_day=1),)), 0),
        (a_limited_pass(party_size=3)._replace(max_entries=70), 2),
    ],
)
def test_no_more_are_left_than_any_limit_lets_in(pass_: object, left: int) -> None:
    assert decide(facts(pass_=pass_, site_day=TODAY)).people_left == left


def test_no_more_are_left_than_there_are_places() -> None:
    assert decide(zone_facts(a_zone(people=7, capacity=9), pass_=THREE)).people_left == 1
    assert decide(zone_facts(a_zone(people=7, capacity=10), pass_=THREE)).people_left == 2


def test_a_refusal_says_how_many_could_come_in() -> None:
    decision = decide(zone_facts(a_zone(people=7, capacity=9), pass_=THREE, people=3))
    assert (decision.reason, decision.people_left) == ("zone_full", 2)


def test_the_rest_of_a_party_is_not_passed_back() -> None:
    seen = zone_facts(a_hard_zone(people=0), pass_=THREE)
    assert one_after_another(seen, 1, 2) == [("ok", 2), ("ok", 0)]


def test_the_rest_of_a_party_does_not_come_too_soon() -> None:
    seen = facts(pass_=a_limited_pass(party_size=3, min_interval=MINUTE))
    assert one_after_another(seen, 1, 2) == [("ok", 2), ("ok", 0)]
    after = apply(seen, decide(seen).changes)
    assert decide(after._replace(token=a_token(id=b"\x07" * 16), last_use=None)).reason == "too_soon"


def test_a_party_is_inside_since_its_latest_entry() -> None:
    seen = zone_facts(pass_=THREE, people=2, inside={"hq": a_presence()})
    assert decide(seen).changes[1] == Move(HOLDER_ID, "hq", a_presence(), Presence(3, NOW))


def test_with_soft_anti_passback_only_who_is_inside_is_flagged() -> None:
    zone = a_hard_zone(anti_passback=AntiPassback.SOFT)
    assert decide(zone_facts(zone, pass_=THREE, people=2, inside={"hq": a_presence()})).flags == ()
    assert decide(zone_facts(zone, pass_=THREE, people=3, inside={"hq": a_presence()})).flags == ("anti_passback",)


def test_a_part_that_was_given_back_may_come_again() -> None:
    seen = facts(pass_=THREE, last_use=a_use(number=2, voided=True, let_in=1))
    assert one_after_another(seen, 3, 2) == [("too_many_people", 2), ("ok", 0)]


def test_more_people_than_are_inside_go_out_as_they_are() -> None:
    gate = Gate("way-out", Direction.EXIT, ("hq",))
    seen = zone_facts(a_zone(people=5), gate=gate, direction=Direction.EXIT, exit_side=True, people=3, pass_=THREE)
    seen = seen._replace(inside={"hq": a_presence(people=2)}, pass_=THREE._replace(scope=Scope(every_gate=True)))
    after = apply(seen, decide(seen).changes)
    assert (after.zones["hq"].people, after.inside["hq"].people) == (3, 0)


def test_one_who_shows_the_token_of_a_party_is_one() -> None:
    assert facts().people == 1
    assert decide(facts(pass_=a_pass())).outcome is Outcome.ADMIT
