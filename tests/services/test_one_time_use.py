"""A token admits once: in one process under load, and over processes that know nothing of one another."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.core.tokens.code import CODE
from app.storage.tables import budgets, passes, redemptions, verifications
from tests.conftest import make_settings
from tests.service import Service, running_service
from tests.services.serving import callers, served
from tests.storage.conftest import opened


async def many_tokens(
    service: Service, count: int, *, kinds: tuple[str, ...] = ("signed", "short"), passes: int = 4
) -> list[str]:
    """The texts of tokens of a few passes."""
    of = [await service.pass_(f"emp-{n}") for n in range(passes)]
    issued = await asyncio.gather(
        *(service.token(of[n % passes], kinds[n % len(kinds)], ttl_s=600) for n in range(count))
    )
    return [token["token"] for token in issued]


def decisions(answers: list[dict[str, str]]) -> Counter[tuple[str, str]]:
    return Counter((answer["decision"], answer["reason"]) for answer in answers)


async def test_every_token_admits_exactly_one_of_eight_who_show_it_at_once(service: Service, database_url: str) -> None:
    await service.gate()
    texts = await many_tokens(service, 200)
    answers = await asyncio.gather(*(service.verify(text) for text in texts for _ in range(8)))
    for n in range(len(texts)):
        assert decisions(answers[n * 8 : n * 8 + 8]) == {("admit", "ok"): 1, ("deny", "already_used"): 7}
    with opened(database_url) as database:
        assert database.value(select(func.count()).select_from(redemptions)) == 200
        assert database.value(select(func.count()).select_from(verifications)) == 1600


async def test_a_holders_code_admits_exactly_one_of_sixteen(service: Service) -> None:
    await service.gate()
    code = await service.token(await service.pass_(), "code")
    answers = await asyncio.gather(*(service.verify(code["token"]) for _ in range(16)))
    assert decisions(answers) == {("admit", "ok"): 1, ("deny", "already_used"): 15}


async def test_two_processes_admit_each_token_once_and_a_pass_as_often_as_it_says(
    postgresql_url: str, tmp_path: Path
) -> None:
    async with running_service(make_settings(postgresql_url)) as service:
        await service.gate()
        texts = await many_tokens(service, 300)
        ten = await service.pass_("ten-times", max_entries=10)
        of_ten = [(await service.token(ten, kind))["token"] for kind in ("signed", "short") * 20]
        guessed = await service.token(await service.pass_("guessed"), "code", ttl_s=600)
        holder = (await service.call("GET", "/v1/holders?ref=guessed")).json()["items"][0]
        with served(postgresql_url, tmp_path, workers=2) as serving:
            async with callers(serving.url, service.key) as at_gates:
                shown = [{"token": text, "gate": "main-door"} for text in texts for _ in range(4)]
                answers = [answer for answer in await at_gates.verify_all(shown) if answer is not None]
                assert decisions(answers) == {("admit", "ok"): 300, ("deny", "already_used"): 900}
                assert len({answer["pass"] for answer in answers}) == 4

                answers = [
                    answer
                    for answer in await at_gates.verify_all([{"token": text, "gate": "main-door"} for text in of_ten])
                    if answer is not None
                ]
                assert decisions(answers) == {("admit", "ok"): 10, ("deny", "no_entries_left"): 30}

                guesses = [{"token": each, "gate": "main-door"} for each in wrong_codes(guessed["token"], 40)]
                answers = [answer for answer in await at_gates.verify_all(guesses) if answer is not None]
                assert decisions(answers) == {("deny", "unknown"): 10, ("deny", "throttled"): 30}
                [right] = await at_gates.verify_all([{"token": guessed["token"], "gate": "main-door"}])
                assert right is not None
                assert (right["decision"], right["reason"], right["holder"]) == ("deny", "throttled", None)

                cleared = await service.call("POST", f"/v1/holders/{holder['id']}/clear-budget")
                assert cleared.status_code == 200
                [right] = await at_gates.verify_all([{"token": guessed["token"], "gate": "main-door"}])
                assert right is not None
                assert (right["decision"], right["reason"]) == ("admit", "ok")

                # The same request id by two processes at once: one verification, one first answer.
                again = [(await service.token(ten, "short"))["token"] for _ in range(20)]
                asked = [
                    {"token": text, "gate": "main-door", "request_id": f"r{n}"}
                    for n, text in enumerate(again)
                    for _ in range(3)
                ]
                answers = [answer for answer in await at_gates.verify_all(asked) if answer is not None]
                assert Counter(answer["repeated"] for answer in answers) == {None: 20, "request_id": 40}
                assert Counter(Counter(answer["id"] for answer in answers).values()) == {3: 20}
    with opened(postgresql_url) as database:
        assert database.column(select(passes.c.entries).where(passes.c.max_entries == 10)) == [10]
        assert database.value(select(func.count()).select_from(redemptions)) == 311
        assert database.value(select(func.count()).select_from(verifications)) == 1200 + 40 + 42 + 20
        assert database.column(select(budgets.c.spent).where(budgets.c.kind == "gate")) == [10]


def wrong_codes(right: str, count: int) -> list[str]:
    """Codes of the same holder with right check digits that are not the right one."""
    number, drawn = int(right[:-8]), int(right[-8:-1])
    return [CODE.mint(number, (drawn + n) % 10**7) for n in range(1, count + 1)]


async def test_two_services_let_one_of_two_in_who_show_one_token(postgresql_url: str) -> None:
    async with (
        running_service(make_settings(postgresql_url)) as one,
        running_service(make_settings(postgresql_url), key=one.key) as other,
    ):
        await one.gate()
        texts = await many_tokens(one, 40, kinds=("signed", "short"), passes=2)
        answers = await asyncio.gather(*(each.verify(text) for text in texts for each in (one, other)))
        assert decisions(answers) == {("admit", "ok"): 40, ("deny", "already_used"): 40}


@pytest.mark.parametrize("max_entries", [1, 5])
async def test_a_pass_admits_as_often_as_it_says_however_many_come_at_once(service: Service, max_entries: int) -> None:
    await service.gate()
    pass_ = await service.pass_(max_entries=max_entries)
    badge = await service.token(pass_, reusable=True)
    texts = [badge["token"]] * 8 + [(await service.token(pass_))["token"] for _ in range(8)]
    answers = await asyncio.gather(*(service.verify(text) for text in texts))
    assert decisions(answers) == {("admit", "ok"): max_entries, ("deny", "no_entries_left"): 16 - max_entries}
    counted = await service.call("GET", f"/v1/passes/{pass_['id']}")
    assert counted.json()["entries"] == max_entries
