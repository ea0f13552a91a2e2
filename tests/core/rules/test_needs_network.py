"""`needs_network`: what proves the token is not in its text."""

from app.core.model import Claims, Refused
from app.core.rules.needs_network import needs_network
from tests.core.facts import card_claims, code_claims, facts, offline, signed_claims


def test_codes_and_cards_cannot_be_verified_without_the_network() -> None:
    for presented in (code_claims(), card_claims(), Claims("short", ())):
        assert needs_network.refuses(facts(offline=offline(), presented=presented, token=None, pass_=None))


def test_a_signed_token_can() -> None:
    assert not needs_network.refuses(facts(offline=offline(), presented=signed_claims()))


def test_what_is_no_token_has_its_own_reason() -> None:
    assert not needs_network.refuses(facts(offline=offline(), presented=Refused("malformed"), token=None))


def test_with_the_network_it_says_nothing() -> None:
    assert not needs_network.refuses(facts(presented=code_claims(), token=None))
