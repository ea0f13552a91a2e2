"""Reads the QR codes in a picture: `read_picture` in this process, `PictureReader` in others.

A picture is hostile until it is read: the caps come before any decoding, and `PictureReader` decodes in
processes that are killed at a time limit. A picture lives in memory alone; nothing of it is written or
logged, and no message repeats any of it.
"""

import asyncio
import math
import os
import resource
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from io import BytesIO
from multiprocessing import context, parent_process, popen_spawn_posix, process, resource_tracker, spawn
from time import sleep
from typing import Any, Literal, TypeVar
from weakref import WeakSet

import zxingcpp
from pebble import ProcessPool

# WebP is not among the formats that Pillow loads by itself: else the first picture waits for all plug-ins.
from PIL import Image, ImageFilter, ImageOps, WebPImagePlugin  # noqa: F401

MAX_BYTES = 5 * 1024 * 1024
"""The largest picture file, in bytes."""

MAX_PIXELS = 12_000_000
"""The largest picture, as width times height, by its header."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""The formats that are read, by Pillow's names."""

MAX_IN_FLIGHT = 64
"""How many pictures one PictureReader holds at once, the waiting ones included."""

RefusalCode = Literal["not_a_picture", "too_large", "too_many_pixels", "too_slow", "busy"]
T = TypeVar("T")

_START_S = 1.0
"""Seconds that a task may wait for a worker that has yet to start in place of a killed one."""

_WARM_UP_S = 30.0

# The second chances work on at most this many pixels, which bounds the time that a picture without any code
# costs.
_SECOND_CHANCE_PIXELS = 2_100_000
_ENLARGED_PIXELS = 4 * 1_050_000


class PictureRefused(Exception):
    """The picture was not read. `code` is stable; `message` is one constant sentence for each code."""

    code: RefusalCode
    message: str

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """The message."""
        return self.message


def read_picture(data: bytes) -> list[str]:
    """Every distinct text in the QR codes of a picture, in reading order; [] if there is none.

    Rows go from the top down, each from left to right. Only QR codes of model 2 count: no Micro QR, no rMQR,
    no other symbology. Of an animated picture the first frame is read. If the picture as it came shows no
    code, up to four versions of it that are easier to read are tried, until one shows some; all that it shows
    are given.

    Raises PictureRefused with `too_large` (over 5 MiB), `too_many_pixels` (over 12 million by the header,
    before any decoding) or `not_a_picture` (not a JPEG, PNG, WebP, BMP or GIF, or broken or cut short).
    """
    if len(data) > MAX_BYTES:
        raise _refused("too_large")
    gray = _decode(data)
    texts = _find(gray)
    if texts:
        return texts
    for chance in _second_chances(gray):
        texts = _find(chance)
        if texts:
            return texts
    return []


class PictureReader:
    """Reads pictures in worker processes. One event loop uses it; `close` ends its workers.

    Workers start at `warm_up`, else at the first `read`. A worker that was killed or crashed is replaced.
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
        """What `read_picture` gives, without holding up the event loop.

        Waits at most `timeout_s` seconds for a free worker and decodes at most as long again; then the worker
        is killed. Beside the refusals of `read_picture` there are `too_slow` (out of time or the worker died)
        and `busy` (64 pictures in flight, no worker free in time, or the reader is closed). A cancelled call
        cancels its decoding.
        """
        timeout_s = timeout_s or self._timeout_s
        if len(data) > MAX_BYTES:
            raise _refused("too_large")
        if self._closed or self._in_flight >= MAX_IN_FLIGHT:
            raise _refused("busy")
        self._in_flight += 1
        try:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._free.acquire()
            except TimeoutError:
                raise _refused("busy") from None
            try:
                return await self._run(partial(read_picture, data), timeout_s)
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
            raise _refused("too_slow") from None

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
                raise _refused("busy") from None
            raise
        except Exception:  # noqa: BLE001 - a time-out, a crash, a broken pool
            raise _refused("too_slow") from None
        finally:
            if task is not None:
                self._running.discard(task)

    async def _active_pool(self) -> ProcessPool:
        """The pool, with its workers started; a new one if an idle worker was killed, which breaks a pool."""
        async with self._starting:
            if self._closed:
                raise _refused("busy")
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


def _decode(data: bytes) -> Image.Image:
    """The picture in gray (mode L), on white where it is transparent."""
    with warnings.catch_warnings():
        # Pillow warns on stderr of what is refused below.
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data), formats=FORMATS) as picture:
                _check_size(picture)
                if picture.format == "JPEG":
                    picture.draft("L", None)
                picture.load()
                # A frame may be larger than its header said.
                _check_size(picture)
                return _gray(picture)
        except PictureRefused:
            raise
        except Image.DecompressionBombError:
            raise _refused("too_many_pixels") from None
        except Exception:  # noqa: BLE001 - broken pictures make Pillow raise nearly anything
            raise _refused("not_a_picture") from None


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _refused("too_many_pixels")


def _gray(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        # 16 bits a pixel: converting would cut off at 255 what is to be scaled.
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if not picture.has_transparency_data:
        return picture.convert("L")
    whole = picture.convert("RGBA")
    white = Image.new("L", whole.size, 255)
    white.paste(whole.convert("L"), mask=whole.getchannel("A"))
    return white


def _second_chances(gray: Image.Image) -> Iterator[Image.Image]:
    """The picture made easier to read, the cheapest way first; `docs/pictures.md` says what each is worth."""
    pixels = gray.width * gray.height
    if pixels > _SECOND_CHANCE_PIXELS:
        gray = gray.reduce(math.ceil(math.sqrt(pixels / _SECOND_CHANCE_PIXELS)))
    # Dim, pale, or unevenly lit.
    yield ImageOps.equalize(gray)
    # Noisy or out of focus.
    clear = ImageOps.autocontrast(gray, cutoff=1)
    sharpen = ImageFilter.UnsharpMask(radius=4, percent=250, threshold=0)
    yield clear.filter(ImageFilter.BoxBlur(1)).filter(sharpen)
    if 4 * gray.width * gray.height > _ENLARGED_PIXELS:
        return
    # Small; then small and out of focus.
    enlarged = clear.resize((2 * gray.width, 2 * gray.height), Image.Resampling.BICUBIC)
    yield enlarged
    yield enlarged.filter(sharpen)


def _find(gray: Image.Image) -> list[str]:
    """The distinct texts of one gray picture's codes, in reading order."""
    # A memoryview keeps its bytes alive; zxingcpp.ImageView does not, and would read freed memory.
    pixels = memoryview(gray.tobytes()).cast("B", (gray.height, gray.width))
    # Since version 3 QRCode is a family that has Micro QR and rMQR in it. The formats are made anew each time
    # because the library reports one that lives as long as the program as leaked.
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    codes = zxingcpp.read_barcodes(pixels, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    texts: dict[str, None] = {}
    for code in _in_reading_order(codes):
        try:
            text = code.text
        except UnicodeDecodeError:
            continue
        if text:
            texts[text] = None
    return list(texts)


def _in_reading_order(codes: list[zxingcpp.Barcode]) -> list[zxingcpp.Barcode]:
    """By rows: a code stands in a row if its top lies above the middle of the row's highest code."""
    boxes = []
    for code in codes:
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        boxes.append((min(c.y for c in corners), max(c.y for c in corners), sum(c.x for c in corners), code))
    boxes.sort(key=lambda box: box[:3])
    rows: list[list[tuple[int, int, int, zxingcpp.Barcode]]] = []
    for box in boxes:
        if rows and 2 * box[0] < rows[-1][0][0] + rows[-1][0][1]:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [box[3] for row in rows for box in sorted(row, key=lambda box: box[2])]


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
    read_picture(_SPECK)
    sleep(0.02)
    return os.getpid()


def _end(pool: ProcessPool, workers: _WorkerContext) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    workers.kill_workers()
    pool.join()


def _refused(code: RefusalCode) -> PictureRefused:
    return PictureRefused(code, _MESSAGES[code])


_MESSAGES: dict[RefusalCode, str] = {
    "not_a_picture": "The picture is not a whole JPEG, PNG, WebP, BMP or GIF.",
    "too_large": "The picture has more than 5 MiB.",
    "too_many_pixels": "The picture has more than 12 million pixels.",
    "too_slow": "The picture could not be read in time.",
    "busy": "Too many pictures are being read; try again.",
}

# A GIF of one pixel, with which a worker tries its parts.
_SPECK = bytes.fromhex("47494638376101000100800000000000ffffff2c00000000010001000002024401003b")
