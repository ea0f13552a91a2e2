"""What should not have been, once all verifiers have sent theirs: whoever sent first."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.conflicts import Admission, Conflict, beyond_the_limits, beyond_the_token, conflicts
from app.core.model import DAY, MINUTE, Limits, ZoneLimit
from tests.core.facts import CREDENTIAL, NOW, TODAY, TOKEN_ID, an_id


def an_admission(number: int, *, offline: bool = True, **other: Any) -> Admission:
    """The admission of that number, so many minutes after the first."""
    at = Admission(NOW + number * MINUTE, "main-door", CREDENTIAL, an_id(number), 1, offline, day=TODAY)
    return at._replace(**other)


def online(number: int, **other: Any) -> Admission:
    return an_admission(number, offline=False, **other)


def of_the_token(*admissions: Admission, party_size: int = 1) -> set[Conflict]:
    return set(conflicts(admissions, beyond_the_token(party_size)))


def of_the_pass(*entries: Admission, most: int | None = None, **limits: Any) -> set[Conflict]:
    return set(conflicts(entries, beyond_the_limits(most, Limits(**limits))))


def test_one_admission_is_no_conflict() -> None:
    assert of_the_token(an_admission(1)) == set()


def test_the_later_of_two_is_one_with_the_first() -> None:
    conflict = Conflict(an_id(2), "already_used", an_id(1))
    assert of_the_token(an_admission(1), an_admission(2)) == {conflict}
    assert of_the_token(an_admission(2), an_admission(1)) == {conflict}


def test_each_beyond_the_first_is_one() -> None:
    found = of_the_token(*(an_admission(number) for number in (3, 1, 2)))
    assert {each.verification for each in found} == {an_id(2), an_id(3)}
    assert {each.other for each in found} == {an_id(1)}


def test_an_online_admission_after_an_offline_one_is_one() -> None:
    assert of_the_token(an_admission(1), online(2)) == {Conflict(an_id(2), "already_used", an_id(1))}


def test_what_the_desk_let_happen_online_is_none() -> None:
    assert of_the_token(online(1), online(2)) == set()


def test_a_party_may_come_one_after_another() -> None:
    assert of_the_token(an_admission(1), an_admission(2, people=2), party_size=3) == set()
    found = of_the_token(an_admission(1, people=2), an_admission(2, people=2), party_size=3)
    assert found == {Conflict(an_id(2), "too_many_people", an_id(1))}


def test_more_people_at_once_than_the_party_is_one_by_itself() -> None:
    assert of_the_token(an_admission(1, people=2)) == {Conflict(an_id(1), "too_many_people", None)}


def test_entries_beyond_the_limit_are_conflicts() -> None:
    found = of_the_pass(online(1), an_admission(2), an_admission(3), most=2)
    assert found == {Conflict(an_id(3), "no_entries_left", an_id(2))}


def test_a_limit_that_was_lowered_since_makes_no_conflict_of_what_was_online() -> None:
    assert of_the_pass(online(1), online(2), online(3), most=1) == set()


def test_the_days_are_those_at_the_gate() -> None:
    first, second = an_admission(1), an_admission(2)
    assert of_the_pass(first, second, per_day=1) == {Conflict(an_id(2), "no_entries_left_today", an_id(1))}
    assert of_the_pass(first, second._replace(day=TODAY + 1), per_day=1) == set()


def test_entries_into_a_zone_are_limited_by_themselves() -> None:
    limits = {"zones": (ZoneLimit("pool", total=1), ZoneLimit("canteen", per_day=1))}
    pool, again = an_admission(1, into=("pool",)), an_admission(2, into=("pool",), day=TODAY + 1)
    assert of_the_pass(pool, again, **limits) == {Conflict(an_id(2), "no_entries_left_in_zone", an_id(1))}
    canteen, tomorrow = an_admission(3, into=("canteen",)), an_admission(4, into=("canteen",), day=TODAY + 1)
    assert of_the_pass(pool, canteen, tomorrow, **limits) == set()


def test_an_entry_too_soon_after_another_is_one_unless_it_is_by_the_same_token() -> None:
    first, second = an_admission(1, token=TOKEN_ID), an_admission(2, token=an_id(99))
    assert of_the_pass(first, second, min_interval=10 * MINUTE) == {Conflict(an_id(2), "too_soon", an_id(1))}
    assert of_the_pass(first, second, min_interval=MINUTE) == set()
    assert of_the_pass(first, second._replace(token=TOKEN_ID), min_interval=10 * MINUTE) == set()


admissions = st.lists(
    st.builds(
        Admission,
        *(st.integers(NOW, NOW + 2 * DAY), st.sampled_from(["main-door", "back-door"]), st.just(CREDENTIAL)),
        *(st.integers(1, 10_000).map(an_id), st.integers(1, 3), st.booleans()),
        token=st.sampled_from([TOKEN_ID, an_id(99)]),
        into=st.sampled_from([(), ("pool",)]),
        day=st.integers(TODAY, TODAY + 1),
    ),
    max_size=8,
    unique_by=lambda each: each.verification,
)


@given(admissions, st.randoms(use_true_random=False), st.integers(1, 4))
def test_it_does_not_matter_who_sent_first(made: list[Admission], dice: Any, most: int) -> None:
    shuffled = list(made)
    dice.shuffle(shuffled)
    limits = Limits(per_day=most, min_interval=MINUTE, zones=(ZoneLimit("pool", most, 1),))
    for beyond in (beyond_the_token(most), beyond_the_limits(most, limits)):
        assert conflicts(made, beyond) == conflicts(shuffled, beyond)


@given(admissions, st.integers(1, 4))
def test_without_offline_admissions_there_is_none(made: list[Admission], most: int) -> None:
    assert conflicts([each._replace(offline=False) for each in made], beyond_the_token(most)) == frozenset()


@given(admissions, st.integers(1, 4))
def test_exactly_those_beyond_the_party_are_conflicts(made: list[Admission], most: int) -> None:
    """Of offline admissions of one person each: all but the first so many."""
    alone = [each._replace(people=1, offline=True) for each in made]
    assert len(conflicts(alone, beyond_the_token(most))) == max(0, len(alone) - most)
