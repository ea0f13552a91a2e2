"""Reads pictures in worker processes, which are killed at a time limit.

A picture is hostile until it is read, and no thread can be stopped while it decodes one. A picture goes to a worker
(`picture_worker.py`) through a pipe and lives in memory alone; nothing of it is written or logged. A worker knows
nothing of the service: neither its environment nor its secrets.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from app.effects import picture_worker
from app.effects.read_pictures import MAX_BYTES, Box, Code, Picture, PictureRefused, RefusalCode

MAX_IN_FLIGHT = 64
"""How many pictures one PictureReader holds at once, the waiting ones included."""

_START_S = 1.0
"""Seconds that a picture may wait for a worker that has yet to start in place of a killed one."""

_WARM_UP_S = 30.0
_END_S = 5.0
_LONGEST_ANSWER = 1 << 22
"""Bytes: more than the most codes that a worker answers with have in JSON."""

_ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    "PYTHONDONTWRITEBYTECODE": "1",
    # glibc would give the memory of a picture back after each, and every page of the next would be set up anew: an
    # eighth of the time that a frame takes.
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 28),
}


class PictureReader:
    """Reads pictures in worker processes. One event loop uses it; `close` ends its workers.

    Workers start at `warm_up`, else at the first picture. A worker that was killed or crashed is replaced.
    """

    def __init__(self, workers: int = 2, *, timeout_s: float = 2.0) -> None:
        """`workers` pictures are decoded at once, each in a process of its own."""
        self._workers = [_Worker() for _ in range(workers)]
        self._free = asyncio.Semaphore(workers)
        self._idle = list(self._workers)
        self._timeout_s = timeout_s
        self._in_flight = 0
        self._closed = False

    async def read(self, data: bytes, *, timeout_s: float | None = None) -> list[str]:
        """The texts of `codes`, or its refusal; [] if there is none."""
        return (await self.codes(data, timeout_s=timeout_s)).texts

    async def codes(self, data: bytes, *, timeout_s: float | None = None) -> Picture:
        """What `read_codes` gives, without holding up the event loop.

        Waits at most `timeout_s` seconds for a free worker and decodes at most as long again; then the worker
        is killed. Beside the refusals of `read_codes` there are `too_slow` (out of time or the worker died)
        and `busy` (64 pictures in flight, no worker free in time, or the reader is closed). A cancelled call
        cancels its decoding.
        """
        timeout_s = timeout_s or self._timeout_s
        if len(data) > MAX_BYTES:
            raise PictureRefused("too_large")
        if self._closed or self._in_flight >= MAX_IN_FLIGHT:
            raise PictureRefused("busy")
        self._in_flight += 1
        try:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._free.acquire()
            except TimeoutError:
                raise PictureRefused("busy") from None
            try:
                return await self._decode(data, timeout_s)
            finally:
                self._free.release()
        finally:
            self._in_flight -= 1

    async def warm_up(self) -> None:
        """Starts the workers and returns when each has answered: the first person waits for no imports.

        Raises PictureRefused with `too_slow` if they have not answered after 30 seconds.
        """
        try:
            async with asyncio.timeout(_WARM_UP_S):
                await asyncio.gather(*(worker.ready() for worker in self._workers))
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise PictureRefused("too_slow") from None

    async def close(self) -> None:
        """Ends the workers and returns when they have ended. Pictures in flight are refused with `busy`."""
        self._closed = True
        await asyncio.gather(*(worker.end() for worker in self._workers))

    def _why(self) -> RefusalCode:
        return "busy" if self._closed else "too_slow"

    async def _decode(self, data: bytes, timeout_s: float) -> Picture:
        worker, asked, answer = self._idle.pop(), False, None
        try:
            async with asyncio.timeout(timeout_s + _START_S):
                await worker.ready()
            asked = True
            async with asyncio.timeout(timeout_s):
                answer = _understood(await worker.ask(data))
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise PictureRefused(self._why()) from None
        finally:
            if asked and answer is None:
                worker.replace()
            self._idle.append(worker)
        if isinstance(answer, Picture):
            return answer
        raise PictureRefused(answer)


_REFUSED: Mapping[str, RefusalCode] = {
    "not_a_picture": "not_a_picture",
    "too_large": "too_large",
    "too_many_pixels": "too_many_pixels",
}


def _understood(line: bytes) -> Picture | RefusalCode:
    """What a worker answered. Raises ValueError for anything that it would not answer had nobody taken it over."""
    try:
        match json.loads(line):
            case {"refused": str(refused)} if refused in _REFUSED:
                return _REFUSED[refused]
            case {"width": int(width), "height": int(height), "codes": [*codes]}:
                return Picture(width, height, tuple(_code(width, height, *code) for code in codes))
    except (TypeError, RecursionError):
        pass
    raise ValueError("the worker's answer makes no sense")


def _code(width: int, height: int, text: object, *sides: int) -> Code:
    box = Box(*sides)
    upright = 0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height
    if not isinstance(text, str) or not text.encode() or {type(each) for each in box} != {int} or not upright:
        raise ValueError("that is no code in a picture")
    return Code(text, box)


class _Worker:
    """One worker process, and the one that takes its place once it was killed."""

    def __init__(self) -> None:
        self._spawned: asyncio.Task[Process] | None = None
        self._up: asyncio.Task[Process] | None = None
        self._killed: set[asyncio.Task[None]] = set()
        self._over = False

    async def ready(self) -> None:
        """Returns when the process has tried its parts; starts it where there is none."""
        if self._up is None or (self._up.done() and _ended(self._up)):
            self.replace()
        if self._up is None:
            raise OSError("the reader is closed")
        await asyncio.shield(self._up)

    async def ask(self, data: bytes) -> bytes:
        """The line in which the process, which is ready, says what is in the picture."""
        assert self._up is not None  # noqa: S101  see `ready`
        process = self._up.result()
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018, S101  see `_spawn`
        process.stdin.write(len(data).to_bytes(picture_worker.LENGTH_BYTES, "big"))
        process.stdin.write(data)
        return await process.stdout.readuntil(b"\n")

    def replace(self) -> None:
        """Kills the process and starts another, unless this is the end."""
        self._kill()
        if not self._over:
            self._spawned = asyncio.create_task(_spawn())
            self._up = asyncio.create_task(_tried(self._spawned))
            self._up.add_done_callback(
                lambda up: up.cancelled() or up.exception()
            )  # who waits is told; so may nobody be

    async def end(self) -> None:
        """Kills the process and returns when it has ended, and those before it."""
        self._over = True
        self._kill()
        await asyncio.gather(*self._killed)

    def _kill(self) -> None:
        spawned, self._spawned, self._up = self._spawned, None, None
        if spawned is not None:
            killed = asyncio.create_task(_end(spawned))
            self._killed.add(killed)
            killed.add_done_callback(self._killed.discard)


async def _spawn() -> Process:
    """The process, as soon as there is one. Not to be cancelled: asyncio may then wait for its pipes for ever."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", picture_worker.__name__),
        stdin=PIPE,
        stdout=PIPE,
        limit=_LONGEST_ANSWER,
        env=_ENVIRONMENT,
        start_new_session=True,
    )


async def _tried(spawned: asyncio.Task[Process]) -> Process:
    """The process, once it has said that it works."""
    process = await asyncio.shield(spawned)
    assert process.stdout is not None  # noqa: S101  it is a pipe
    await process.stdout.readuntil(b"\n")
    return process


async def _end(spawned: asyncio.Task[Process]) -> None:
    """Kill the process and whatever it may have started, and wait until it has ended."""
    try:
        process = await asyncio.shield(spawned)
    except OSError:
        return  # there never was one
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _END_S)


def _ended(up: asyncio.Task[Process]) -> bool:
    return up.cancelled() or up.exception() is not None or up.result().returncode is not None
