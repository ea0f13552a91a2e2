"""What is recorded of an attempt that was decided without the network: what was decided stands."""

from typing import Any

import pytest

from app.core.admission import movement
from app.core.changes import CountEntry, CountLimited, Move, Occupy, Redeem
from app.core.decision import OFFLINE, REASONS, Outcome, decide, record
from app.core.model import (
    ANYWHERE,
    DAY,
    Afterwards,
    CountKey,
    Direction,
    EntryCount,
    Facts,
    PassStatus,
    Refused,
)
from tests.core.facts import (
    NOW,
    PASS_ID,
    TODAY,
    a_gate,
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


def reported(**other: Any) -> Facts:
    return facts(site_day=TODAY, afterwards=Afterwards())._replace(**other)


def kinds(seen: Facts) -> list[type]:
    return [type(change) for change in record(seen, Outcome.ADMIT, "ok").changes]


def test_an_admission_changes_what_it_would_have_changed_online() -> None:
    made = record(reported(), Outcome.ADMIT, "ok")
    assert made.changes == decide(facts(site_day=TODAY)).changes
    assert (made.outcome, made.reason, made.flags, made.overridden) == (Outcome.ADMIT, "ok", (OFFLINE,), None)


@pytest.mark.parametrize(
    ("reason", "other"),
    [
        ("pass_revoked", {"pass_": a_pass(status=PassStatus.REVOKED)}),
        ("pass_expired", {"pass_": a_pass(valid_until=NOW)}),
        ("expired", {"token": a_token(expires_at=NOW - DAY)}),
        ("wrong_gate", {"token": a_token(gate="back-door")}),
        ("token_blocked", {"token": a_token(blocked=True)}),
        ("unknown", {"token": None, "pass_": None}),
    ],
)
def test_a_green_light_stays_one_and_says_what_speaks_against_it(reason: str, other: dict[str, Any]) -> None:
    made = record(reported(**other), Outcome.ADMIT, "ok")
    assert (made.outcome, made.overridden) == (Outcome.ADMIT, reason)
    assert made.flags == (OFFLINE, reason)


def test_a_token_that_was_used_is_redeemed_again_and_judged_elsewhere() -> None:
    """Who came first is seen in the order of the times, not of arrival."""
    made = record(reported(last_use=a_use()), Outcome.ADMIT, "ok")
    assert made.overridden is None
    assert [change.use.number for change in made.changes if isinstance(change, Redeem)] == [2]


def test_what_cannot_be_opened_is_recorded_as_what_it_is() -> None:
    made = record(reported(presented=Refused("bad_signature")), Outcome.ADMIT, "ok")
    assert (made.outcome, made.overridden, made.pass_, made.changes) == (Outcome.ADMIT, "bad_signature", None, ())


def test_a_refusal_changes_nothing_and_keeps_its_reason() -> None:
    made = record(reported(), Outcome.DENY, "stale_bundle", ("time_bounded",))
    assert (made.outcome, made.reason, made.flags) == (Outcome.DENY, "stale_bundle", (OFFLINE, "time_bounded"))
    assert (made.changes, made.pass_) == ((), a_pass())


def test_nobody_is_moved_by_what_was_before_a_later_movement() -> None:
    seen = zone_facts(a_hard_zone())._replace(afterwards=Afterwards(moved={"hq": NOW}))
    assert kinds(seen) == [Redeem, Move, Occupy]
    assert kinds(seen._replace(afterwards=Afterwards(moved={"hq": NOW + 1}))) == [Redeem]
    assert kinds(seen._replace(afterwards=Afterwards(moved={"lab": NOW + 1}))) == [Redeem, Move, Occupy]


def test_who_counted_by_hand_since_counted_them_too() -> None:
    seen = zone_facts(a_hard_zone())._replace(afterwards=Afterwards(recounted=frozenset({"hq"})))
    assert kinds(seen) == [Redeem, Move]


def test_who_goes_out_and_was_not_inside_comes_into_nothing() -> None:
    gate = a_gate(direction=Direction.EXIT, from_zones=("hq",), into_zones=("yard",))
    zones = zone_facts(a_hard_zone(), a_zone(id="yard", path=("yard",)))
    seen = zones._replace(gate=gate, direction=Direction.EXIT, exit_side=True, afterwards=Afterwards())
    made = record(seen, Outcome.ADMIT, "ok")
    assert made.flags == (OFFLINE, "not_inside")
    assert record(seen, Outcome.ADMIT, "ok", ("not_inside", OFFLINE)).flags == (OFFLINE, "not_inside")
    assert [(type(change), change.zone, change.after.people) for change in made.changes] == [(Move, "hq", 0)]


def test_an_exit_moves_people_out_and_conflicts_with_nothing() -> None:
    gate = a_gate(direction=Direction.EXIT, from_zones=("hq",), into_zones=())
    seen = zone_facts(a_hard_zone())._replace(
        gate=gate, direction=Direction.EXIT, exit_side=True, inside={"hq": a_presence()}, token=a_token(revoked=True)
    )
    made = record(seen._replace(afterwards=Afterwards()), Outcome.ADMIT, "ok")
    assert (made.overridden, made.flags) == (None, (OFFLINE, "token_revoked"))
    assert made.changes == movement(seen)


def test_entries_are_counted() -> None:
    made = record(reported(pass_=a_pass(max_entries=1, entries=1)), Outcome.ADMIT, "ok")
    assert CountEntry(PASS_ID, 2, 1) in made.changes


def test_an_entry_of_yesterday_does_not_count_for_today() -> None:
    key = CountKey(PASS_ID, ANYWHERE)
    before = EntryCount(5, TODAY, 1, NOW)
    seen = reported(pass_=a_limited_pass(per_day=2), counts={key: before}, site_day=TODAY - 1, now=NOW - DAY)
    (counted,) = (change for change in record(seen, Outcome.ADMIT, "ok").changes if isinstance(change, CountLimited))
    assert counted.after == EntryCount(6, TODAY, 1, NOW)


def test_an_entry_of_the_same_day_does() -> None:
    key = CountKey(PASS_ID, ANYWHERE)
    seen = reported(pass_=a_limited_pass(per_day=2), counts={key: EntryCount(5, TODAY, 1, NOW + 1)})
    (counted,) = (change for change in record(seen, Outcome.ADMIT, "ok").changes if isinstance(change, CountLimited))
    assert counted.after == EntryCount(6, TODAY, 2, NOW + 1)


def test_offline_is_a_flag_and_no_reason() -> None:
    assert OFFLINE not in REASONS
