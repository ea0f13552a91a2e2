"""Valid facts, passes, tokens and gates, each with whatever a test wants otherwise.

All of them fit together: `facts()` is an attempt that is admitted.
"""

from typing import Any

from app.core.model import (
    DAY,
    SECOND,
    Budget,
    BudgetKey,
    Claims,
    Direction,
    Facts,
    Gate,
    Holder,
    Pass,
    Scope,
    Token,
    Use,
)

NOW = 1_795_339_800 * SECOND
"""2026-11-22T09:30:00Z."""

TODAY = NOW // DAY
TENANT = "default"
NUMBER = 1042
IDX = 4711


def an_id(last: int) -> bytes:
    """A UUIDv7 that ends in `last`."""
    return bytes.fromhex("019aa97d2bc0700080000000") + last.to_bytes(4, "big")


HOLDER_ID, PASS_ID, TOKEN_ID, VERIFICATION, EARLIER, CREDENTIAL = (an_id(last) for last in range(1, 7))


def a_gate(**other: Any) -> Gate:
    """An entry into `hq`."""
    return Gate("main-door", Direction.ENTRY, into_zones=("hq",))._replace(**other)


def a_holder(**other: Any) -> Holder:
    return Holder(HOLDER_ID, "emp-1042", NUMBER)._replace(**other)


def a_pass(**other: Any) -> Pass:
    """For the gate `main-door`, with neither an end nor a limit."""
    return Pass(PASS_ID, IDX, a_holder(), Scope(gates=frozenset({"main-door"})))._replace(**other)


def a_token(**other: Any) -> Token:
    """Issued ten seconds ago, good for a minute."""
    return Token(TOKEN_ID, "signed", NOW - 10 * SECOND, NOW + 50 * SECOND)._replace(**other)


def a_use(**other: Any) -> Use:
    """The first use of the token, a second ago at the same gate."""
    return Use(1, EARLIER, NOW - SECOND, "main-door", CREDENTIAL, Direction.ENTRY)._replace(**other)


def signed_claims(**other: Any) -> Claims:
    """What a signed token says."""
    return Claims("signed", (TOKEN_ID,), a_token(), IDX)._replace(**other)


def code_claims(**other: Any) -> Claims:
    """What a typed code says."""
    return Claims("code", (b"\x01" * 32,), number=NUMBER)._replace(**other)


def facts(**other: Any) -> Facts:
    """An attempt with a signed token that is admitted."""
    good = Facts(
        now=NOW,
        today=TODAY,
        epoch=0,
        gate=a_gate(),
        direction=Direction.ENTRY,
        exit_side=False,
        credential=CREDENTIAL,
        verification=VERIFICATION,
        presented=signed_claims(),
        token=a_token(),
        pass_=a_pass(),
    )
    return good._replace(**other)


NUMBER_BUDGET = BudgetKey(TENANT, "number", str(NUMBER))
GATE_BUDGET = BudgetKey(TENANT, "gate", "main-door")


def wrong_code_facts(**other: Any) -> Facts:
    """An attempt with a code that nobody was given, the first today."""
    budgets = {NUMBER_BUDGET: Budget(), GATE_BUDGET: Budget()}
    return facts(presented=code_claims(), token=None, pass_=None, budgets=budgets)._replace(**other)
