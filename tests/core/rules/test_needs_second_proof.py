"""`needs_second_proof`: the gate asks for two proofs of the same holder, and this is the first."""

import pytest

from app.core.model import Direction
from app.core.rule import Need
from app.core.rules.needs_second_proof import needs_second_proof
from tests.core.facts import (
    NOW,
    a_card,
    a_code,
    a_gate,
    a_reservation,
    a_token,
    facts,
    first_proof_facts,
    second_proof_facts,
)


def test_a_gate_for_one_proof_asks_for_no_second() -> None:
    assert not needs_second_proof.refuses(facts())


def test_the_first_proof_is_refused() -> None:
    assert needs_second_proof.refuses(first_proof_facts())


def test_the_second_proof_is_not() -> None:
    assert not needs_second_proof.refuses(second_proof_facts())


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ("signed", "code", False),
        ("code", "signed", False),
        ("card", "code", False),
        ("code", "card", False),
        ("short", "code", False),
        ("code", "code", True),
        ("signed", "signed", True),
        ("signed", "card", True),
        ("card", "short", True),
    ],
)
def test_one_is_carried_and_the_other_typed(first: str, second: str, refused: bool) -> None:  # noqa: FBT001
    seen = second_proof_facts(token=a_token(kind=second), reservation=a_reservation(kind=first))
    assert needs_second_proof.refuses(seen) is refused


def test_the_first_proof_waits_to_the_microsecond() -> None:
    assert not needs_second_proof.refuses(second_proof_facts(reservation=a_reservation(until=NOW + 1)))
    assert needs_second_proof.refuses(second_proof_facts(reservation=a_reservation(until=NOW)))
    assert needs_second_proof.refuses(second_proof_facts(reservation=a_reservation(until=NOW - 1)))


def test_the_first_proof_shown_again_is_no_second() -> None:
    assert needs_second_proof.refuses(first_proof_facts(reservation=a_reservation()))
    assert needs_second_proof.refuses(first_proof_facts(token=a_card(), reservation=a_reservation(kind="card")))


def test_a_gate_that_no_longer_asks_for_two_takes_what_comes() -> None:
    assert not needs_second_proof.refuses(second_proof_facts(gate=a_gate(), reservation=a_reservation(kind="code")))


def test_going_out_one_proof_is_enough() -> None:
    assert not needs_second_proof.refuses(first_proof_facts(direction=Direction.EXIT))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not needs_second_proof.refuses(first_proof_facts(token=None))
    assert needs_second_proof.refuses(first_proof_facts(token=a_code()))


def test_it_needs_the_reservation_and_is_asked_neither_offline_nor_within_a_repeat_window() -> None:
    rule = needs_second_proof
    assert (rule.code, rule.offline, rule.ends_repeat) == ("needs_second_proof", False, False)
    assert Need.RESERVATION in rule.needs
