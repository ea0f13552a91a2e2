"""`offline_not_allowed`: the gate leaves it to the service."""

from typing import Any

import pytest

from app.core.model import Direction, Facts, OfflinePolicy
from app.core.rules.offline_not_allowed import offline_not_allowed
from tests.core.facts import a_gate, a_token, facts, offline


def under(policy: OfflinePolicy, **other: Any) -> Facts:
    return facts(offline=offline(policy=policy), **other)


def test_a_gate_may_refuse_everybody() -> None:
    assert offline_not_allowed.refuses(under(OfflinePolicy.REFUSE, token=a_token(gate="main-door")))


def test_a_gate_may_let_in_by_tokens_that_are_bound_to_a_gate() -> None:
    assert not offline_not_allowed.refuses(under(OfflinePolicy.BOUND_TOKENS, token=a_token(gate="main-door")))
    assert offline_not_allowed.refuses(under(OfflinePolicy.BOUND_TOKENS))


def test_a_gate_may_let_in_by_every_token() -> None:
    assert not offline_not_allowed.refuses(under(OfflinePolicy.ADMIT_AND_RECONCILE))


@pytest.mark.parametrize("policy", OfflinePolicy)
def test_two_proofs_are_never_taken_without_the_network(policy: OfflinePolicy) -> None:
    two = under(policy, gate=a_gate(second_proof=30), token=a_token(gate="main-door"))
    assert offline_not_allowed.refuses(two)


def test_going_out_needs_no_second_proof() -> None:
    gate = a_gate(direction=Direction.BOTH, second_proof=30)
    out = under(OfflinePolicy.ADMIT_AND_RECONCILE, gate=gate, direction=Direction.EXIT)
    assert not offline_not_allowed.refuses(out)


def test_with_the_network_it_says_nothing() -> None:
    assert not offline_not_allowed.refuses(facts(gate=a_gate(second_proof=30)))
