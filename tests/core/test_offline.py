"""Facts for a verifier without the network."""

from typing import Any

import pytest

from app.core.bundle import Bundle, BundlePass, Manifest, chunk_hash, pack_passes, pack_refused, pack_statuses
from app.core.decision import Outcome, decide
from app.core.model import SECOND, Claims, Direction, Facts, Gate, OfflinePolicy, Refused
from app.core.offline import offline_facts
from tests.core.facts import CREDENTIAL, IDX, NOW, TENANT, TOKEN_ID, VERIFICATION, a_token, a_use, signed_claims

HOUR = 3600 * SECOND


def a_bundle(
    *passes: BundlePass, statuses: dict[int, int] | None = None, refused: tuple[bytes, ...] = (), **other: Any
) -> Bundle:
    """A bundle of a minute ago, for the gate `main-door`."""
    chunks = [pack_passes(passes)] if passes else []
    status = pack_statuses(statuses) if statuses else None
    taken_back = pack_refused(refused) if refused else None
    manifest = Manifest(
        tenant=TENANT,
        seq=NOW - 60 * SECOND,
        max_stale=4 * HOUR,
        epoch=0,
        keys={},
        gate=Gate("main-door", Direction.ENTRY),
        offline=OfflinePolicy.ADMIT_AND_RECONCILE,
        schedules=(),
        passes={IDX // 1024: chunk_hash(chunks[0])} if chunks else {},
        statuses={IDX // 65536: chunk_hash(status)} if status else {},
        refused=chunk_hash(taken_back) if taken_back else None,
    )._replace(**other)
    every = [*chunks, *(chunk for chunk in (status, taken_back) if chunk)]
    return Bundle(manifest, {chunk_hash(chunk): chunk for chunk in every})


def claims() -> Claims:
    return signed_claims()._replace(token=a_token(), idx=IDX)


def seen(bundle: Bundle, **other: Any) -> Facts:
    presented = other.pop("presented", claims())
    usual: dict[str, Any] = {"now": NOW, "direction": None, "exit_bound": False, "last_use": None, "entries_since": 0}
    usual |= {"last_good": NOW, "credential": CREDENTIAL, "verification": VERIFICATION}
    return offline_facts(bundle, presented, **usual | other)


MINE = BundlePass(IDX, None, None, None, 1, None, 0)


def test_a_pass_that_is_in_the_bundle_is_let_in() -> None:
    assert decide(seen(a_bundle(MINE))).outcome is Outcome.ADMIT


def test_a_pass_that_is_not_is_unknown() -> None:
    assert decide(seen(a_bundle())).reason == "unknown"


@pytest.mark.parametrize(("status", "reason"), [(1, "pass_revoked"), (2, "pass_suspended"), (3, "holder_blocked")])
def test_the_status_list_says_what_was_said_of_a_pass(status: int, reason: str) -> None:
    bundle = a_bundle(MINE, statuses={IDX % 65536: status})
    assert decide(seen(bundle)).reason == reason


def test_a_revoked_pass_is_revoked_though_it_is_in_no_block_any_more() -> None:
    assert decide(seen(a_bundle(statuses={IDX % 65536: 1}))).reason == "pass_revoked"


def test_a_token_that_was_taken_back_by_itself_is_refused() -> None:
    assert decide(seen(a_bundle(MINE, refused=(TOKEN_ID,)))).reason == "token_revoked"


def test_a_token_that_was_used_here_is_refused() -> None:
    assert decide(seen(a_bundle(MINE), last_use=a_use())).reason == "already_used"


def test_entries_since_the_bundle_was_made_are_counted_to_those_before() -> None:
    limited = a_bundle(MINE._replace(max_entries=3, entries=1))
    assert decide(seen(limited, entries_since=1)).outcome is Outcome.ADMIT
    assert decide(seen(limited, entries_since=2)).reason == "no_entries_left"


def test_a_token_of_an_older_epoch_is_refused() -> None:
    assert decide(seen(a_bundle(MINE, epoch=1))).reason == "token_revoked"


def test_a_bundle_that_is_too_old_lets_nobody_in_but_everybody_out() -> None:
    old = {"seq": NOW - 4 * HOUR}
    assert decide(seen(a_bundle(MINE, **old))).reason == "stale_bundle"
    out = decide(seen(a_bundle(MINE, **old, gate=Gate("main-door", Direction.EXIT))))
    assert (out.outcome, out.flags) == (Outcome.ADMIT, ("stale_bundle",))


def test_codes_need_the_network() -> None:
    assert decide(seen(a_bundle(MINE), presented=Claims("code", ()))).reason == "needs_network"


def test_what_is_no_token_is_refused_as_what_it_is() -> None:
    assert decide(seen(a_bundle(MINE), presented=Refused("malformed"))).reason == "malformed"


def test_at_a_gate_for_both_directions_one_has_to_be_said() -> None:
    both = a_bundle(MINE, gate=Gate("main-door", Direction.BOTH))
    with pytest.raises(ValueError, match="entry or exit"):
        seen(both)
    assert decide(seen(both, direction=Direction.ENTRY)).outcome is Outcome.ADMIT


def test_bound_to_the_exit_side_nobody_is_held_back() -> None:
    both = a_bundle(gate=Gate("main-door", Direction.BOTH))
    assert decide(seen(both, exit_bound=True)).outcome is Outcome.ADMIT
