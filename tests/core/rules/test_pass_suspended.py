"""`pass_suspended`: the pass is suspended until somebody resumes it."""

import pytest

from app.core.model import PassStatus
from app.core.rules.pass_suspended import pass_suspended
from tests.core.facts import a_pass, facts


def test_every_token_of_a_suspended_pass_is_refused() -> None:
    assert pass_suspended.refuses(facts(pass_=a_pass(status=PassStatus.SUSPENDED)))


@pytest.mark.parametrize("status", [PassStatus.ACTIVE, PassStatus.REVOKED])
def test_no_other_status_is_this_rules_affair(status: PassStatus) -> None:
    assert not pass_suspended.refuses(facts(pass_=a_pass(status=status)))


def test_the_status_may_be_the_text_that_the_store_holds() -> None:
    assert pass_suspended.refuses(facts(pass_=a_pass(status="suspended")))


def test_it_says_nothing_of_what_is_not_there() -> None:
    assert not pass_suspended.refuses(facts(pass_=None))


def test_it_is_asked_offline_and_ends_a_repeat_window() -> None:
    assert (pass_suspended.code, pass_suspended.offline, pass_suspended.ends_repeat) == ("pass_suspended", True, True)
