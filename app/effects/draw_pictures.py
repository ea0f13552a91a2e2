"""Draws QR codes: as a PNG, as an SVG, and for a terminal.

Every drawing has error correction M and a quiet zone of 4 modules, dark on light. One text always gives one
drawing, byte for byte.
"""

from io import BytesIO

from PIL import Image
from qrcode import constants  # type: ignore[import-untyped]
from qrcode.exceptions import DataOverflowError  # type: ignore[import-untyped]
from qrcode.main import QRCode  # type: ignore[import-untyped]
from qrcode.util import ALPHA_NUM, MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData  # type: ignore[import-untyped]

QUIET_ZONE = 4
"""Modules of white around the code, as ISO/IEC 18004 demands."""

PNG_WIDTH = 400
"""Pixels that a PNG is at most wide, unless a module would then be smaller than `LEAST_MODULE`."""

LEAST_MODULE = 4
"""Pixels of the smallest module in a PNG: what a cheap camera still tells apart on a screen."""


class TextTooLong(ValueError):
    """The text does not fit into the largest QR code (version 40)."""


def draw_png(text: str) -> bytes:
    """A PNG: 1 bit a pixel, square, black on white, 324 to 400 pixels wide up to version 18, then wider.

    A module is a whole number of pixels, at least 4. Raises ValueError for a text that is empty or has a lone
    surrogate in it, TextTooLong for one that no code can hold.
    """
    rows = modules(text)
    width = len(rows)
    picture = Image.new("1", (width, width))
    picture.putdata([0 if dark else 1 for row in rows for dark in row])
    edge = max(LEAST_MODULE, PNG_WIDTH // width)
    png = BytesIO()
    picture.resize((width * edge, width * edge), Image.Resampling.NEAREST).save(png, "PNG", optimize=True)
    return png.getvalue()


def draw_svg(text: str) -> bytes:
    """An SVG in UTF-8: one unit a module, one black path on an explicit white ground, nothing from outside.

    It has a viewBox and no size of its own: the page that shows it decides. Raises as `draw_png` does.
    """
    rows = modules(text)
    size = len(rows)
    path = "".join(
        f"M{start} {line}h{length}v1h-{length}z" for line, row in enumerate(rows) for start, length in _dark_runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    ).encode()


def draw_terminal(text: str) -> str:
    """Lines for a terminal, two rows of modules a line, each line ended by a newline.

    Both colours are named (white and black of the 256-colour palette), so that it scans on a dark terminal
    and on a light one. Raises as `draw_png` does.
    """
    rows = modules(text)
    if len(rows) % 2:
        rows = [*rows, [False] * len(rows)]
    # The upper half block is drawn in the foreground colour: white where the upper module is light.
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    lines = (
        "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
    return "".join(f"\x1b[38;5;231;48;5;16m{line}\x1b[0m\n" for line in lines)


def modules(text: str) -> list[list[bool]]:
    """The code's square of modules with its quiet zone, row by row; True is dark.

    The text is encoded in the alphanumeric mode if its characters allow that, else as UTF-8 bytes. Raises as
    `draw_png` does.
    """
    if not text:
        raise ValueError("a QR code needs a text")
    data = text.encode()
    # A digit-only stretch would else be cut out into a segment of its own, with a header of its own.
    mode = MODE_ALPHA_NUM if set(data) <= set(ALPHA_NUM) else MODE_8BIT_BYTE
    code: QRCode = QRCode(error_correction=constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(QRData(data, mode=mode), optimize=0)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):
        raise TextTooLong("the text does not fit into a QR code") from None
    return [[bool(dark) for dark in row] for row in code.get_matrix()]


def _dark_runs(row: list[bool]) -> list[tuple[int, int]]:
    """Where the dark runs of a row start, and how long they are."""
    runs: list[tuple[int, int]] = []
    for place, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((place, 1))
    return runs
