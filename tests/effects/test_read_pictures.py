"""Pictures of codes are read, hostile ones are refused, and a slow one harms nobody else."""

import asyncio
import multiprocessing
import os
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.effects import read_pictures
from app.effects.read_pictures import MAX_BYTES, PictureReader, PictureRefused, read_picture
from tests.effects.frames import DISTORTIONS, Shot, code, encoded, frame, short_text, signed_text, take

RNG = np.random.default_rng(7)
ONE, OTHER, THIRD = signed_text(RNG), short_text(RNG), signed_text(RNG)
FRAMES = 10

# One frame of the ten less than when it was measured, or all of them where it is 1.
LEAST_RATE = {
    "plain": 1.0,
    "rotated": 1.0,
    "perspective": 0.9,
    "gaussian blur": 0.5,
    "motion blur": 0.8,
    "dim": 0.9,
    "low contrast": 0.9,
    "small": 0.8,
    "mirrored": 1.0,
    "inverted": 1.0,
    "JPEG quality 30": 0.8,
    "glare": 0.8,
    "moire": 0.9,
}


def refusal(data: bytes) -> str:
    """The code with which a picture is refused."""
    with pytest.raises(PictureRefused) as caught:
        read_picture(data)
    assert str(caught.value) == caught.value.message
    return caught.value.code


@cache
def slow_picture() -> bytes:
    """A small file that costs the decoder half a minute: 148,000 finder patterns, one pixel a module."""
    finder = np.ones((9, 9), dtype=bool)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = False, True, False
    return encoded(Image.fromarray(np.tile(finder, (333, 444))), "PNG")


def png_header(width: int, height: int) -> bytes:
    """A PNG of `width` x `height` pixels, 1 bit each, all black."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    squeeze = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    body = b"".join(squeeze.compress(line) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


# What is read


@pytest.mark.parametrize("distortion", DISTORTIONS)
def test_distorted_codes_are_read_at_least_this_often(distortion: str) -> None:
    read = []
    for seed in range(FRAMES):
        data, text = frame(distortion, seed)
        found = read_picture(data)
        assert found in ([], [text])
        read.append(bool(found))
    assert statistics.mean(read) >= LEAST_RATE[distortion] > 0


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "JPEG"])
def test_a_frame_is_read_in_every_format(form: str) -> None:
    data, text = frame("rotated", 1, form)
    assert Image.open(BytesIO(data)).format == form
    assert read_picture(data) == [text]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_a_png_is_read_in_every_kind_of_pixel(mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray((np.asarray(code(ONE, 4)).astype(np.uint16) * 200 + 5000).astype(np.uint16))
    else:
        picture = code(ONE, 4).convert(mode)
    assert picture.mode == mode
    assert read_picture(encoded(picture, "PNG")) == [ONE]


def test_a_jpeg_in_the_colours_of_print_is_read() -> None:
    assert read_picture(encoded(code(ONE, 4).convert("CMYK"))) == [ONE]


def test_a_transparent_ground_counts_as_white() -> None:
    light = code(ONE, 4)
    # Black all over: only the transparency tells the code from the ground.
    picture = Image.merge("LA", (Image.new("L", light.size, 0), light.point(lambda value: 255 - value)))
    assert read_picture(encoded(picture, "PNG")) == [ONE]


def test_only_the_first_frame_of_an_animation_is_read() -> None:
    out = BytesIO()
    size = (400, 400)
    first, second = code(ONE, 4).resize(size), code(OTHER, 8).resize(size)
    first.save(out, "GIF", save_all=True, append_images=[second])
    assert read_picture(out.getvalue()) == [ONE]


def test_two_codes_in_one_picture_give_both_texts_in_reading_order() -> None:
    for texts in ([ONE, OTHER], [OTHER, ONE]):
        picture = take(Shot(1280, 720, side=330), texts, np.random.default_rng(3))
        assert read_picture(encoded(picture)) == texts


def test_rows_of_codes_are_read_from_the_top_down_and_from_left_to_right() -> None:
    picture = Image.new("L", (700, 700), 255)
    for text, at in ((OTHER, (350, 30)), (ONE, (0, 40)), (THIRD, (200, 400))):
        picture.paste(code(text, 5), at)
    assert read_picture(encoded(picture, "PNG")) == [ONE, OTHER, THIRD]


def test_the_same_text_twice_in_a_picture_counts_once() -> None:
    picture = take(Shot(1280, 720, side=330), [ONE, ONE], np.random.default_rng(4))
    assert read_picture(encoded(picture)) == [ONE]


def test_a_picture_without_a_code_gives_no_text() -> None:
    assert read_picture(encoded(take(Shot(640, 480, side=200), [], np.random.default_rng(5)))) == []


def test_micro_qr_codes_are_not_read() -> None:
    out = BytesIO()
    segno.make_micro("12345").save(out, kind="png", scale=8, border=4)
    assert read_picture(out.getvalue()) == []


def test_the_character_set_mark_is_no_part_of_the_text() -> None:
    out = BytesIO()
    segno.make("Tür", micro=False, eci=True, encoding="utf-8", error="m").save(out, kind="png", scale=6)
    assert read_picture(out.getvalue()) == ["Tür"]


def test_a_picture_of_twelve_million_pixels_is_read() -> None:
    picture = Image.new("L", (4000, 3000), 200)
    picture.paste(code(ONE, 20), (1500, 900))
    assert read_picture(encoded(picture)) == [ONE]


# What is refused


def test_what_is_no_whole_picture_is_refused() -> None:
    jpeg = frame("plain", 0)[0]
    assert read_picture(jpeg)
    for data in (b"", b"\x00", b"not a picture", jpeg[:-2000], jpeg[: len(jpeg) // 2], jpeg[:300]):
        assert refusal(data) == "not_a_picture"
    png = encoded(code(ONE), "PNG")
    assert refusal(png[: len(png) // 2]) == "not_a_picture"


def test_other_formats_are_refused() -> None:
    picture = code(ONE).resize((256, 256))
    for form in ("TIFF", "PDF", "ICO", "PPM", "TGA", "ICNS", "JPEG2000"):
        assert refusal(encoded(picture, form)) == "not_a_picture"
    assert refusal(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>') == (
        "not_a_picture"
    )


def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded() -> None:
    bomb = png_header(10_000, 10_000)
    assert len(bomb) < 20_480
    started = time.perf_counter()
    assert refusal(bomb) == "too_many_pixels"
    assert time.perf_counter() - started < 0.05
    assert read_picture(png_header(4_000, 3_000)) == []
    assert refusal(png_header(4_001, 3_000)) == "too_many_pixels"
    assert refusal(png_header(40_000, 5_000)) == "too_many_pixels"


@pytest.mark.parametrize("form", ["BMP", "JPEG", "GIF"])
def test_too_many_pixels_are_refused_in_every_format(form: str) -> None:
    assert refusal(encoded(Image.new("1", (4_100, 3_000)), form)) == "too_many_pixels"


def test_too_many_pixels_of_a_webp_are_refused_before_it_is_decoded() -> None:
    # The canvas of an extended WebP is in its header, each edge less one in three bytes.
    whole = encoded(code(ONE, 2).convert("RGBA"), "WEBP")
    for edge in (4_000, 16_383):
        size = struct.pack("<I", edge - 1)[:3] * 2
        extended = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + size
        data = b"RIFF" + struct.pack("<I", len(whole) + 10) + b"WEBP" + extended + whole[12:]
        assert refusal(data) in {"too_many_pixels", "not_a_picture"}


def test_a_file_over_five_mebibytes_is_refused_before_anything_else() -> None:
    whole = encoded(code(ONE), "PNG")
    assert read_picture(whole + bytes(MAX_BYTES - len(whole))) == [ONE]
    assert refusal(whole + bytes(MAX_BYTES - len(whole) + 1)) == "too_large"
    assert refusal(bytes(6_000_000)) == "too_large"


def test_a_refusal_repeats_nothing_of_the_picture(capfd: pytest.CaptureFixture[str]) -> None:
    for data in (b"SECRET", b"\x89PNG\r\n\x1a\nSECRET", b"GIF89aSECRET", b"\xff\xd8\xffSECRET"):
        with pytest.raises(PictureRefused) as caught:
            read_picture(data)
        assert "SECRET" not in f"{caught.value} {caught.value.args} {caught.value.__cause__}"
    assert capfd.readouterr() == ("", "")


STARTS = [frame("plain", 0, form)[0][:2000] for form in ("PNG", "WEBP", "BMP", "JPEG")]
STARTS.append(encoded(code(OTHER, 3), "GIF"))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([b"", *STARTS]), st.binary(max_size=400), st.integers(0, 2000), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(start: bytes, spoil: bytes, at: int, cut: int) -> None:
    data = start[:at] + spoil + start[at + cut :]
    outcome: list[str] | str
    try:
        outcome = read_picture(data)
    except PictureRefused as refused:
        outcome = refused.code
    assert outcome in ([], [OTHER], "not_a_picture", "too_many_pixels")


# Worker processes


@pytest.fixture
async def reader() -> AsyncIterator[PictureReader]:
    """A reader with two workers that have started."""
    reader = PictureReader()
    await reader.warm_up()
    yield reader
    await reader.close()


def workers() -> set[int]:
    """The process ids of this process's workers."""
    return {child.pid for child in multiprocessing.active_children() if child.pid}


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
    assert await refusal_of(reader, png_header(10_000, 10_000)) == "too_many_pixels"
    assert await refusal_of(reader, bytes(6_000_000)) == "too_large"


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
    assert workers().isdisjoint(before)


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
    threads = set(threading.enumerate())
    reader = PictureReader()
    await reader.warm_up()
    processes = workers()
    assert len(processes) == 2
    calls = [asyncio.create_task(refusal_of(reader, slow_picture(), 5)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await reader.close()
    assert await asyncio.gather(*calls) == ["busy"] * 3
    assert not any(map(alive, processes))
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    assert [name for name in left if not name.startswith("asyncio_")] == []
    assert await refusal_of(reader, encoded(code(ONE))) == "busy"


PROGRAM = """
import asyncio, multiprocessing
from app.effects.read_pictures import PictureReader
from tests.effects.test_read_pictures import slow_picture

print("main", flush=True)

async def main():
    reader = PictureReader()
    await reader.warm_up()
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    await reader.read(slow_picture(), timeout_s=60)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_workers_end_with_their_parent_and_never_run_its_main_module(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(read_pictures.__file__).parents[2]
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
