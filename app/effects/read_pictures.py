"""Reads the QR codes in a picture, in this process; `app.effects.picture_reader` does it in others.

A picture is hostile until it is read: the caps come before any decoding. It lives in memory alone; nothing of
it is written or logged, and no message repeats any of it.
"""

import math
import warnings
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from typing import Literal, NamedTuple

import zxingcpp

# WebP is not among the formats that Pillow loads by itself: else the first picture waits for all plug-ins.
from PIL import Image, ImageFilter, ImageOps, WebPImagePlugin  # noqa: F401

MAX_BYTES = 5 * 1024 * 1024
"""The largest picture file, in bytes."""

MAX_PIXELS = 12_000_000
"""The largest picture, as width times height, by its header."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""The formats that are read, by Pillow's names."""

RefusalCode = Literal["not_a_picture", "too_large", "too_many_pixels", "too_slow", "busy"]

# The second chances work on at most this many pixels, which bounds the time that a picture without any code
# costs.
_SECOND_CHANCE_PIXELS = 2_100_000
_ENLARGED_PIXELS = 4 * 1_050_000


class Box(NamedTuple):
    """A rectangle in a picture, in pixels from its top left corner: never empty, never beyond the picture.

    `right` and `bottom` are exclusive, so that `right - left` is the width.
    """

    left: int
    top: int
    right: int
    bottom: int

    def grown(self, width: int, height: int, least: int = 120) -> "Box":
        """The box grown around its middle to at least `least` pixels each way, for one in `width` x `height`.

        Where that would leave the picture, the box is shifted back into it. In a picture that is narrower or
        lower than `least` it reaches from edge to edge.
        """
        left, right = _grown(self.left, self.right, width, least)
        top, bottom = _grown(self.top, self.bottom, height, least)
        return Box(left, top, right, bottom)


class Code(NamedTuple):
    """A QR code: what it says, and the upright box around its modules, without the quiet zone."""

    text: str
    box: Box


class Picture(NamedTuple):
    """What was read in a picture of `width` x `height` pixels, as the file has them: EXIF turns nothing here.

    `codes` stand in reading order, rows from the top down, each from left to right. A text that is there more
    than once is given once, with the box of the first.
    """

    width: int
    height: int
    codes: tuple[Code, ...]

    @property
    def texts(self) -> list[str]:
        """The texts of the codes, in the same order."""
        return [code.text for code in self.codes]


class PictureRefused(Exception):
    """The picture was not read. `code` is stable; `message` is one constant sentence for each code."""

    code: RefusalCode
    message: str

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code = code
        self.message = _MESSAGES[code]

    def __str__(self) -> str:
        """The message."""
        return self.message


def read_picture(data: bytes) -> list[str]:
    """The texts of `read_codes`: every distinct text in a picture's QR codes; [] if there is none."""
    return read_codes(data).texts


def read_codes(data: bytes) -> Picture:
    """The size of a picture and its QR codes, each with its box.

    Only QR codes of model 2 count: no Micro QR, no rMQR, no other symbology; nor does one without a text. Of
    an animated picture the first frame is read. If the picture as it came shows no code, up to four versions
    of it that are easier to read are tried, until one shows some; all that it shows are given. Their boxes are
    in pixels of the picture as it came, whatever the size of the version.

    Raises PictureRefused with `too_large` (over 5 MiB), `too_many_pixels` (over 12 million by the header,
    before any decoding) or `not_a_picture` (not a JPEG, PNG, WebP, BMP or GIF, or broken or cut short).
    """
    if len(data) > MAX_BYTES:
        raise PictureRefused("too_large")
    gray = _decode(data)
    codes: tuple[Code, ...] = ()
    for version in chain((gray,), _second_chances(gray)):
        codes = _find(version, gray.width, gray.height)
        if codes:
            break
    return Picture(gray.width, gray.height, codes)


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
            raise PictureRefused("too_many_pixels") from None
        except Exception:  # noqa: BLE001 - broken pictures make Pillow raise nearly anything
            raise PictureRefused("not_a_picture") from None


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureRefused("too_many_pixels")


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


def _find(version: Image.Image, width: int, height: int) -> tuple[Code, ...]:
    """The codes of one gray version of a picture of `width` x `height`, in reading order."""
    # A memoryview keeps its bytes alive; zxingcpp.ImageView does not, and would read freed memory.
    pixels = memoryview(version.tobytes()).cast("B", (version.height, version.width))
    # Since version 3 QRCode is a family that has Micro QR and rMQR in it. The formats are made anew each time
    # because the library reports one that lives as long as the program as leaked.
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    found: list[Code] = []
    for barcode in zxingcpp.read_barcodes(pixels, formats=formats, text_mode=zxingcpp.TextMode.Plain):
        try:
            text = barcode.text
        except UnicodeDecodeError:
            continue
        if text:
            place = barcode.position
            corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
            left, right = _span([corner.x for corner in corners], version.width, width)
            top, bottom = _span([corner.y for corner in corners], version.height, height)
            found.append(Code(text, Box(left, top, right, bottom)))
    distinct: dict[str, Code] = {}
    for code in _in_reading_order(found):
        distinct.setdefault(code.text, code)
    return tuple(distinct.values())


def _span(corners: list[int], seen: int, whole: int) -> tuple[int, int]:
    """The pixels from the first corner to the last, found among `seen` pixels, of the `whole` that the picture has."""
    # A corner that was reckoned from the others may lie outside.
    low = min(max(0, min(corners) * whole // seen), whole - 1)
    high = min(max(low + 1, math.ceil(max(corners) * whole / seen)), whole)
    return low, high


def _grown(low: int, high: int, whole: int, least: int) -> tuple[int, int]:
    size = min(max(high - low, least), whole)
    start = low - (size - (high - low)) // 2
    start = max(0, min(start, whole - size))
    return start, start + size


def _in_reading_order(codes: list[Code]) -> list[Code]:
    """By rows: a code stands in a row if its top lies above the middle of the row's highest code."""
    rows: list[list[Code]] = []
    for code in sorted(codes, key=lambda code: (code.box.top, code.box.bottom)):
        if rows and 2 * code.box.top < rows[-1][0].box.top + rows[-1][0].box.bottom:
            rows[-1].append(code)
        else:
            rows.append([code])
    return [code for row in rows for code in sorted(row, key=lambda code: code.box.left + code.box.right)]


_MESSAGES: dict[RefusalCode, str] = {
    "not_a_picture": "The picture is not a whole JPEG, PNG, WebP, BMP or GIF.",
    "too_large": "The picture has more than 5 MiB.",
    "too_many_pixels": "The picture has more than 12 million pixels.",
    "too_slow": "The picture could not be read in time.",
    "busy": "Too many pictures are being read; try again.",
}
