"""Two proofs: the first waits for the second at its gate, and both are used by it."""

from typing import Any

import pytest

from app.core.changes import CountEntry, Redeem, Reserve
from app.core.decision import Outcome, apply, decide
from app.core.model import SECOND, Direction, Facts, Reservation, Scope, Use
from tests.core.facts import (
    CARD_ID,
    CREDENTIAL,
    EARLIER,
    HOLDER_ID,
    NOW,
    OTHER_PASS_ID,
    OTHER_TOKEN_ID,
    PASS_ID,
    TOKEN_ID,
    TWO_PROOFS,
    VERIFICATION,
    a_card,
    a_code,
    a_gate,
    a_limited_pass,
    a_pass,
    a_reservation,
    a_token,
    a_use,
    an_id,
    card_facts,
    first_proof_facts,
    second_proof_facts,
)
from tests.core.world import Attempt, World

UNTIL = NOW + 30 * SECOND
WAITING = a_use(reserved_until=NOW + 10 * SECOND, let_in=0)
USE = Use(1, VERIFICATION, NOW, "main-door", CREDENTIAL, Direction.ENTRY, pass_=PASS_ID)


def test_the_first_proof_is_denied_and_reserved() -> None:
    decision = decide(first_proof_facts())
    assert (decision.outcome, decision.reason) == (Outcome.DENY, "needs_second_proof")
    reservation = Reservation(TOKEN_ID, 1, "signed", UNTIL)
    reserved = USE._replace(reserved_until=UNTIL, let_in=0)
    assert decision.changes == (Redeem(TOKEN_ID, reserved), Reserve("main-door", HOLDER_ID, reservation))


def test_a_first_proof_that_waits_says_how_many_its_token_had_let_in() -> None:
    seen = first_proof_facts(pass_=a_limited_pass(party_size=4), last_use=a_use(let_in=2), people=2)
    assert decide(seen).changes[1] == Reserve(
        "main-door", HOLDER_ID, Reservation(TOKEN_ID, 2, "signed", UNTIL, people=2, let_in=2)
    )


def test_the_second_proof_uses_both_each_by_a_use_of_its_own() -> None:
    decision = decide(second_proof_facts())
    assert (decision.outcome, decision.reason) == (Outcome.ADMIT, "ok")
    assert decision.changes == (
        Redeem(OTHER_TOKEN_ID, USE),
        Redeem(TOKEN_ID, USE._replace(number=2)),
        Reserve("main-door", HOLDER_ID, None),
    )


def test_the_first_proof_is_used_by_as_many_as_come_in_by_the_second() -> None:
    first = a_reservation(number=4, people=3, let_in=2)
    seen = second_proof_facts(pass_=a_limited_pass(party_size=5), people=2, reservation=first)
    used = Redeem(TOKEN_ID, USE._replace(number=5, people=2, let_in=4))
    assert decide(seen).changes[:2] == (Redeem(OTHER_TOKEN_ID, USE._replace(people=2, let_in=2)), used)


def test_an_entry_by_two_proofs_is_one_entry() -> None:
    assert not any(isinstance(change, CountEntry) for change in decide(first_proof_facts(pass_=LIMITED)).changes)
    counted = [change for change in decide(second_proof_facts(pass_=LIMITED)).changes if isinstance(change, CountEntry)]
    assert counted == [CountEntry(PASS_ID, 3, 1)]


LIMITED = a_pass(max_entries=4, entries=2)


def test_a_proof_that_no_gate_would_take_is_not_reserved() -> None:
    decision = decide(first_proof_facts(pass_=a_pass(scope=Scope())))
    assert (decision.reason, decision.changes) == ("wrong_gate", ())


def test_the_first_proof_shown_again_while_it_waits_changes_nothing() -> None:
    seen = first_proof_facts()
    again = decide(apply(seen, decide(seen).changes)._replace(now=UNTIL - 1, verification=EARLIER))
    assert (again.reason, again.changes) == ("needs_second_proof", ())


def test_the_first_proof_shown_again_afterwards_waits_again_with_the_next_number() -> None:
    seen = first_proof_facts(token=a_token(expires_at=UNTIL))
    again = decide(apply(seen, decide(seen).changes)._replace(now=UNTIL))
    assert again.reason == "needs_second_proof"
    assert [change.use.number for change in again.changes if isinstance(change, Redeem)] == [2]


def test_another_proof_of_the_same_kind_waits_instead() -> None:
    decision = decide(first_proof_facts(token=a_card(), reservation=a_reservation()))
    assert decision.reason == "needs_second_proof"
    assert decision.changes[1] == Reserve("main-door", HOLDER_ID, Reservation(a_card().id, 1, "card", UNTIL))


def test_a_first_proof_is_used_at_another_gate_while_it_waits_and_good_afterwards() -> None:
    elsewhere = first_proof_facts(gate=a_gate(), last_use=WAITING)
    assert decide(elsewhere).reason == "already_used"
    assert decide(elsewhere._replace(last_use=WAITING._replace(reserved_until=NOW))).outcome is Outcome.ADMIT


def test_a_first_proof_that_nobody_followed_takes_nothing_of_the_party() -> None:
    party = a_limited_pass(party_size=2)
    lapsed = a_use(reserved_until=NOW, let_in=0)
    decision = decide(first_proof_facts(gate=a_gate(), pass_=party, last_use=lapsed, people=2))
    assert decision.outcome is Outcome.ADMIT
    assert [change.use.let_in for change in decision.changes if isinstance(change, Redeem)] == [2]


def test_a_first_proof_that_was_used_is_used() -> None:
    used = apply(first_proof_facts(last_use=WAITING), decide(second_proof_facts()).changes)
    assert used.last_use == USE._replace(number=2)
    assert decide(used).reason == "already_used"


def test_both_proofs_shown_again_within_the_window_of_a_camera_repeat_the_admission() -> None:
    gate = TWO_PROOFS._replace(repeat_window=5 * SECOND)
    second = second_proof_facts(gate=gate)
    first = apply(first_proof_facts(gate=gate, last_use=WAITING), decide(second).changes)
    assert decide(first).repeats == VERIFICATION
    assert decide(apply(second, decide(second).changes)).repeats == VERIFICATION


def test_a_first_proof_that_waits_repeats_nothing() -> None:
    gate = TWO_PROOFS._replace(repeat_window=5 * SECOND)
    assert decide(first_proof_facts(gate=gate, last_use=WAITING, reservation=a_reservation())).repeats is None


@pytest.mark.parametrize("other", [{"token": OTHER_TOKEN_ID}, {"number": 2}])
def test_a_use_of_another_token_or_number_is_not_what_waits(other: dict[str, Any]) -> None:
    seen = first_proof_facts(last_use=WAITING, reservation=a_reservation(**other))
    assert decide(seen).reason == "already_used"


def test_what_was_reserved_at_another_gate_is_nothing_to_this_one() -> None:
    seen = first_proof_facts()
    assert apply(seen, [Reserve("back-door", HOLDER_ID, a_reservation())]) == seen


# --- what a second proof does not use ---------------------------------------------------------------------------------


def used(seen: Facts) -> list[bytes]:
    decision = decide(seen)
    assert decision.outcome is Outcome.ADMIT
    return [change.token for change in decision.changes if isinstance(change, Redeem)]


def test_going_out_uses_no_first_proof_that_waits() -> None:
    out = second_proof_facts(
        gate=TWO_PROOFS._replace(direction=Direction.BOTH, from_zones=()), direction=Direction.EXIT
    )
    out = out._replace(pass_=a_pass(scope=Scope(every_gate=True)))
    assert used(out) == [OTHER_TOKEN_ID]
    assert not any(isinstance(change, Reserve) for change in decide(out).changes)


def test_an_override_uses_no_first_proof_whose_time_is_over() -> None:
    late = second_proof_facts(override=True, reservation=a_reservation(until=NOW))
    assert used(late) == [OTHER_TOKEN_ID]
    assert used(late._replace(reservation=a_reservation(until=NOW + 1))) == [OTHER_TOKEN_ID, TOKEN_ID]


def test_an_override_of_the_first_proof_itself_uses_it_once() -> None:
    seen = first_proof_facts(last_use=WAITING, reservation=a_reservation(), override=True)
    assert used(seen) == [TOKEN_ID]
    assert decide(seen).overridden == "needs_second_proof"
    assert apply(seen, decide(seen).changes).last_use == USE._replace(number=2)


def test_what_is_left_of_a_party_is_counted_on_the_second_proof_alone() -> None:
    seen = second_proof_facts(pass_=a_limited_pass(party_size=3))
    assert decide(seen).people_left == 2


def test_a_use_of_the_other_proof_is_nothing_to_this_one() -> None:
    seen = second_proof_facts(last_use=a_use())
    assert apply(seen, [Redeem(TOKEN_ID, USE._replace(number=2))]) == seen


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "in one batch"])
def test_a_first_proof_that_was_used_elsewhere_in_between_is_none(at_once: bool) -> None:  # noqa: FBT001
    pass_ = a_pass(scope=Scope(every_gate=True))
    world = World({CARD_ID: (a_card(), (pass_,)), OTHER_TOKEN_ID: (a_code(), (pass_,))}, [])
    shown = [
        Attempt(NOW, an_id(31), TWO_PROOFS, CARD_ID),
        Attempt(NOW + 1, an_id(32), a_gate(id="back-door"), CARD_ID),
        Attempt(NOW + 2, an_id(33), TWO_PROOFS, OTHER_TOKEN_ID),
    ]
    decisions = world.settle_batch(shown) if at_once else [world.settle(each) for each in shown]
    assert [each.reason for each in decisions] == ["needs_second_proof", "ok", "needs_second_proof"]


def test_a_card_of_several_passes_is_reserved_for_the_good_one() -> None:
    good = a_pass(id=OTHER_PASS_ID, scope=Scope(every_gate=True))
    decision = decide(card_facts(gate=TWO_PROOFS, pass_=a_pass(scope=Scope()), other_passes=(good,)))
    assert decision.reason == "needs_second_proof"
    assert decision.pass_ == good
    assert [type(change) for change in decision.changes] == [Redeem, Reserve]


def test_a_code_after_a_card_lets_in() -> None:
    first = card_facts(gate=TWO_PROOFS)
    waiting = apply(first, decide(first).changes).reservation
    assert decide(second_proof_facts(token=a_code(), reservation=waiting)).outcome is Outcome.ADMIT
