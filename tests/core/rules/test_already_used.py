"""`already_used`: the token was good once, and has been used."""

from app.core.rules.already_used import already_used
from tests.core.facts import NOW, OTHER_TOKEN_ID, a_limited_pass, a_reservation, a_token, a_use, facts


def test_a_token_that_was_never_used_is_good() -> None:
    assert not already_used.refuses(facts(last_use=None))


def test_a_token_that_was_used_is_refused() -> None:
    assert already_used.refuses(facts(last_use=a_use()))


def test_a_use_that_was_given_back_does_not_count() -> None:
    assert not already_used.refuses(facts(last_use=a_use(voided=True, let_in=0)))


def test_a_use_that_was_given_back_does_not_undo_an_earlier_one() -> None:
    assert already_used.refuses(facts(last_use=a_use(number=2, voided=True, let_in=1)))


def test_a_token_for_a_party_is_used_when_all_of_it_are_in() -> None:
    assert not already_used.refuses(facts(pass_=a_limited_pass(party_size=3), last_use=a_use(let_in=2)))
    assert already_used.refuses(facts(pass_=a_limited_pass(party_size=3), last_use=a_use(let_in=3)))


WAITING = a_use(reserved_until=NOW + 1, let_in=0)


def test_a_first_proof_that_waits_at_another_gate_is_used() -> None:
    assert already_used.refuses(facts(last_use=WAITING))
    assert already_used.refuses(facts(last_use=WAITING, reservation=a_reservation(token=OTHER_TOKEN_ID, until=NOW + 1)))
    assert already_used.refuses(facts(last_use=WAITING, reservation=a_reservation(number=2, until=NOW + 1)))


def test_a_first_proof_that_waits_at_this_gate_is_not() -> None:
    assert not already_used.refuses(facts(last_use=WAITING, reservation=a_reservation(until=NOW + 1)))


def test_a_first_proof_is_good_again_from_the_very_microsecond_at_which_its_wait_ends() -> None:
    assert not already_used.refuses(facts(last_use=WAITING._replace(reserved_until=NOW)))


def test_a_first_proof_that_was_used_before_is_used_still_when_its_wait_ends() -> None:
    assert already_used.refuses(facts(last_use=WAITING._replace(reserved_until=NOW, let_in=1)))


def test_a_later_use_counts_again() -> None:
    assert already_used.refuses(facts(last_use=a_use(number=2)))


def test_a_reusable_token_is_good_again() -> None:
    assert not already_used.refuses(facts(token=a_token(reusable=True), last_use=a_use(number=70)))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not already_used.refuses(facts(token=None, last_use=a_use()))


def test_it_is_asked_offline_but_not_within_a_repeat_window() -> None:
    assert (already_used.code, already_used.offline, already_used.ends_repeat) == ("already_used", True, False)
