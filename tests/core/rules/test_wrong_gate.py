"""`wrong_gate`: not the gate that the token is bound to, nor one that the pass names."""

import pytest

from app.core.model import Direction, Gate, Scope
from app.core.rules.wrong_gate import wrong_gate
from tests.core.facts import a_gate, a_pass, a_token, facts

INTO_FLOOR_2 = Gate("lift-2", Direction.BOTH, from_zones=("lobby",), into_zones=("floor-2", "hq"))


def refused(gate: Gate, scope: Scope, direction: Direction = Direction.ENTRY) -> bool:
    return wrong_gate.refuses(facts(gate=gate, pass_=a_pass(scope=scope), direction=direction))


def test_a_gate_that_the_pass_names_is_right() -> None:
    assert not refused(INTO_FLOOR_2, Scope(gates=frozenset({"lift-1", "lift-2"})))


def test_a_gate_that_the_pass_does_not_name_is_wrong() -> None:
    assert refused(INTO_FLOOR_2, Scope(gates=frozenset({"lift-1"})))


def test_a_pass_for_every_gate_is_right_everywhere() -> None:
    assert not refused(INTO_FLOOR_2, Scope(every_gate=True))


def test_a_pass_that_names_nothing_admits_nowhere() -> None:
    assert refused(INTO_FLOOR_2, Scope())
    assert refused(Gate("", Direction.ENTRY), Scope())


@pytest.mark.parametrize("zone", ["floor-2", "hq"])
def test_a_zone_that_the_gate_leads_into_is_right_and_so_is_the_one_around_it(zone: str) -> None:
    assert not refused(INTO_FLOOR_2, Scope(zones=frozenset({zone})))


@pytest.mark.parametrize("zone", ["lobby", "floor-3", "lift-2"])
def test_no_other_zone_is(zone: str) -> None:
    assert refused(INTO_FLOOR_2, Scope(zones=frozenset({zone})))


@pytest.mark.parametrize("zone", ["floor-2", "hq"])
def test_going_out_at_a_gate_for_both_the_zone_that_is_left_counts(zone: str) -> None:
    assert not refused(INTO_FLOOR_2, Scope(zones=frozenset({zone})), Direction.EXIT)
    assert refused(INTO_FLOOR_2, Scope(zones=frozenset({"lobby"})), Direction.EXIT)


def test_going_out_at_an_exit_gate_the_zone_it_leads_from_counts() -> None:
    gate = Gate("way-out", Direction.EXIT, from_zones=("floor-2", "hq"), into_zones=("lobby",))
    assert not refused(gate, Scope(zones=frozenset({"hq"})), Direction.EXIT)
    assert refused(gate, Scope(zones=frozenset({"lobby"})), Direction.EXIT)


def test_a_gate_without_zones_is_not_opened_by_a_zone() -> None:
    assert refused(a_gate(into_zones=()), Scope(zones=frozenset({"hq"})))


def test_the_name_of_a_zone_is_not_the_name_of_a_gate() -> None:
    assert refused(a_gate(id="hq", into_zones=()), Scope(zones=frozenset({"hq"})))


def test_a_token_bound_to_this_gate_is_right() -> None:
    assert not wrong_gate.refuses(facts(token=a_token(gate="main-door")))


def test_a_token_bound_to_another_gate_is_wrong_though_the_pass_names_this_one() -> None:
    assert wrong_gate.refuses(facts(token=a_token(gate="back-door")))
    assert wrong_gate.refuses(facts(token=a_token(gate="back-door"), pass_=a_pass(scope=Scope(every_gate=True))))
    assert wrong_gate.refuses(facts(token=a_token(gate="")))


def test_a_token_bound_to_this_gate_does_not_widen_the_pass() -> None:
    assert wrong_gate.refuses(facts(token=a_token(gate="main-door"), pass_=a_pass(scope=Scope())))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not wrong_gate.refuses(facts(token=None))
    assert not wrong_gate.refuses(facts(pass_=None))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    assert (wrong_gate.code, wrong_gate.offline, wrong_gate.ends_repeat) == ("wrong_gate", True, False)
