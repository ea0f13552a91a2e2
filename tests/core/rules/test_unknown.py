"""`unknown`: well-formed, but not issued here."""

from app.core.rules.unknown import unknown
from tests.core.facts import IDX, a_pass, card_facts, code_claims, facts, signed_claims, wrong_code_facts


def test_a_token_that_the_store_holds_for_the_signed_pass_is_known() -> None:
    assert not unknown.refuses(facts())


def test_a_token_that_the_store_does_not_hold_is_unknown() -> None:
    assert unknown.refuses(facts(token=None, pass_=None))
    assert unknown.refuses(facts(token=None))


def test_a_token_without_its_pass_is_unknown() -> None:
    assert unknown.refuses(facts(pass_=None))


def test_a_token_signed_for_another_pass_than_the_stored_one_is_unknown() -> None:
    assert unknown.refuses(facts(presented=signed_claims(idx=IDX + 1)))
    assert unknown.refuses(facts(pass_=a_pass(idx=IDX - 1)))
    assert unknown.refuses(facts(presented=signed_claims(idx=0)))


def test_a_wrong_code_is_unknown() -> None:
    assert unknown.refuses(wrong_code_facts())


def test_a_right_code_is_known_though_it_names_no_place() -> None:
    assert not unknown.refuses(facts(presented=code_claims()))


def test_a_card_whose_holder_has_no_pass_is_unknown() -> None:
    assert unknown.refuses(card_facts(pass_=None))
    assert not unknown.refuses(card_facts())


def test_it_ends_a_repeat_window_and_nobody_admits_against_it() -> None:
    assert (unknown.code, unknown.offline, unknown.ends_repeat, unknown.overridable) == ("unknown", True, True, False)
