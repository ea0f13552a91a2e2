"""What is drawn is read again, and keeps what its docstrings promise."""

import re
from collections.abc import Callable
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from app.effects.draw_pictures import TextTooLong, draw_png, draw_svg, draw_terminal, modules
from app.effects.read_pictures import read_picture
from tests.effects.frames import encoded, short_text, signed_text

SIGNED = signed_text(np.random.default_rng(45))
SHORT = short_text(np.random.default_rng(32))
TEXTS = [SIGNED, SHORT, "1", "lower case, too", "Grüße, 東京 🚪"]
SVG = "{http://www.w3.org/2000/svg}"


def picture_of(rows: list[list[bool]], scale: int = 4) -> bytes:
    """A PNG of modules, made without the drawing code."""
    dark = np.array(rows, dtype=bool)
    return encoded(Image.fromarray(np.kron(~dark, np.ones((scale, scale), dtype=bool))), "PNG")


@pytest.mark.parametrize("text", TEXTS)
def test_a_drawn_png_is_read_again(text: str) -> None:
    assert read_picture(draw_png(text)) == [text]


def test_a_png_has_one_bit_a_pixel_and_is_small() -> None:
    data = draw_png(SIGNED)
    picture = Image.open(BytesIO(data))
    assert (picture.format, picture.mode) == ("PNG", "1")
    assert len(data) < 2_000


@pytest.mark.parametrize(("version", "length"), [(2, 30), (8, 200), (9, 240), (18, 780)])
def test_a_png_is_about_400_pixels_wide(version: int, length: int) -> None:
    rows = len(modules("A" * length))
    assert rows == 17 + 4 * version + 8
    width, height = Image.open(BytesIO(draw_png("A" * length))).size
    assert width == height
    assert width % rows == 0
    assert 324 <= width <= 400


def test_a_module_of_a_large_code_has_four_pixels() -> None:
    text = "A" * 3000
    assert Image.open(BytesIO(draw_png(text))).width == 4 * len(modules(text))


def test_a_signed_token_fits_version_8_or_9_because_it_is_alphanumeric() -> None:
    assert len(SIGNED) == 200
    assert len(modules(SIGNED)) in (17 + 4 * 8 + 8, 17 + 4 * 9 + 8)
    # The same length in bytes needs a larger code.
    assert len(modules(SIGNED.lower())) > 17 + 4 * 9 + 8


def test_a_text_with_a_long_number_in_it_stays_one_segment() -> None:
    text = "GP1:" + "7" * 196
    assert len(modules(text)) == len(modules("GP1:" + "A" * 196))


def test_the_quiet_zone_is_four_light_modules_on_every_side() -> None:
    dark = np.array(modules(SIGNED))
    assert not any(edge.any() for edge in (dark[:4], dark[-4:], dark[:, :4], dark[:, -4:]))
    assert all((dark[4, 4], dark[4, -5], dark[-5, 4]))


def test_one_text_gives_one_drawing() -> None:
    assert draw_png(SIGNED) == draw_png(SIGNED)
    assert draw_svg(SIGNED) == draw_svg(SIGNED)
    assert draw_png(SIGNED) != draw_png(SHORT)


@pytest.mark.parametrize("text", TEXTS)
def test_the_modules_that_an_svg_draws_are_read_again(text: str) -> None:
    root = ET.fromstring(draw_svg(text))
    ground, code = root.findall(f"{SVG}path")
    size = len(modules(text))
    assert root.get("viewBox") == f"0 0 {size} {size}"
    assert (ground.get("fill"), ground.get("d")) == ("#fff", f"M0 0h{size}v{size}H0z")
    assert code.get("fill") == "#000"
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", code.get("d", ""))
    assert "".join("M{} {}h{}v1h-{}z".format(*run) for run in runs) == code.get("d")
    drawn = [[False] * size for _ in range(size)]
    for x, y, length, back in (map(int, run) for run in runs):
        assert length == back
        drawn[y][x : x + length] = [True] * length
    assert drawn == modules(text)
    assert read_picture(picture_of(drawn)) == [text]


def test_an_svg_refers_to_nothing_outside() -> None:
    drawn = draw_svg(SIGNED).decode()
    assert drawn.count("http") == drawn.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert not re.search(r"href|url\(|<script|<style|<!|<\?", drawn)


@pytest.mark.parametrize("text", TEXTS)
def test_what_a_terminal_shows_is_read_again(text: str) -> None:
    shown = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    rows: list[list[bool]] = []
    for line in draw_terminal(text).splitlines():
        white_on_black = re.fullmatch(r"\x1b\[38;5;231;48;5;16m([█▀▄ ]+)\x1b\[0m", line)
        assert white_on_black
        pairs = [shown[block] for block in white_on_black[1]]
        rows += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    size = len(modules(text))
    assert rows[:size] == modules(text)
    assert not any(any(row) for row in rows[size:])
    assert read_picture(picture_of(rows)) == [text]


@pytest.mark.parametrize("draw", [draw_png, draw_svg, draw_terminal])
def test_a_text_that_cannot_be_drawn_is_refused(draw: Callable[[str], object]) -> None:
    with pytest.raises(TextTooLong):
        draw("x" * 2400)
    for text in ("", "\ud800"):
        with pytest.raises(ValueError, match=r"needs a text|surrogates"):
            draw(text)
