"""Valid facts, passes, tokens and gates, each with whatever a test wants otherwise.

All of them fit together: `facts()` is an attempt that is admitted.
"""

from typing import Any

from app.core.model import (
    DAY,
    SECOND,
    AntiPassback,
    Budget,
    BudgetKey,
    Claims,
    Direction,
    Facts,
    Gate,
    Holder,
    Limits,
    Offline,
    OfflinePolicy,
    Pass,
    Presence,
    Reservation,
    Scope,
    Token,
    Use,
    Zone,
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
OTHER_PASS_ID, OTHER_TOKEN_ID, CARD_ID = (an_id(last) for last in range(7, 10))


def a_gate(**other: Any) -> Gate:
    """An entry into `hq`."""
    return Gate("main-door", Direction.ENTRY, into_zones=("hq",))._replace(**other)


def a_holder(**other: Any) -> Holder:
    return Holder(HOLDER_ID, "emp-1042", NUMBER)._replace(**other)


def a_pass(**other: Any) -> Pass:
    """For the gate `main-door`, with neither an end nor a limit."""
    return Pass(PASS_ID, IDX, a_holder(), Scope(gates=frozenset({"main-door"})))._replace(**other)


def a_limited_pass(**limits: Any) -> Pass:
    """A pass with these limits beyond `max_entries`."""
    return a_pass(limits=Limits(**limits))


def a_token(**other: Any) -> Token:
    """Issued ten seconds ago, good for a minute."""
    return Token(TOKEN_ID, "signed", NOW - 10 * SECOND, NOW + 50 * SECOND)._replace(**other)


def a_use(**other: Any) -> Use:
    """The first use of the token, a second ago at the same gate."""
    use = Use(1, EARLIER, NOW - SECOND, "main-door", CREDENTIAL, Direction.ENTRY, pass_=PASS_ID)
    return use._replace(**other)


def offline(**other: Any) -> Offline:
    """A bundle of a minute ago, good for four hours; every token that verifies is let in."""
    made = Offline(OfflinePolicy.ADMIT_AND_RECONCILE, NOW - 60 * SECOND, 4 * 3600 * SECOND, NOW - SECOND)
    return made._replace(**other)


def a_code(**other: Any) -> Token:
    """A code of the same holder, as it is stored."""
    return a_token(id=OTHER_TOKEN_ID, kind="code")._replace(**other)


def a_card(**other: Any) -> Token:
    """A card of the holder, as the store gives it: reusable, and without an end."""
    return Token(CARD_ID, "card", NOW - 90 * DAY, NOW + 3650 * DAY, reusable=True)._replace(**other)


def a_zone(**other: Any) -> Zone:
    """`hq`, whose people are counted: nobody is in it, and anybody may come in."""
    return Zone("hq", ("hq",))._replace(**other)


def a_hard_zone(**other: Any) -> Zone:
    """`hq` with hard anti-passback and one person in it."""
    return a_zone(people=1, anti_passback=AntiPassback.HARD)._replace(**other)


def a_presence(**other: Any) -> Presence:
    """One person, inside since an hour ago."""
    return Presence(1, NOW - 3600 * SECOND)._replace(**other)


def a_reservation(**other: Any) -> Reservation:
    """The first use of the holder's signed token, which waits for ten seconds more."""
    return Reservation(TOKEN_ID, 1, "signed", NOW + 10 * SECOND)._replace(**other)


def signed_claims(**other: Any) -> Claims:
    """What a signed token says."""
    return Claims("signed", (TOKEN_ID,), a_token(), IDX)._replace(**other)


def code_claims(**other: Any) -> Claims:
    """What a typed code says."""
    return Claims("code", (b"\x01" * 32,), number=NUMBER)._replace(**other)


def card_claims(**other: Any) -> Claims:
    """What a card says, whose text has not the look of a token of ours."""
    return Claims("card", (), cards=(b"\x02" * 32,), otherwise="unrecognised")._replace(**other)


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


def zone_facts(*zones: Zone, **other: Any) -> Facts:
    """An attempt at a gate around which the people in `zones` are counted; in `hq` alone without any."""
    return facts(zones={zone.id: zone for zone in zones or (a_zone(),)})._replace(**other)


def card_facts(**other: Any) -> Facts:
    """An attempt with a card of a holder who has one pass."""
    return facts(presented=card_claims(), token=a_card())._replace(**other)


TWO_PROOFS = a_gate(second_proof=30 * SECOND)


def first_proof_facts(**other: Any) -> Facts:
    """The first proof at a gate that wants two: a signed token."""
    return facts(gate=TWO_PROOFS)._replace(**other)


def second_proof_facts(**other: Any) -> Facts:
    """The second proof: a code of the holder whose signed token waits."""
    first = first_proof_facts(presented=code_claims(), token=a_code(), reservation=a_reservation())
    return first._replace(**other)
