"""What is remembered is read again, and what was taken back meanwhile is not remembered for having been read before."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.services.remembered import Remembered
from app.storage.failures import Unavailable
from tests.service import TestClock


class Shelf:
    """A store of values by hash, which answers when it is told to."""

    def __init__(self) -> None:
        self.values: dict[bytes, str] = {}
        self.answering = asyncio.Event()
        self.answering.set()
        self.gone = False
        self.asked: list[int] = []

    async def read(self, work: Callable[[Any], Any]) -> Any:
        if self.gone:
            raise Unavailable
        found = work(None)
        await self.answering.wait()
        return found

    def load(self, _tx: Any, hashes: list[bytes]) -> dict[bytes, str]:
        self.asked.append(len(hashes))
        return {each: self.values[each] for each in hashes if each in self.values}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def remembered(shelf: Shelf, clock: TestClock) -> Remembered[str]:
    return Remembered(shelf, clock, shelf.load)  # type: ignore[arg-type]


async def test_a_value_is_fresh_for_two_seconds_and_then_asked_for_again(
    remembered: Remembered[str], shelf: Shelf, clock: TestClock
) -> None:
    shelf.values[b"one"] = "first"
    assert remembered.fresh(b"one") is None
    assert await remembered.ask(b"one") == ("first", True)
    shelf.values[b"one"] = "second"
    assert remembered.fresh(b"one") == "first"
    clock.advance(2.1)
    assert remembered.fresh(b"one") is None
    await remembered.refresh()
    assert remembered.fresh(b"one") == "second"
    del shelf.values[b"one"]
    await remembered.refresh()
    assert remembered.fresh(b"one") is None


async def test_without_a_store_what_was_seen_is_known_and_said_to_be_unconfirmed(
    remembered: Remembered[str], shelf: Shelf
) -> None:
    shelf.values[b"one"] = "first"
    await remembered.ask(b"one")
    shelf.gone = True
    assert await remembered.ask(b"one") == ("first", False)
    for asking in (remembered.ask(b"two"), remembered.refresh()):
        with pytest.raises(Unavailable):
            await asking


async def test_what_is_forgotten_while_it_is_read_is_not_remembered(remembered: Remembered[str], shelf: Shelf) -> None:
    shelf.values = {b"one": "first", b"two": "second"}
    await remembered.ask(b"one")
    for reading in (remembered.refresh(), remembered.ask(b"one"), remembered.ask(b"two")):
        shelf.answering.clear()
        read = asyncio.ensure_future(reading)
        await asyncio.sleep(0)
        remembered.forget(b"one")
        remembered.forget(b"two")
        shelf.answering.set()
        await read
        assert remembered.fresh(b"one") is remembered.fresh(b"two") is None
    await remembered.ask(b"one")
    assert remembered.fresh(b"one") == "first"


async def test_many_are_read_again_a_few_hundred_at_a_time(remembered: Remembered[str], shelf: Shelf) -> None:
    shelf.values = {str(n).encode(): "a value" for n in range(1200)}
    for each in shelf.values:
        await remembered.ask(each)
    shelf.asked.clear()
    await remembered.refresh()
    assert sum(shelf.asked) == 1200
    assert max(shelf.asked) <= 500
