"""`pass_revoked`: the pass was taken back for good."""

import pytest

from app.core.model import PassStatus
from app.core.rules.pass_revoked import pass_revoked
from tests.core.facts import a_pass, facts


def test_every_token_of_a_revoked_pass_is_refused() -> None:
    assert pass_revoked.refuses(facts(pass_=a_pass(status=PassStatus.REVOKED)))


@pytest.mark.parametrize("status", [PassStatus.ACTIVE, PassStatus.SUSPENDED])
def test_no_other_status_is_this_rules_affair(status: PassStatus) -> None:
    assert not pass_revoked.refuses(facts(pass_=a_pass(status=status)))


def test_the_status_may_be_the_text_that_the_store_holds() -> None:
    assert pass_revoked.refuses(facts(pass_=a_pass(status="revoked")))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not pass_revoked.refuses(facts(pass_=None))


def test_it_is_asked_offline_and_ends_a_repeat_window() -> None:
    assert (pass_revoked.code, pass_revoked.offline, pass_revoked.ends_repeat) == ("pass_revoked", True, True)
