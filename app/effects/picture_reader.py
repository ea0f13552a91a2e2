"""Reads pictures in worker processes, which are killed at a time limit.

A picture is hostile until it is read, and no thread can be stopped while it decodes one. A picture goes to a worker
(`picture_worker.py`) through a pipe and lives in memory alone; nothing of it is written or logged. A worker knows
nothing of the service: neither its environment nor its secrets.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.effects import picture_worker
from app.effects.read_pictures import MAX_BYTES, Box, Code, Picture, PictureRefused, RefusalCode

MAX_IN_FLIGHT = 64
"""How many pictures one PictureReader holds at once, the waiting ones included."""

_START_S = 1.0
"""Seconds that a picture may wait for a worker that has yet to start in place of a killed one."""

_WARM_UP_S = 30.0
_LONGEST_ANSWER = 1 << 20
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
        except (TimeoutError, asyncio.IncompleteReadError):
            raise PictureRefused("too_slow") from None

    async def close(self) -> None:
        """Ends the workers and returns when they have ended. Pictures in flight are refused with `busy`."""
        self._closed = True
        await asyncio.gather(*(worker.end() for worker in self._workers))

    def _why(self) -> RefusalCode:
        return "busy" if self._closed else "too_slow"

    async def _decode(self, data: bytes, timeout_s: float) -> Picture:
        worker, answer = self._idle.pop(), None
        try:
            async with asyncio.timeout(timeout_s + _START_S):
                await worker.ready()
            async with asyncio.timeout(timeout_s):
                answer = await worker.ask(data)
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            raise PictureRefused(self._why()) from None
        finally:
            if answer is None:
                worker.replace()
            self._idle.append(worker)
        if "refused" in answer:
            raise PictureRefused(answer["refused"])
        codes = tuple(Code(text, Box(*box)) for text, *box in answer["codes"])
        return Picture(answer["width"], answer["height"], codes)


class _Worker:
    """One worker process, and the one that takes its place once it was killed."""

    def __init__(self) -> None:
        self._started: asyncio.Task[Process] | None = None
        self._killed: set[asyncio.Task[int]] = set()
        self._over = False

    async def ready(self) -> None:
        """Returns when the process has tried its parts; starts it where there is none."""
        if self._started is not None and self._started.done() and _ended(self._started):
            self._started = None
        if self._started is None:
            if self._over:
                raise OSError("the reader is closed")
            self._started = asyncio.create_task(_start())
        started = self._started
        try:
            await asyncio.shield(started)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if started.cancelled() and me is not None and not me.cancelling():
                raise OSError("the worker was ended while it started") from None
            raise

    async def ask(self, data: bytes) -> dict[str, Any]:
        """What the process, which is ready, says of the picture."""
        assert self._started is not None  # noqa: S101  see `ready`
        process = self._started.result()
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018, S101  see `_start`
        process.stdin.write(len(data).to_bytes(picture_worker.LENGTH_BYTES, "big"))
        process.stdin.write(data)
        answer: dict[str, Any] = json.loads(await process.stdout.readuntil(b"\n"))
        return answer

    def replace(self) -> None:
        """Kills the process and starts another, unless this is the end."""
        self._kill()
        if not self._over:
            self._started = asyncio.create_task(_start())

    async def end(self) -> None:
        """Kills the process and returns when it has ended, and those before it."""
        self._over = True
        self._kill()
        await asyncio.gather(*self._killed)

    def _kill(self) -> None:
        started, self._started = self._started, None
        if started is not None:
            killed = asyncio.create_task(_kill(started))
            self._killed.add(killed)
            killed.add_done_callback(self._killed.discard)


async def _start() -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", picture_worker.__name__),
        stdin=PIPE,
        stdout=PIPE,
        limit=_LONGEST_ANSWER,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        await process.stdout.readuntil(b"\n")
    except BaseException:
        await _end(process)
        raise
    return process


async def _kill(started: asyncio.Task[Process]) -> int:
    started.cancel()
    try:
        return await _end(await started)
    except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
        return 0  # it ended before it was ready


async def _end(process: Process) -> int:
    with suppress(ProcessLookupError):
        process.kill()
    return await asyncio.shield(process.wait())


def _ended(started: asyncio.Task[Process]) -> bool:
    return started.cancelled() or started.exception() is not None or started.result().returncode is not None
