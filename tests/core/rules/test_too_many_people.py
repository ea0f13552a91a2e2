"""`too_many_people`: more people than the token lets in."""

from typing import Any

from app.core.model import Direction, Facts
from app.core.rules.too_many_people import too_many_people
from tests.core.facts import a_card, a_limited_pass, a_token, a_use, facts


def party(people: int, **other: Any) -> Facts:
    """So many people of a party of three."""
    return facts(pass_=a_limited_pass(party_size=3), people=people)._replace(**other)


def test_a_pass_is_for_one() -> None:
    assert not too_many_people.refuses(facts(people=1))
    assert too_many_people.refuses(facts(people=2))


def test_a_party_may_come_together_but_no_more_than_it_is() -> None:
    assert not too_many_people.refuses(party(3))
    assert too_many_people.refuses(party(4))


def test_a_party_may_come_in_parts_but_no_more_than_are_left() -> None:
    assert not too_many_people.refuses(party(1, last_use=a_use(let_in=2)))
    assert too_many_people.refuses(party(2, last_use=a_use(let_in=2)))
    assert not too_many_people.refuses(party(1, last_use=a_use(let_in=3)))  # `already_used` says so


def test_who_was_given_back_may_come_again() -> None:
    assert not too_many_people.refuses(party(3, last_use=a_use(number=2, voided=True, let_in=0)))


def test_a_reusable_token_lets_the_whole_party_in_at_each_showing() -> None:
    again = a_use(number=7, let_in=20)
    assert not too_many_people.refuses(party(3, token=a_token(reusable=True), last_use=again))
    assert too_many_people.refuses(party(4, token=a_card(), last_use=again))


def test_it_has_room_for_what_is_left_of_the_party() -> None:
    assert too_many_people.room(party(1)) == 3
    assert too_many_people.room(party(1, last_use=a_use(let_in=2))) == 1
    assert too_many_people.room(party(1, token=None)) is None


def test_nobody_counts_the_party_on_the_way_out() -> None:
    assert not too_many_people.refuses(party(4, direction=Direction.EXIT))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not too_many_people.refuses(party(4, token=None))
    assert not too_many_people.refuses(party(4, pass_=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    rule = too_many_people
    assert (rule.code, rule.offline, rule.ends_repeat, rule.overridable) == ("too_many_people", True, False, True)
