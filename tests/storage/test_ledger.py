"""The ledger: a batch is decided as its attempts would be one by one, and the unique redemption is the arbiter."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from app.core.decision import Outcome, decide
from app.core.model import SECOND, Claims, Direction, Refused
from app.effects.calendar import ZoneInfoCalendar
from app.storage.attempt import Attempt, Settled, Unsettled
from app.storage.facts import FactsLoader
from app.storage.failures import Conflict
from app.storage.recorder import Decided, Recorder
from app.storage.tables import budgets, passes, redemptions, request_ids, tokens, verifications
from tests.storage.conftest import Settle, build, settler_of
from tests.storage.database import Database
from tests.storage.world import DESK, NOW, TODAY, World, an_id, wrong_code

COUNT = 256


def in_batches(attempts: Sequence[Attempt], size: int) -> Iterator[Sequence[Attempt]]:
    for start in range(0, len(attempts), size):
        yield attempts[start : start + size]


def written(database: Database, table: Table, tenant: str) -> list[tuple[Any, ...]]:
    """A table's rows for a tenant, less what numbers them within the database, and what is written once a batch."""
    columns = [column for column in table.c if column.key not in ("tenant", "seq", "xact", "replays")]
    return sorted(database.rows(select(*columns).where(table.c.tenant == tenant)), key=repr)


def reasons(results: Sequence[Settled | Unsettled]) -> list[str]:
    return [result.reason if isinstance(result, Settled) else result.mistake for result in results]


@pytest.mark.parametrize("seed", [1, 2])
def test_attempts_are_decided_alike_however_they_are_batched(database: Database, seed: int) -> None:
    settle = settler_of(database)
    outcomes, tables = [], []
    for size in (1, 2, 64, 128):
        tenant = f"batches-of-{size}"
        world = build(database, tenant)
        attempts = list(world.random_attempts(random.Random(seed), COUNT))
        outcomes.append([result for batch in in_batches(attempts, size) for result in settle(batch)])
        tables.append(
            [
                written(database, table, tenant)
                for table in (verifications, redemptions, request_ids, budgets, passes, tokens)
            ]
        )
    for size, settled, rows in zip((2, 64, 128), outcomes[1:], tables[1:], strict=True):
        assert settled == outcomes[0], f"batches of {size} were decided otherwise"
        assert rows == tables[0], f"batches of {size} were written otherwise"
    common = Counter(reasons(outcomes[0]))
    for reason in ("ok", "already_used", "no_entries_left", "unknown", "throttled", "pass_suspended", "pass_expired"):
        assert common[reason] > 0, f"the day had no {reason}"
    for mistake in ("no_such_gate", "direction_needed", "request_id_reused"):
        assert common[mistake] > 0, f"the day had no {mistake}"
    assert {result.repeated for result in outcomes[0] if isinstance(result, Settled)} == {None, "window", "request_id"}


def test_what_is_written_adds_up(database: Database) -> None:
    settle, world = settler_of(database), build(database, "acme")
    attempts = list(world.random_attempts(random.Random(3), COUNT))
    results = [result for batch in in_batches(attempts, 64) for result in settle(batch)]
    fresh = [result for result in results if isinstance(result, Settled) and result.repeated is None]
    admitted = [result for result in fresh if result.outcome == Outcome.ADMIT and result.direction == Direction.ENTRY]

    recorded = database.rows(
        select(verifications.c.id, verifications.c.decision, verifications.c.reason).order_by(verifications.c.seq)
    )
    assert recorded == [(result.verification, result.outcome, result.reason) for result in fresh]

    uses = Counter(database.column(select(redemptions.c.token).where(redemptions.c.direction == "entry")))
    assert uses.total() == len(admitted)
    for id_, reusable in database.rows(select(tokens.c.id, tokens.c.reusable)):
        assert reusable or uses[id_] <= 1
    for id_, most, entries in database.rows(select(passes.c.id, passes.c.max_entries, passes.c.entries)):
        used = sum(uses[token] for token in database.column(select(tokens.c.id).where(tokens.c.pass_ == id_)))
        assert entries == (used if most is not None else 0)
        assert most is None or entries <= most


def test_of_many_who_show_one_token_the_first_is_admitted(settle: Settle, world: World) -> None:
    token = world.tokens[0]
    results = settle([world.attempt(token.presented, now=NOW + n) for n in range(8)])
    assert reasons(results) == ["ok"] + ["already_used"] * 7


def test_a_badge_admits_as_often_as_its_pass_says_and_in_order_of_arrival(settle: Settle, world: World) -> None:
    badge = next(token for token in world.tokens[4:8] if token.presented.token and token.presented.token.reusable)
    results = settle([world.attempt(badge.presented, now=NOW + n) for n in range(5)])
    assert reasons(results) == ["ok", "ok", "ok", "no_entries_left", "no_entries_left"]


def test_a_badge_of_a_pass_without_limit_is_used_again_and_again(
    database: Database, settle: Settle, world: World
) -> None:
    badge = world.tokens[3]
    for size in (1, 5, 64):
        assert reasons(settle([world.attempt(badge.presented) for _ in range(size)])) == ["ok"] * size
    numbers = database.column(select(redemptions.c.use_no).order_by(redemptions.c.use_no))
    assert numbers == list(range(1, 71))


def test_every_token_of_a_pass_counts_on_its_one_limit(database: Database, settle: Settle, world: World) -> None:
    of_the_pass = world.tokens[4:8]
    results = settle([world.attempt(token.presented) for token in of_the_pass])
    assert reasons(results) == ["ok", "ok", "ok", "no_entries_left"]
    assert database.value(select(passes.c.entries).where(passes.c.id == an_id("pass", 1))) == 3


def test_verifications_are_numbered_in_order_of_arrival(database: Database, settle: Settle, world: World) -> None:
    attempts = [world.attempt(token.presented, now=NOW + n) for n, token in enumerate(world.tokens)]
    backwards = list(reversed(attempts))
    settle(backwards[:10])
    settle(backwards[10:])
    numbered = database.rows(select(verifications.c.seq, verifications.c.id).order_by(verifications.c.seq))
    assert [id_ for _, id_ in numbered] == [attempt.verification for attempt in backwards]
    assert len({seq for seq, _ in numbered}) == len(attempts)


def test_a_ledger_goes_on_counting_where_the_last_one_stopped(database: Database, world: World) -> None:
    for _ in range(3):
        settler_of(database)([world.attempt(Refused("malformed")), world.attempt(Refused("malformed"))])
    numbered = database.column(select(verifications.c.seq).order_by(verifications.c.at, verifications.c.id))
    assert numbered == sorted(set(numbered))
    assert len(numbered) == 6


def test_a_use_that_another_process_redeemed_first_is_a_conflict(database: Database, world: World) -> None:
    token = world.tokens[0]
    loader, recorder = FactsLoader(database.engine, ZoneInfoCalendar()), Recorder(database.engine)
    decided = []
    for seq in (1, 2):
        attempt = world.attempt(token.presented)
        with database.connections.connect() as connection:
            [facts] = loader.load(connection, [attempt])
        assert facts is not None
        assert decide(facts).outcome == Outcome.ADMIT
        decided.append(Decided(attempt, facts, decide(facts), seq))
    first, second = decided
    with database.writing() as connection:
        recorder.write(connection, [first])
    with pytest.raises(Conflict), database.connections.begin() as connection:
        recorder.write(connection, [second])
    assert database.column(select(redemptions.c.verification)) == [first.attempt.verification]
    assert database.column(select(verifications.c.id)) == [first.attempt.verification]


def test_a_request_id_that_another_process_kept_first_is_a_conflict(database: Database, world: World) -> None:
    with database.writing() as connection:
        connection.execute(
            request_ids.insert().values(
                tenant="acme",
                credential=DESK,
                request_id="r1",
                verification=an_id("verify", 900),
                content=b"another",
                at=NOW,
                replays=0,
            )
        )
    # The verification that it names is not there yet, so that the first answer is not found, as it is not while the
    # other process has not committed.
    with pytest.raises(Conflict):
        settler_of(database)([world.attempt(world.tokens[0].presented, credential=DESK, request_id="r1")])
    assert database.rows(select(redemptions.c.token)) == []


def test_a_retry_in_the_same_batch_gets_the_first_answer(database: Database, settle: Settle, world: World) -> None:
    token = world.tokens[0]
    first, again, later = settle([world.attempt(token.presented, request_id="r1", now=NOW + n) for n in range(3)])
    [across] = settle([world.attempt(token.presented, request_id="r1", now=NOW + 9)])
    assert isinstance(first, Settled)
    assert (first.reason, first.repeated) == ("ok", None)
    assert again == later == across == first._replace(repeated="request_id")
    assert database.column(select(request_ids.c.replays)) == [2]  # one small write for each batch
    assert database.column(select(func.count()).select_from(verifications)) == [1]


def test_other_content_under_a_request_id_is_refused_in_the_batch_and_across(settle: Settle, world: World) -> None:
    one, other = world.tokens[0], world.tokens[1]
    assert reasons(
        settle([world.attempt(one.presented, request_id="r1"), world.attempt(other.presented, request_id="r1")])
    ) == ["ok", "request_id_reused"]
    assert reasons(
        settle(
            [
                world.attempt(one.presented, "side", request_id="r1"),
                world.attempt(one.presented, "hall", request_id="r1", direction=Direction.ENTRY),
                world.attempt(other.presented),
            ]
        )
    ) == ["request_id_reused", "request_id_reused", "ok"]


def test_a_mistake_keeps_no_request_id(settle: Settle, world: World) -> None:
    token = world.tokens[0]
    assert reasons(settle([world.attempt(token.presented, "nowhere", request_id="r1")])) == ["no_such_gate"]
    assert reasons(settle([world.attempt(token.presented, "hall", request_id="r1")])) == ["direction_needed"]
    assert reasons(settle([world.attempt(token.presented, request_id="r1")])) == ["ok"]


def test_a_window_repeat_is_answered_again_without_a_second_verification(
    database: Database, settle: Settle, world: World
) -> None:
    token = world.tokens[0]
    times = (NOW, NOW + SECOND, NOW + 5 * SECOND - 1)
    first, *repeats = [settle([world.attempt(token.presented, "camera", now=now)])[0] for now in times]
    assert isinstance(first, Settled)
    assert repeats == [first._replace(repeated="window")] * 2
    [too_late] = settle([world.attempt(token.presented, "camera", now=NOW + 5 * SECOND)])
    assert reasons([too_late]) == ["already_used"]
    assert database.column(select(redemptions.c.repeats)) == [2]
    assert len(database.rows(select(verifications.c.id))) == 2


def test_wrong_codes_in_one_batch_spend_the_budget_exactly(database: Database, settle: Settle, world: World) -> None:
    right = next(token for token in world.tokens if token.presented.kind == "code")
    assert right.presented.number == 1000
    guesses = [world.attempt(wrong_code(1000, n)) for n in range(14)]
    results = settle([*guesses, world.attempt(right.presented)])
    assert reasons(results) == ["unknown"] * 10 + ["throttled"] * 5
    spent = {
        tuple(row[:2]): row[2:]
        for row in database.rows(select(budgets.c.kind, budgets.c.name, budgets.c.day, budgets.c.spent))
    }
    assert spent == {("number", "1000"): (TODAY, 10), ("gate", "door"): (TODAY, 10)}


def test_an_unknown_number_and_a_known_one_are_settled_alike(settle: Settle, world: World) -> None:
    known, unknown = settle([world.attempt(wrong_code(1000, 1)), world.attempt(wrong_code(987_654, 1))])
    assert isinstance(known, Settled)
    assert isinstance(unknown, Settled)
    assert known._replace(verification=b"") == unknown._replace(verification=b"")
    assert (known.reason, known.pass_, known.ref, known.name) == ("unknown", None, None, None)


def test_a_token_is_found_under_any_live_pepper(settle: Settle, world: World) -> None:
    short = world.tokens[1].presented
    two_peppers = short._replace(lookups=(b"a hash under the newer pepper", *short.lookups))
    mixed = [
        world.attempt(Claims("short", (b"neither", b"nor"))),
        world.attempt(two_peppers),
        world.attempt(Refused("malformed")),
    ]
    assert reasons(settle(mixed)) == ["unknown", "ok", "malformed"]


def test_another_tenants_tokens_and_gates_are_not_there(database: Database, settle: Settle, world: World) -> None:
    stranger = build(database, "umbrella")
    with database.writing() as connection:
        connection.execute(tokens.delete().where(tokens.c.tenant == "umbrella"))
        connection.execute(redemptions.delete())
    shown = stranger.attempt(world.tokens[0].presented)
    assert reasons(settle([shown, world.attempt(world.tokens[0].presented)])) == ["unknown", "ok"]
    assert reasons(settle([world.attempt(world.tokens[1].presented)._replace(tenant="nobody")])) == ["no_such_gate"]
