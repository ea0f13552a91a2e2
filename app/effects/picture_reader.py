"""Reads pictures in worker processes, which are killed at a time limit.

A picture is hostile until it is read, and no thread can be stopped while it decodes one. A picture goes to a
worker through a pipe and lives in memory alone; nothing of it is written or logged.
"""

import asyncio
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from multiprocessing import context, parent_process, popen_spawn_posix, process, resource_tracker, spawn
from time import sleep
from typing import Any, TypeVar
from weakref import WeakSet

from pebble import ProcessPool
from PIL import Image

from app.effects.read_pictures import MAX_BYTES, MAX_PIXELS, Picture, PictureRefused, read_codes

MAX_IN_FLIGHT = 64
"""How many pictures one PictureReader holds at once, the waiting ones included."""

T = TypeVar("T")

_START_S = 1.0
"""Seconds that a task may wait for a worker that has yet to start in place of a killed one."""

_WARM_UP_S = 30.0

# A GIF of one pixel, with which a worker tries its parts.
_SPECK = bytes.fromhex("47494638376101000100800000000000ffffff2c00000000010001000002024401003b")


class PictureReader:
    """Reads pictures in worker processes. One event loop uses it; `close` ends its workers.

    Workers start at `warm_up`, else at the first picture. A worker that was killed or crashed is replaced.
    """

    def __init__(self, workers: int = 2, *, timeout_s: float = 2.0) -> None:
        """`workers` pictures are decoded at once, each in a process of its own."""
        self._workers = workers
        self._timeout_s = timeout_s
        self._pool: tuple[ProcessPool, _WorkerContext] | None = None
        self._starting = asyncio.Lock()
        self._free = asyncio.Semaphore(workers)
        self._running: set[Future[Any]] = set()
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
                return await self._run(partial(read_codes, data), timeout_s)
            finally:
                self._free.release()
        finally:
            self._in_flight -= 1

    async def warm_up(self) -> None:
        """Starts the workers and returns when each has answered: the first person waits for no imports.

        Raises PictureRefused with `too_slow` if they have not answered after 30 seconds.
        """
        ready: set[int] = set()
        try:
            async with asyncio.timeout(_WARM_UP_S):
                while len(ready) < self._workers:
                    asked = (self._run(_answer, _WARM_UP_S) for _ in range(self._workers))
                    ready.update(await asyncio.gather(*asked))
        except TimeoutError:
            raise PictureRefused("too_slow") from None

    async def close(self) -> None:
        """Ends the workers and returns when they have ended. Pictures in flight are refused with `busy`."""
        self._closed = True
        for task in tuple(self._running):
            task.cancel()
        async with self._starting:
            pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(_end, *pool)

    async def _run(self, function: Callable[[], T], timeout_s: float) -> T:
        """Runs a function in a worker; whatever but a refusal comes back from there becomes `too_slow`."""
        task: Future[T] | None = None
        try:
            pool = await self._active_pool()
            task = pool.schedule(function, timeout=timeout_s)
            self._running.add(task)
            async with asyncio.timeout(timeout_s + _START_S):
                return await asyncio.wrap_future(task)
        except PictureRefused as refusal:
            raise refusal from None
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if self._closed and me is not None and not me.cancelling():
                raise PictureRefused("busy") from None
            raise
        except Exception:  # noqa: BLE001 - a time-out, a crash, a broken pool
            raise PictureRefused("too_slow") from None
        finally:
            if task is not None:
                self._running.discard(task)

    async def _active_pool(self) -> ProcessPool:
        """The pool, with its workers started; a new one if an idle worker was killed, which breaks a pool."""
        async with self._starting:
            if self._closed:
                raise PictureRefused("busy")
            if self._pool is not None and not self._pool[0].active:
                broken, self._pool = self._pool, None
                await asyncio.to_thread(_end, *broken)
            if self._pool is None:
                workers = _WorkerContext()
                pool = ProcessPool(self._workers, initializer=_prepare_worker, context=workers)
                self._pool = (pool, workers)
                # The first look at whether it is active starts it.
                await asyncio.to_thread(lambda: pool.active)
            return self._pool[0]


class _WorkerStart(popen_spawn_posix.Popen):
    """Starts a worker that neither imports the program's main module again nor hears a Ctrl-C."""

    _one_at_a_time = threading.Lock()

    def _launch(self, process_obj: process.BaseProcess) -> None:
        # The tracker's start would undo the mask below.
        resource_tracker.ensure_running()
        whole = spawn.get_preparation_data

        def without_main(name: str) -> dict[str, Any]:
            return {key: value for key, value in whole(name).items() if not key.startswith("init_main")}

        with self._one_at_a_time:
            # A blocked signal stays blocked in the child, from its first instruction on.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            spawn.get_preparation_data = without_main
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                spawn.get_preparation_data = whole
                signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _WorkerProcess(context.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: process.BaseProcess) -> _WorkerStart:  # noqa: N802
        return _WorkerStart(process_obj)


class _WorkerContext(context.SpawnContext):
    """Makes the workers of one pool, and can end them before the pool takes away what they start with."""

    def __init__(self) -> None:
        self._workers: WeakSet[_WorkerProcess] = WeakSet()

    def Process(self, **arguments: Any) -> _WorkerProcess:  # type: ignore[override]  # noqa: ANN401, N802
        worker = _WorkerProcess(**arguments)
        self._workers.add(worker)
        return worker

    def kill_workers(self) -> None:
        for worker in tuple(self._workers):
            if worker.pid is not None:
                worker.kill()


def _prepare_worker() -> None:
    """Runs first in every worker."""
    # pebble's own handler waits until the decoder's C code returns, and holds up the other workers till then.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # No core dump: it would put a picture on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Pillow's own check comes before it sets memory aside, and refuses from twice this number on.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer() -> int:
    """The worker's process id, after a moment in which the other workers get their turn."""
    read_codes(_SPECK)
    sleep(0.02)
    return os.getpid()


def _end(pool: ProcessPool, workers: _WorkerContext) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    workers.kill_workers()
    pool.join()
