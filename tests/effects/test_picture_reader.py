"""Pictures are read in worker processes, and a slow one harms nobody else."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.effects import picture_reader, picture_worker
from app.effects.picture_reader import PictureReader
from app.effects.read_pictures import PictureRefused, read_codes
from tests.effects.frames import code, encoded, frame, short_text

ONE = short_text(np.random.default_rng(7))


@cache
def slow_picture() -> bytes:
    """A small file that costs the decoder half a minute: 148,000 finder patterns, one pixel a module."""
    finder = np.ones((9, 9), dtype=bool)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = False, True, False
    return encoded(Image.fromarray(np.tile(finder, (333, 444))), "PNG")


@pytest.fixture
async def reader() -> AsyncIterator[PictureReader]:
    """A reader with two workers that have started."""
    reader = PictureReader()
    await reader.warm_up()
    yield reader
    await reader.close()


def workers(parent: int | None = None) -> set[int]:
    """The process ids of the workers of this process, or of another."""
    children = Path(f"/proc/{parent or os.getpid()}/task")
    pids = {int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()}
    return {pid for pid in pids if alive(pid) and b"picture_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended but was not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def libraries(pid: int) -> set[str]:
    """The names of the files that a process has mapped into memory."""
    return {Path(line).name for line in Path(f"/proc/{pid}/maps").read_text().splitlines()}


async def refusal_of(reader: PictureReader, data: bytes, timeout_s: float = 2.0) -> str:
    """The code with which a reader refuses a picture."""
    with pytest.raises(PictureRefused) as caught:
        await reader.read(data, timeout_s=timeout_s)
    assert caught.value.__cause__ is None
    return caught.value.code


async def test_a_reader_gives_what_its_workers_read_and_refuse(reader: PictureReader) -> None:
    data, text = frame("plain", 0)
    assert await reader.read(data) == [text]
    assert await refusal_of(reader, b"not a picture") == "not_a_picture"
    assert await refusal_of(reader, encoded(Image.new("1", (4_100, 3_000)), "PNG")) == "too_many_pixels"
    assert await refusal_of(reader, bytes(6_000_000)) == "too_large"


async def test_a_reader_gives_the_size_and_the_boxes_too(reader: PictureReader) -> None:
    data, text = frame("plain", 0)
    picture = await reader.codes(data)
    assert picture == read_codes(data)
    assert picture.texts == [text]


async def test_a_slow_picture_is_killed_and_the_reader_goes_on(reader: PictureReader) -> None:
    data, text = frame("plain", 0)
    slow = slow_picture()
    assert len(slow) < 50_000
    before = workers()
    started = time.perf_counter()
    outcome = asyncio.gather(*(refusal_of(reader, slow, 0.3) for _ in range(2)))
    assert await outcome == ["too_slow", "too_slow"]
    assert time.perf_counter() - started < 2.0
    assert await reader.read(data) == [text]
    assert len(before - workers()) == 2  # there may be workers of other readers of this process


async def test_a_slow_picture_does_not_hold_up_another(reader: PictureReader) -> None:
    data, text = frame("plain", 0)
    slow = asyncio.create_task(refusal_of(reader, slow_picture(), 0.8))
    await asyncio.sleep(0.1)
    for _ in range(5):
        assert await reader.read(data) == [text]
        assert not slow.done()
    assert await slow == "too_slow"


async def test_the_event_loop_goes_on_while_a_picture_is_decoded(reader: PictureReader) -> None:
    slow = asyncio.create_task(refusal_of(reader, slow_picture(), 0.4))
    longest = 0.0
    while not slow.done():
        started = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - started)
    assert await slow == "too_slow"
    assert longest < 0.2


async def test_a_cancelled_call_cancels_its_decoding(reader: PictureReader) -> None:
    before = workers()
    call = asyncio.create_task(reader.read(slow_picture(), timeout_s=30))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0.4)
    assert len(before - workers()) == 1
    assert await reader.read(encoded(code(ONE))) == [ONE]


async def test_who_finds_no_free_worker_in_time_is_told_to_come_back(reader: PictureReader) -> None:
    slow = [asyncio.create_task(refusal_of(reader, slow_picture(), 0.9)) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert await refusal_of(reader, encoded(code(ONE)), 0.2) == "busy"
    assert await asyncio.gather(*slow) == ["too_slow", "too_slow"]


async def test_at_most_64_pictures_are_in_flight(reader: PictureReader) -> None:
    data, text = frame("plain", 0)
    outcomes = await asyncio.gather(*(reader.read(data) for _ in range(70)), return_exceptions=True)
    assert outcomes.count([text]) == 64
    assert [o.code for o in outcomes if isinstance(o, PictureRefused)] == ["busy"] * 6
    assert await reader.read(data) == [text]


async def test_a_reader_outlives_the_death_of_its_idle_workers(reader: PictureReader) -> None:
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.4)
    assert await reader.read(encoded(code(ONE))) == [ONE]


async def test_workers_do_not_hear_a_ctrl_c(reader: PictureReader) -> None:
    before = workers()
    for pid in before:
        os.kill(pid, signal.SIGINT)
    await asyncio.sleep(0.3)
    assert await reader.read(encoded(code(ONE))) == [ONE]
    assert workers() == before


async def test_a_worker_imports_neither_the_main_module_nor_the_rest_of_the_service(
    reader: PictureReader,
) -> None:
    assert len(workers()) == 2
    for pid in workers():
        mapped = libraries(pid)
        assert any(name.startswith("zxingcpp.") for name in mapped)
        assert not any(name.startswith(("_multiarray_umath", "_pydantic_core", "_rust")) for name in mapped)


async def test_closing_while_a_killed_worker_is_replaced_says_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    reader = PictureReader()
    await reader.warm_up()
    assert await refusal_of(reader, slow_picture(), 0.1) == "too_slow"
    await reader.close()
    assert workers() == set()
    assert capfd.readouterr() == ("", "")


async def test_closing_ends_workers_threads_and_waiting_calls() -> None:
    threads, others = set(threading.enumerate()), workers()
    reader = PictureReader()
    await reader.warm_up()
    processes = workers() - others
    assert len(processes) == 2
    calls = [asyncio.create_task(refusal_of(reader, slow_picture(), 5)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await reader.close()
    assert await asyncio.gather(*calls) == ["busy"] * 3
    assert not any(map(alive, processes))
    for thread in set(threading.enumerate()) - threads:
        if thread.name.startswith("asyncio-waitpid"):  # asyncio's own, which ends with the process that it waits for
            await asyncio.to_thread(thread.join, 5)
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    assert [name for name in left if not name.startswith("asyncio_")] == []
    assert await refusal_of(reader, encoded(code(ONE))) == "busy"


TAKEN_OVER = """
import os, pathlib, sys, time
def say(line): sys.stdout.buffer.write(line + b"\\n"); sys.stdout.buffer.flush()
say(b"")
while len(length := sys.stdin.buffer.read(4)) == 4:
    sys.stdin.buffer.read(int.from_bytes(length, "big"))
    what = pathlib.Path(__file__).with_name("what").read_bytes()
    if what == b"its death": os._exit(3)
    if what == b"a child": os.fork() or time.sleep(60)
    say(what)
"""
CODES = b'{"width": 9, "height": 9, "codes": [[%s]]}'
ANSWERS = {
    "a list": b"[]",
    "a number": b"7",
    "nothing in it": b"{}",
    "no text": CODES % b"5, 0, 0, 1, 1",
    "half a character": CODES % rb'"\ud800", 0, 0, 1, 1',
    "half a box": CODES % b'"x", 1',
    "a box beyond the picture": CODES % b'"x", 0, 0, 10, 1',
    "a box of truths": CODES % b'"x", false, false, true, true',
    "an empty box": CODES % b'"x", 1, 1, 1, 2',
    "another refusal": b'{"refused": "busy"}',
    "a list as refusal": b'{"refused": []}',
    "no number": b'{"width": NaN, "height": 1, "codes": []}',
    "a large number": b'{"width": ' + b"9" * 5000 + b', "height": 1, "codes": []}',
    "depth": b"[" * 500_000,
    "a flood": b"x" * (5 << 20),
    "no text at all": b"\xff\xfe",
    "its death": b"its death",
    "a child": b"a child",
}


@pytest.mark.parametrize("what", ANSWERS.values(), ids=ANSWERS.keys())
async def test_a_worker_that_was_taken_over_is_not_believed_and_is_ended(
    what: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"taken_over_{os.getpid()}"
    (tmp_path / f"{name}.py").write_text(TAKEN_OVER)
    (tmp_path / "what").write_bytes(what)
    monkeypatch.setitem(picture_reader._ENVIRONMENT, "PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(picture_reader.picture_worker, "__name__", name)
    reader = PictureReader(1, timeout_s=1)
    try:
        for _ in range(2):
            assert await refusal_of(reader, encoded(code(ONE)), 1) == "too_slow"
    finally:
        await asyncio.wait_for(reader.close(), 4)
    assert not is_running(name)


def is_running(name: str) -> bool:
    """Whether a process on this machine was started under that name."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if name.encode() in place.read_bytes():
                return True
    return False


async def test_a_picture_full_of_codes_is_read_like_any_other(reader: PictureReader) -> None:
    wall = Image.new("L", (2000, 2000), 255)
    for n in range(81):
        wall.paste(code(f"{n}" * 40, 3).resize((200, 200)), (n % 9 * 220, n // 9 * 220))
    picture = await reader.codes(encoded(wall, "PNG"))
    assert 40 < len(picture.codes) <= picture_worker.MOST_CODES


PROGRAM = """
import asyncio
from app.effects.picture_reader import PictureReader
from tests.effects.test_picture_reader import slow_picture, workers

print("main", flush=True)

async def main():
    reader = PictureReader()
    await reader.warm_up()
    print(*workers(), flush=True)
    await reader.read(slow_picture(), timeout_s=60)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_workers_end_with_their_parent_and_never_run_its_main_module(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(picture_reader.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, text=True, cwd=root, env={"PYTHONPATH": str(root)}
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "main\n"
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.3)
        parent.kill()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any(map(alive, pids)):
            time.sleep(0.05)
        assert not any(map(alive, pids))
        # A worker that had run the main module would have said so.
        assert parent.stdout.read() == ""
