"""How often distorted codes are read, and how long it takes: `python -m bench.pictures [frames]`.

Prints the two tables of docs/pictures.md. Run it from the project's root.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from app.effects.picture_reader import PictureReader
from app.effects.read_pictures import PictureRefused, _decode, _find, read_picture
from tests.effects.frames import DISTORTIONS, Shot, encoded, frame, signed_text, take

TIMES = 60


def milliseconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes, in milliseconds."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def print_rates(frames: int) -> None:
    """Prints a line for each distortion, and one for each other format."""
    cases = [(distortion, "JPEG") for distortion in DISTORTIONS]
    cases += [("rotated", form) for form in ("PNG", "WEBP", "BMP")]
    print("| distortion | format | frames | read at once | read | rate | median ms |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for distortion, form in cases:
        at_once, read = 0, 0
        spent: list[float] = []
        for seed in range(frames):
            data, text = frame(distortion, seed, form)
            started = time.perf_counter()
            found = read_picture(data)
            spent.append((time.perf_counter() - started) * 1000)
            if found not in ([], [text]):
                raise SystemExit(f"{distortion} {seed}: read a text that is not in the frame")
            read += found == [text]
            gray = _decode(data)
            at_once += [code.text for code in _find(gray, gray.width, gray.height)] == [text]
        rate = f"{at_once} | {read} | {read / frames:.0%}"
        print(f"| {distortion} | {form} | {frames} | {rate} | {statistics.median(spent):.1f} |", flush=True)


async def print_times() -> None:
    """Prints what reading a 1280 x 720 frame costs; decoding its JPEG alone counts as 1.0."""
    rng = np.random.default_rng(720)
    clear = encoded(take(Shot(1280, 720, side=240, angle=4), [signed_text(rng)], rng))
    empty = encoded(take(Shot(1280, 720, side=240), [], rng))
    reader = PictureReader()
    await reader.warm_up()

    async def through_workers() -> float:
        started = time.perf_counter()
        await reader.read(clear)
        return (time.perf_counter() - started) * 1000

    # Turn and turn about, so that a busy moment of the machine falls on all of them.
    spent: dict[str, list[float]] = {}
    for turn in range(TIMES + 5):
        now = {
            "JPEG decoded to RGB, nothing read": milliseconds(lambda: _decoded(clear)),
            "code a third of the height, in the worker": milliseconds(lambda: read_picture(clear)),
            "the same through `PictureReader`": await through_workers(),
            "no code in it, in the worker: all tries": milliseconds(lambda: read_picture(empty)),
        }
        if turn >= 5:
            for name, value in now.items():
                spent.setdefault(name, []).append(value)
    base = statistics.median(spent["JPEG decoded to RGB, nothing read"])
    print("\n| 1280 x 720 JPEG | ratio | median ms |\n|---|---:|---:|")
    for name, values in spent.items():
        print(f"| {name} | {statistics.median(values) / base:.1f} | {statistics.median(values):.1f} |")

    finder = np.ones((9, 9), dtype=bool)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = False, True, False
    hostile = encoded(Image.fromarray(np.tile(finder, (333, 444))), "PNG")
    started = time.perf_counter()
    try:
        await reader.read(hostile)
    except PictureRefused as refused:
        seconds = time.perf_counter() - started
        print(f"\nA hostile PNG of {len(hostile):,} bytes: {refused.code} after {seconds:.1f} s")
    await reader.close()


def _decoded(data: bytes) -> None:
    Image.open(BytesIO(data)).load()


if __name__ == "__main__":
    print_rates(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    asyncio.run(print_times())
