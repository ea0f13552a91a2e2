"""`throttled`: guesses are counted for each holder number and each gate."""

import re
import sys

import pytest

from app.core.model import DAY, SECOND, Budget, Facts
from app.core.rule import Need
from app.core.rules.throttled import LIMITS, PER_GATE, PER_NUMBER, TRICKLE, throttled
from app.core.tokens.code import CODES
from tests.core.facts import (
    GATE_BUDGET,
    NOW,
    NUMBER_BUDGET,
    TODAY,
    a_card,
    a_code,
    code_claims,
    facts,
    wrong_code_facts,
)

LONG_AGO = NOW - 23 * 3600 * SECOND


def with_number(budget: Budget) -> Facts:
    return wrong_code_facts(budgets={NUMBER_BUDGET: budget, GATE_BUDGET: Budget()})


def with_gate(budget: Budget) -> Facts:
    return wrong_code_facts(budgets={NUMBER_BUDGET: Budget(), GATE_BUDGET: budget})


def test_the_first_guess_is_not_throttled() -> None:
    assert not throttled.refuses(wrong_code_facts())


def test_a_token_that_draws_on_no_budget_is_not_throttled() -> None:
    assert not throttled.refuses(wrong_code_facts(budgets={}))


def test_a_card_whose_number_looks_like_a_code_is_not_throttled() -> None:
    spent = Budget(TODAY, 10, NOW - 1)
    seen = facts(presented=code_claims(), token=a_card(), budgets={NUMBER_BUDGET: spent})
    assert not throttled.refuses(seen)
    assert throttled.refuses(seen._replace(token=a_code()))


def test_the_tenth_guess_for_a_number_may_be_made_and_the_eleventh_not() -> None:
    assert not throttled.refuses(with_number(Budget(TODAY, 9, NOW - 1)))
    assert throttled.refuses(with_number(Budget(TODAY, 10, NOW - 1)))
    assert throttled.refuses(with_number(Budget(TODAY, 11, NOW - 1)))


def test_a_number_stays_throttled_for_the_whole_day() -> None:
    assert throttled.refuses(with_number(Budget(TODAY, 10, LONG_AGO)))


def test_a_number_may_be_guessed_at_again_on_the_next_day() -> None:
    assert not throttled.refuses(with_number(Budget(TODAY - 1, 10, NOW - 1)))


def test_the_hundredth_guess_at_a_gate_may_be_made_and_the_next_not() -> None:
    assert not throttled.refuses(with_gate(Budget(TODAY, 99, NOW - 1)))
    assert throttled.refuses(with_gate(Budget(TODAY, 100, NOW - 1)))


def test_a_spent_gate_lets_one_guess_through_every_ten_minutes_to_the_microsecond() -> None:
    assert throttled.refuses(with_gate(Budget(TODAY, 150, NOW - TRICKLE + 1)))
    assert not throttled.refuses(with_gate(Budget(TODAY, 150, NOW - TRICKLE)))


def test_a_clock_set_back_does_not_open_a_spent_gate() -> None:
    assert throttled.refuses(with_gate(Budget(TODAY, 100, NOW + DAY)))


def test_a_gate_is_not_throttled_by_yesterday() -> None:
    assert not throttled.refuses(with_gate(Budget(TODAY - 1, 244, NOW - 1)))


def test_it_needs_the_budgets_and_is_not_asked_offline_nor_within_a_repeat_window() -> None:
    assert throttled == throttled._replace(
        code="throttled", needs=frozenset({Need.BUDGETS}), offline=False, ends_repeat=False, overridable=False
    )


def test_the_arithmetic_of_the_docstring() -> None:
    assert (PER_NUMBER, PER_GATE, TRICKLE, CODES) == (10, 100, 600 * SECOND, 10_000_000)
    assert LIMITS == {"number": PER_NUMBER, "gate": PER_GATE}
    trickled = DAY // TRICKLE
    assert trickled == 144
    assert PER_NUMBER / CODES <= 1e-6
    assert (PER_GATE + trickled) / CODES == pytest.approx(2.44e-5)
    assert (PER_GATE + trickled) / CODES < 3e-5


def test_the_docstring_gives_these_numbers() -> None:
    text = re.sub(r"\s+", " ", sys.modules["app.core.rules.throttled"].__doc__ or "")
    for said in (
        "10 guesses a day, hence at most 10 * 1e-7 = 1e-6 a day",
        "100 guesses, then one in `TRICKLE` = ten minutes, at most 144 more in a day",
        "244 * 1e-7 = 2.44e-5 a day, under 3e-5",
        "at most a tenth of a gate's budget",
    ):
        assert said in text
    assert PER_NUMBER * 10 <= PER_GATE
