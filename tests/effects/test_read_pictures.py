"""Pictures of codes are read, each code has its place, and hostile pictures are refused."""

import statistics
import struct
import time
import zlib
from io import BytesIO

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from app.effects.read_pictures import (
    MAX_BYTES,
    Box,
    Picture,
    PictureRefused,
    _decode,
    _find,
    _second_chances,
    _span,
    read_codes,
    read_picture,
)
from tests.effects.frames import (
    DISTORTIONS,
    Edges,
    Random,
    Shot,
    code,
    encoded,
    frame,
    frame_placed,
    short_text,
    signed_text,
    take,
    take_placed,
)

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


def inside(box: Box, width: int, height: int) -> bool:
    """Whether a box has pixels, and all of them are a picture's."""
    return 0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height


def off(box: Box, edges: Edges) -> float:
    """How many pixels the worst edge of a box is away from where it was drawn."""
    return max(abs(read - drawn) for read, drawn in zip(box, edges, strict=True))


def versions(data: bytes) -> list[Picture]:
    """What each try by itself finds in a picture, the picture as it came first."""
    gray = _decode(data)
    return [Picture(*gray.size, _find(each, *gray.size)) for each in (gray, *_second_chances(gray))]


def grainy(deviation: float, side: float) -> tuple[bytes, Edges]:
    """A picture of 2501 x 1403 pixels with a code, under noise of a standard deviation; and where the code is."""

    def noise(values: NDArray[np.float32], rng: Random) -> NDArray[np.float32]:
        return values + rng.standard_normal(values.shape, dtype=np.float32) * deviation

    shot = Shot(2501, 1403, side=side, angle=20, after=noise)
    picture, (edges,) = take_placed(shot, [ONE], np.random.default_rng(1))
    return encoded(picture), edges


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


# Where it is


def test_the_box_of_a_code_ends_where_its_modules_end() -> None:
    picture = Image.new("L", (500, 700), 255)
    drawn = code(ONE, 5)
    picture.paste(drawn, (37, 81))
    modules = (57, 101, 17 + drawn.width, 61 + drawn.height)
    assert off(read_codes(encoded(picture, "PNG")).codes[0].box, modules) <= 1


@pytest.mark.parametrize("distortion", ["plain", "rotated", "perspective", "mirrored", "inverted"])
def test_the_box_of_a_clear_code_is_where_it_was_drawn(distortion: str) -> None:
    for seed in range(4):
        data, text, edges = frame_placed(distortion, seed)
        (found,) = read_codes(data).codes
        assert found.text == text
        assert off(found.box, edges) < 5


def test_a_code_that_is_only_read_in_the_reduced_picture_has_a_box_of_the_picture_as_it_came() -> None:
    data, edges = grainy(160, 600)
    at_once, equalised, *_ = versions(data)
    assert at_once.codes == ()
    picture = read_codes(data)
    assert picture == equalised == (2501, 1403, picture.codes)
    assert off(picture.codes[0].box, edges) < 8


@pytest.mark.parametrize(("seed", "last"), [(14, 3), (10, 4)])
def test_a_code_that_is_only_read_enlarged_has_a_box_of_the_picture_as_it_came(seed: int, last: int) -> None:
    data, text, edges = frame_placed("small", seed)
    *before, enlarged = versions(data)[: last + 1]
    assert not any(each.codes for each in before)
    picture = read_codes(data)
    assert picture == enlarged == (640, 480, picture.codes)
    assert picture.texts == [text]
    assert off(picture.codes[0].box, edges) < 3


def test_every_try_gives_a_code_the_same_box() -> None:
    data, edges = grainy(60, 1000)
    tries = versions(data)
    assert len(tries) == 5
    for each in tries:
        assert each.texts == [ONE]
        assert off(each.codes[0].box, edges) < 5


def test_each_of_several_codes_has_its_own_box() -> None:
    shot = Shot(1280, 720, side=330, angle=10)
    picture, edges = take_placed(shot, [OTHER, ONE], np.random.default_rng(3))
    found = read_codes(encoded(picture)).codes
    assert [each.text for each in found] == [OTHER, ONE]
    assert all(off(each.box, there) < 5 for each, there in zip(found, edges, strict=True))


def test_a_text_that_is_there_twice_has_the_box_of_the_first() -> None:
    picture, edges = take_placed(Shot(1280, 720, side=330), [ONE, ONE], np.random.default_rng(4))
    (found,) = read_codes(encoded(picture)).codes
    assert off(found.box, min(edges)) < 5


def test_the_box_of_a_code_that_is_cut_off_ends_with_the_picture() -> None:
    # Stood on its corner, so that the one which no finder pattern marks points to the right.
    whole = code(ONE, 8).rotate(45, expand=True, fillcolor=255)
    tip = read_codes(encoded(whole, "PNG")).codes[0].box
    width = tip.right - 4
    picture = read_codes(encoded(whole.crop((0, 0, width, whole.height)), "PNG"))
    assert picture.width == width
    assert picture.codes[0].text == ONE
    assert off(picture.codes[0].box, (tip.left, tip.top, width, tip.bottom)) < 5
    assert picture.codes[0].box.right == width


@given(st.lists(st.integers(-5_000, 5_000), min_size=4, max_size=4), st.integers(1, 4_000), st.integers(1, 4_000))
def test_corners_anywhere_give_pixels_of_the_picture(corners: list[int], seen: int, whole: int) -> None:
    low, high = _span(corners, seen, whole)
    assert 0 <= low < high <= whole


def test_the_size_of_a_picture_is_known_without_a_code() -> None:
    assert read_codes(png_header(400, 300)) == Picture(400, 300, ())


def test_a_mark_of_how_the_camera_was_held_turns_neither_the_size_nor_the_box() -> None:
    picture = Image.new("L", (640, 480), 255)
    picture.paste(code(ONE, 4), (300, 20))
    turned = Image.Exif()
    turned[0x0112] = 6
    out = BytesIO()
    picture.save(out, "JPEG", exif=turned)
    assert read_codes(out.getvalue()) == read_codes(encoded(picture, quality=75))
    assert read_codes(out.getvalue())[:2] == (640, 480)


def edges_within(length: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Two different edges, the lower one first, of something in a picture of a length."""
    edge = st.integers(0, length)
    return st.lists(edge, min_size=2, max_size=2, unique=True).map(sorted).map(tuple)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Box, int, int]:
    """A box, and the width and the height of the picture that it is in."""
    width, height = draw(st.integers(1, 500)), draw(st.integers(1, 500))
    (left, right), (top, bottom) = draw(edges_within(width)), draw(edges_within(height))
    return Box(left, top, right, bottom), width, height


@given(boxes(), st.integers(1, 200))
def test_a_grown_box_holds_the_box_stays_in_the_picture_and_is_large_enough(
    drawn: tuple[Box, int, int], least: int
) -> None:
    box, width, height = drawn
    grown = box.grown(width, height, least)
    assert inside(grown, width, height)
    assert grown.left <= box.left < box.right <= grown.right
    assert grown.top <= box.top < box.bottom <= grown.bottom
    assert grown.right - grown.left == max(box.right - box.left, min(least, width))
    assert grown.bottom - grown.top == max(box.bottom - box.top, min(least, height))


def test_a_box_grows_around_its_middle_and_is_shifted_back_at_an_edge() -> None:
    assert Box(300, 200, 340, 240).grown(640, 480) == (260, 160, 380, 280)
    assert Box(0, 470, 10, 480).grown(640, 480) == (0, 360, 120, 480)
    assert Box(40, 40, 60, 60).grown(100, 480) == (0, 0, 100, 120)
    assert Box(10, 10, 400, 210).grown(640, 480) == (10, 10, 400, 210)


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
        picture = read_codes(data)
        outcome = picture.texts
        assert all(inside(each.box, picture.width, picture.height) for each in picture.codes)
    except PictureRefused as refused:
        outcome = refused.code
    assert outcome in ([], [OTHER], "not_a_picture", "too_many_pixels")
