"""Cards that holders carry already: how they are read, and which of a holder's passes one stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.cards import BARCODE, NFC, canonical, card_hash, could_be_a_card, with_card
from app.core.changes import CountEntry, Redeem
from app.core.decision import Outcome, decide
from app.core.model import SECOND, Claims, Direction, Facts, Pass, PassStatus, Refused, Scope
from app.core.token_format import Keyring, Pepper
from tests.core.facts import (
    EARLIER,
    NOW,
    OTHER_PASS_ID,
    TENANT,
    a_card,
    a_gate,
    a_limited_pass,
    a_pass,
    a_use,
    an_id,
    card_facts,
    code_claims,
    signed_claims,
)

NEW, OLD = Pepper(2, b"\x02" * 32), Pepper(1, b"\x01" * 32)
KEYRING = Keyring({}, (NEW, OLD))


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["04A2B3C4", "04a2b3c4", "04:a2:b3:c4", "04-A2-B3-C4", "04 a2 b3 c4", "04:A2:b3:C4", "04a2:b3c4"]
)
def test_a_tag_has_one_spelling(text: str) -> None:
    assert canonical(text) == "04A2B3C4"


@pytest.mark.parametrize(
    "text", ["emp-1042", "04:a2:b3", "04a2b3c", "04_a2_b3_c4", "04::a2:b3:c4", "x4:a2:b3:c4", ":".join(["04"] * 17)]
)
def test_what_is_no_tag_stays_as_it_is(text: str) -> None:
    assert canonical(text) == text


@given(st.text(max_size=40))
def test_one_spelling_is_its_own(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize("text", ["1234", "x" * 128, "ID 1042/7", "gp-card"])
def test_these_could_be_cards(text: str) -> None:
    assert could_be_a_card(text)


@pytest.mark.parametrize("text", ["", "123", "x" * 129, "12\n34", "GP1:ABCD", "GP card", "12\x0034"])
def test_these_could_not(text: str) -> None:
    assert not could_be_a_card(text)


def hashes(*spelled: tuple[str, str]) -> tuple[bytes, ...]:
    """Of each kind and text, under each pepper."""
    return tuple(card_hash(kind, text, TENANT, pepper) for kind, text in spelled for pepper in (NEW, OLD))


def test_a_card_is_hashed_by_kind_text_tenant_and_pepper() -> None:
    card = (BARCODE, "04A2B3C4", TENANT, NEW)
    one = card_hash(*card)
    assert one == card_hash(*card)
    others = [
        (NFC, *card[1:]),
        (BARCODE, "04A2B3C5", TENANT, NEW),
        (BARCODE, "04A2B3C4", "other", NEW),
        (*card[:3], OLD),
    ]
    assert len({one, *(card_hash(*other) for other in others)}) == 5
    assert len(one) == 32


def test_a_tag_is_the_same_however_it_is_spelled_and_a_barcode_is_what_it_is_to_the_letter() -> None:
    assert hashes((NFC, "04:a2:b3:c4")) == hashes((NFC, "04A2B3C4"))
    assert hashes((BARCODE, "04a2b3c4")) != hashes((BARCODE, "04A2B3C4"))


@pytest.mark.parametrize("text", ["04:a2:b3:c4", "04A2B3C4"])
def test_what_may_be_a_tag_is_looked_for_as_a_barcode_too(text: str) -> None:
    presented = with_card(Refused("unrecognised"), text, TENANT, KEYRING)
    assert isinstance(presented, Claims)
    assert presented.cards == hashes((BARCODE, text), (NFC, "04A2B3C4"))


def test_what_is_no_token_may_be_a_card_and_otherwise_stays_what_it_was() -> None:
    presented = with_card(Refused("unrecognised"), "emp-1042", TENANT, KEYRING)
    assert presented == Claims("card", (), cards=hashes((BARCODE, "emp-1042")), otherwise="unrecognised")


def test_a_right_code_may_be_a_card_too() -> None:
    presented = with_card(code_claims(), "104283920170", TENANT, KEYRING)
    assert presented == code_claims(cards=hashes((BARCODE, "104283920170"), (NFC, "104283920170")))


def test_a_misspelt_code_may_be_a_card_too() -> None:
    presented = with_card(Refused("malformed"), "104283920171", TENANT, KEYRING)
    assert isinstance(presented, Claims)
    assert (presented.kind, presented.otherwise, presented.number) == ("card", "malformed", None)


@pytest.mark.parametrize("presented", [signed_claims(), Refused("malformed"), Refused("bad_signature")], ids=str)
def test_what_has_the_look_of_a_token_is_never_a_card(presented: Claims | Refused) -> None:
    assert with_card(presented, "GP1:ABCD", TENANT, KEYRING) == presented


def test_what_could_not_be_enrolled_is_never_a_card() -> None:
    assert with_card(Refused("unrecognised"), "123", TENANT, KEYRING) == Refused("unrecognised")
    assert with_card(code_claims(), "1\n", TENANT, KEYRING) == code_claims()


# --- a card that is not known -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["unrecognised", "malformed"])
def test_an_unknown_card_is_refused_as_what_it_would_be_without_cards(reason: str) -> None:
    nobodys = Claims("card", (), cards=(b"\x02" * 32,), otherwise=reason)
    decision = decide(card_facts(presented=nobodys, token=None, pass_=None))
    assert (decision.outcome, decision.reason, decision.changes) == (Outcome.DENY, reason, ())


def test_a_known_card_lets_in() -> None:
    assert decide(card_facts()).outcome is Outcome.ADMIT


# --- which of a holder's passes ---------------------------------------------------------------------------------------

HERE = a_pass(id=an_id(20), scope=Scope(every_gate=True))
ALSO_HERE = HERE._replace(id=an_id(21))
ELSEWHERE = a_pass(id=an_id(22), scope=Scope())
OVER = HERE._replace(id=an_id(23), valid_until=NOW)
REVOKED = HERE._replace(id=an_id(24), status=PassStatus.REVOKED)


def with_passes(first: Pass, *others: Pass) -> Facts:
    return card_facts(pass_=first, other_passes=others)


@pytest.mark.parametrize("passes", [(HERE, ELSEWHERE), (ELSEWHERE, HERE), (OVER, REVOKED, HERE, ELSEWHERE)])
def test_the_one_pass_that_is_good_counts(passes: tuple[Pass, ...]) -> None:
    decision = decide(with_passes(*passes))
    assert (decision.outcome, decision.pass_) == (Outcome.ADMIT, HERE)


def test_of_several_good_passes_none_counts() -> None:
    decision = decide(with_passes(HERE, ELSEWHERE, ALSO_HERE))
    assert (decision.outcome, decision.reason) == (Outcome.DENY, "ambiguous")
    assert (decision.pass_, decision.changes) == (None, ())


def test_nobody_admits_against_several_good_passes() -> None:
    assert decide(with_passes(HERE, ALSO_HERE)._replace(override=True)).reason == "ambiguous"


@pytest.mark.parametrize(
    ("passes", "reason", "furthest"),
    [
        ((REVOKED, OVER), "pass_expired", OVER),
        ((ELSEWHERE, OVER, REVOKED), "wrong_gate", ELSEWHERE),
        ((REVOKED, ALSO_HERE._replace(max_entries=0)), "no_entries_left", ALSO_HERE._replace(max_entries=0)),
    ],
)
def test_where_none_is_good_the_one_that_came_furthest_says_why(
    passes: tuple[Pass, ...], reason: str, furthest: Pass
) -> None:
    decision = decide(with_passes(*passes))
    assert (decision.outcome, decision.reason, decision.pass_) == (Outcome.DENY, reason, furthest)


def test_an_override_admits_on_the_pass_that_came_furthest() -> None:
    decision = decide(with_passes(REVOKED, ELSEWHERE, OVER)._replace(override=True))
    assert (decision.outcome, decision.overridden, decision.pass_) == (Outcome.ADMIT, "wrong_gate", ELSEWHERE)


def test_on_the_way_out_several_good_passes_are_as_good_as_one() -> None:
    decision = decide(with_passes(HERE, ALSO_HERE)._replace(exit_side=True, direction=Direction.EXIT))
    assert (decision.outcome, decision.flags) == (Outcome.ADMIT, ())


def test_going_out_at_a_gate_for_both_several_good_passes_are_as_good_as_one() -> None:
    seen = with_passes(HERE, ALSO_HERE)._replace(gate=a_gate(direction=Direction.BOTH))
    assert decide(seen).reason == "ambiguous"
    decision = decide(seen._replace(direction=Direction.EXIT))
    assert (decision.outcome, decision.flags, decision.pass_) == (Outcome.ADMIT, (), HERE)


def test_the_entry_is_counted_on_the_pass_that_was_good() -> None:
    limited = a_limited_pass(party_size=2)._replace(id=OTHER_PASS_ID, scope=HERE.scope, max_entries=5, entries=2)
    decision = decide(with_passes(ELSEWHERE._replace(max_entries=5), limited))
    assert [change for change in decision.changes if isinstance(change, CountEntry)] == [
        CountEntry(OTHER_PASS_ID, 3, 1)
    ]


POLLED = a_gate(repeat_window=5 * SECOND)
LET_IN = a_use(number=3, at=NOW - SECOND, pass_=HERE.id)


def test_a_card_that_was_let_in_a_moment_ago_is_not_ambiguous_though_its_other_passes_are_not_asked_again() -> None:
    decision = decide(with_passes(ELSEWHERE, ALSO_HERE, HERE)._replace(gate=POLLED, last_use=LET_IN))
    assert (decision.outcome, decision.repeats, decision.pass_) == (Outcome.ADMIT, EARLIER, HERE)


def test_a_card_that_was_let_in_a_moment_ago_is_let_in_again_though_the_pass_is_used_up() -> None:
    used_up = HERE._replace(max_entries=1, entries=1)
    decision = decide(with_passes(ELSEWHERE, used_up, REVOKED)._replace(gate=POLLED, last_use=LET_IN))
    assert (decision.outcome, decision.repeats, decision.pass_) == (Outcome.ADMIT, EARLIER, used_up)


def test_a_card_whose_passes_are_all_revoked_is_not_let_in_again() -> None:
    gone = REVOKED._replace(id=an_id(25))
    let_in = LET_IN._replace(pass_=gone.id)
    assert decide(with_passes(REVOKED, gone)._replace(gate=POLLED, last_use=let_in)).reason == "pass_revoked"


@pytest.mark.parametrize(("other", "reason"), [(OVER, "pass_expired"), (ELSEWHERE, "wrong_gate")])
@pytest.mark.parametrize("status", [PassStatus.REVOKED, PassStatus.SUSPENDED])
def test_a_pass_that_let_in_a_moment_ago_and_was_taken_away_since_lets_nobody_in_by_another_that_is_not_good(
    status: PassStatus, other: Pass, reason: str
) -> None:
    taken = HERE._replace(status=status)
    for passes in ((taken, other), (other, taken)):
        decision = decide(with_passes(*passes)._replace(gate=POLLED, last_use=LET_IN))
        assert (decision.outcome, decision.reason, decision.pass_) == (Outcome.DENY, reason, other)
        assert (decision.repeats, decision.changes) == (None, ())


def test_a_pass_that_was_taken_away_since_stands_in_the_way_of_no_good_one() -> None:
    taken = HERE._replace(status=PassStatus.REVOKED)
    decision = decide(with_passes(taken, ALSO_HERE)._replace(gate=POLLED, last_use=LET_IN))
    assert (decision.outcome, decision.repeats, decision.pass_) == (Outcome.ADMIT, None, ALSO_HERE)


def test_the_other_pass_lets_in_anew_where_the_one_of_a_moment_ago_is_no_longer_there() -> None:
    decision = decide(with_passes(ALSO_HERE)._replace(gate=POLLED, last_use=LET_IN))
    assert (decision.outcome, decision.repeats) == (Outcome.ADMIT, None)
    assert [change.use.pass_ for change in decision.changes if isinstance(change, Redeem)] == [ALSO_HERE.id]


def test_a_blocked_card_is_blocked_whatever_its_passes_are() -> None:
    decision = decide(with_passes(HERE, ALSO_HERE)._replace(token=a_card(blocked=True)))
    assert decision.reason == "token_blocked"
