"""Frames as a gate's camera sees them: a QR code in a scene, distorted in a known way.

Everything follows from (distortion, seed), so a rate measured twice is the same rate. The codes are drawn
by segno, which is not what the service draws with, so that reader and drawer cannot share a mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from zlib import crc32

import numpy as np
import segno
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

Gray = NDArray[np.float32]
Random = np.random.Generator
Edges = tuple[float, float, float, float]
"""The left, top, right and bottom edge of a code without its quiet zone, in pixels of the frame."""

_FINE = 6
"""Pixels of a module before the code is laid into the scene."""

_QUIET = 4
"""Modules of the quiet zone."""


@dataclass(frozen=True)
class Shot:
    """How one frame is taken. Sizes are in pixels, angles in degrees, shares between 0 and 1."""

    width: int
    height: int
    side: float
    """The code with its quiet zone, in pixels along one edge."""
    angle: float = 0.0
    tilt: float = 0.0
    """How much shorter the far edge of a code seen from the side is."""
    mirrored: bool = False
    inverted: bool = False
    after: Callable[[Gray, Random], Gray] | None = None
    """What the optics and the light do to the whole frame."""
    quality: int = 85


def signed_text(rng: Random) -> str:
    """A text of the form and the size of a signed token: `GP1:` and 196 characters of base45."""
    return "GP1:" + "".join(rng.choice(list(BASE45), 196))


def short_text(rng: Random) -> str:
    """A text of the form and the size of a short token: `GP0` and 26 characters of base32."""
    return "GP0" + "".join(rng.choice(list(BASE32), 26))


def code(text: str, scale: int = _FINE) -> Image.Image:
    """The code of a text with its quiet zone: mode L, 0 and 255, `scale` pixels a module."""
    return Image.fromarray(np.kron(_modules(text), np.ones((scale, scale), dtype=np.uint8)))


@lru_cache(maxsize=8)
def _modules(text: str) -> NDArray[np.uint8]:
    # To weigh all eight masks would take longer than the rest of a frame.
    mask = crc32(text.encode()) % 8
    drawn = segno.make(text, error="m", micro=False, boost_error=False, mask=mask)
    rows = drawn.matrix_iter(scale=1, border=_QUIET)
    return np.array([[0 if dark else 255 for dark in row] for row in rows], dtype=np.uint8)


def scene(rng: Random, width: int, height: int) -> Image.Image:
    """A background that is nowhere even: a gradient, shapes, and patches of light."""
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    slope = rng.uniform(-45, 45, 2)
    ground = rng.uniform(90, 150) + slope[0] * x + slope[1] * y
    patches = Image.fromarray(rng.uniform(-25, 25, (9, 16)).astype(np.float32))
    ground = ground + np.asarray(patches.resize((width, height), Image.Resampling.BICUBIC))
    picture = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        left, top = rng.uniform(-0.1, 1.0) * width, rng.uniform(-0.1, 1.0) * height
        box = (left, top, left + rng.uniform(0.03, 0.3) * width, top + rng.uniform(0.03, 0.3) * height)
        shape = draw.rectangle if rng.random() < 0.6 else draw.ellipse
        shape(box, fill=int(rng.uniform(20, 235)))
    return picture


def _corners(shot: Shot, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the code's four corners lie in the frame, clockwise from its own top left."""
    half = shot.side / 2
    square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    depth = 1.0 - shot.tilt * (square[:, 0] / shot.side + 0.5)
    seen = square * np.stack([np.full(4, 1.0 - 0.35 * shot.tilt), depth], axis=1)
    turn = np.deg2rad(shot.angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(seen @ rotation.T + centre)


def _lay(ground: Image.Image, drawn: Image.Image, corners: NDArray[np.float64]) -> tuple[Image.Image, Edges]:
    """The scene with the drawn code in it, its corners on the given ones; and where the code now is."""
    low = np.floor(corners.min(axis=0)).astype(int) - 1
    size = np.ceil(corners.max(axis=0)).astype(int) + 1 - low
    edge = drawn.width
    source = [(0, 0), (edge, 0), (edge, edge), (0, edge)]
    rows, right = [], []
    twice = 2 * (corners - low)
    for (x, y), (u, v) in zip(twice, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    matrix = tuple(np.linalg.solve(np.array(rows), np.array(right)))
    large, small = (2 * int(size[0]), 2 * int(size[1])), (int(size[0]), int(size[1]))

    # A module is wider than two pixels of the doubled frame only sometimes: smoothing first avoids aliasing.
    step = edge / max(1.0, float(np.linalg.norm(twice[1] - twice[0])))
    soft = drawn.filter(ImageFilter.BoxBlur(max(0.0, step / 2 - 0.5)))
    perspective = Image.Transform.PERSPECTIVE
    warped = soft.transform(large, perspective, matrix, Image.Resampling.BILINEAR)
    inside = Image.new("L", drawn.size, 255).transform(large, perspective, matrix, Image.Resampling.BILINEAR)
    framed = ground.copy()
    box = Image.Resampling.BOX
    framed.paste(warped.resize(small, box), (int(low[0]), int(low[1])), inside.resize(small, box))

    near, far = _QUIET * _FINE, edge - _QUIET * _FINE
    back = np.linalg.inv(np.array([*matrix, 1.0]).reshape(3, 3))
    x, y, depth = back @ np.array([[near, far, far, near], [near, near, far, far], [1, 1, 1, 1]])
    x, y = x / depth / 2 + low[0], y / depth / 2 + low[1]
    return framed, (float(x.min()), float(y.min()), float(x.max()), float(y.max()))


def take(shot: Shot, texts: list[str], rng: Random) -> Image.Image:
    """The frame of a shot with the texts' codes side by side: mode RGB, `shot.width` x `shot.height`."""
    return take_placed(shot, texts, rng)[0]


def take_placed(shot: Shot, texts: list[str], rng: Random) -> tuple[Image.Image, list[Edges]]:
    """The frame as `take` gives it, and where each text's code is."""
    picture = scene(rng, shot.width, shot.height)
    edges = []
    for place, text in enumerate(texts):
        drawn = code(text)
        if shot.inverted:
            drawn = drawn.point(lambda value: 255 - value)
        if shot.mirrored:
            drawn = drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        # Ink and a screen are neither black nor white to a camera.
        drawn = drawn.point(lambda value: 28 + value * 200 // 255)
        reach = shot.side * 0.72 if shot.angle % 90 else shot.side * 0.52
        share = (place + 0.5) / len(texts)
        free = np.maximum(0.0, np.array([shot.width / len(texts), shot.height]) / 2 - reach)
        centre = np.array([share * shot.width, shot.height / 2]) + rng.uniform(-1, 1, 2) * free
        picture, there = _lay(picture, drawn, _corners(shot, centre))
        edges.append(there)
    # No lens draws a module's edge within one pixel.
    values = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6))).astype(np.float32)
    if shot.after is not None:
        values = shot.after(values, rng)
    values = values + rng.standard_normal(values.shape, dtype=np.float32) * 3
    tint = rng.uniform(0.94, 1.0, 3).astype(np.float32)
    return Image.fromarray(np.clip(values[:, :, None] * tint, 0, 255).astype(np.uint8)), edges


def _blurred(values: Gray, sigma: float) -> Gray:
    picture = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(sigma))).astype(np.float32)


def _out_of_focus(modules: float) -> Callable[[Gray, Random], Gray]:
    return lambda values, rng: _blurred(values, modules * rng.uniform(0.8, 1.2))


def _moved(pixels: float) -> Callable[[Gray, Random], Gray]:
    def after(values: Gray, rng: Random) -> Gray:
        length, turn = max(2, round(pixels * rng.uniform(0.7, 1.3))), rng.uniform(0, np.pi)
        steps = np.linspace(-0.5, 0.5, length) * length
        moved = [np.roll(values, (round(s * np.sin(turn)), round(s * np.cos(turn))), (0, 1)) for s in steps]
        return np.asarray(np.mean(moved, axis=0), dtype=np.float32)

    return after


def _dim(values: Gray, rng: Random) -> Gray:
    exposed = values * rng.uniform(0.06, 0.16)
    return np.round(exposed + rng.standard_normal(values.shape, dtype=np.float32) * 2.5).astype(np.float32)


def _pale(values: Gray, rng: Random) -> Gray:
    share = rng.uniform(0.04, 0.14)
    return (values * share + rng.uniform(120, 230) * (1 - share)).astype(np.float32)


def _glare(values: Gray, rng: Random) -> Gray:
    height, width = values.shape
    x, y = np.arange(width) / width, (np.arange(height) / height)[:, None]
    light = np.zeros_like(values)
    at = np.zeros(2)
    for _ in range(2):
        at, wide = rng.uniform(0.3, 0.7, 2), rng.uniform(0.06, 0.2)
        light += rng.uniform(90, 220) * np.exp(-(((x - at[0]) ** 2) + ((y - at[1]) ** 2)) / (2 * wide**2))
    shade = 1.0 - 0.6 / (1.0 + np.exp(-(x * np.cos(at[0] * 9) + y * np.sin(at[0] * 9) - at[1]) * 30))
    return np.asarray(values * shade + light, dtype=np.float32)


def _moire(values: Gray, rng: Random) -> Gray:
    height, width = values.shape
    x, y = np.arange(width), np.arange(height)[:, None]
    waves = np.zeros_like(values)
    for _ in range(2):
        turn, period = rng.uniform(0, np.pi), rng.uniform(2.3, 9.0)
        waves += np.sin((x * np.cos(turn) + y * np.sin(turn)) * 2 * np.pi / period)
    return (values * (1 + 0.22 * waves)).astype(np.float32)


def _shot(distortion: str, rng: Random, modules: int) -> Shot:
    wide = rng.random() < 0.25
    width, height = (1280, 720) if wide else (640, 480)
    # From 4 pixels a module on, so that each distortion is met for itself and not for smallness.
    side = max(float(rng.uniform(0.45, 0.62)) * height, 4.0 * modules)
    side = min(side, 0.68 * height)
    pixels = side / modules
    plain = Shot(width, height, side, angle=float(rng.uniform(-8, 8)))
    changes: dict[str, dict[str, object]] = {
        "plain": {},
        "rotated": {"angle": float(rng.uniform(0, 360))},
        "perspective": {"angle": float(rng.uniform(-25, 25)), "tilt": float(rng.uniform(0.3, 0.65))},
        "gaussian blur": {"after": _out_of_focus(0.6 * pixels)},
        "motion blur": {"after": _moved(1.5 * pixels)},
        "dim": {"after": _dim},
        "low contrast": {"after": _pale},
        "small": {"side": float(rng.uniform(1.2, 2.2)) * modules},
        "mirrored": {"mirrored": True},
        "inverted": {"inverted": True},
        "JPEG quality 30": {"quality": 30, "side": min(side, float(rng.uniform(1.6, 2.6)) * modules)},
        "glare": {"after": _glare},
        "moire": {"after": _moire},
    }
    return replace(plain, **changes[distortion])  # type: ignore[arg-type]


DISTORTIONS = (
    "plain", "rotated", "perspective", "gaussian blur", "motion blur", "dim", "low contrast", "small",
    "mirrored", "inverted", "JPEG quality 30", "glare", "moire",
)  # fmt: skip


def encoded(picture: Image.Image, form: str = "JPEG", quality: int = 85) -> bytes:
    """The bytes of a picture file: PNG and BMP as they are, JPEG and WebP with the given quality."""
    out = BytesIO()
    picture.save(out, form, **({"quality": quality} if form in {"JPEG", "WEBP"} else {}))
    return out.getvalue()


def frame(distortion: str, seed: int, form: str = "JPEG") -> tuple[bytes, str]:
    """One camera frame as a picture file, and the text in it: of three texts two are signed tokens."""
    data, text, _ = frame_placed(distortion, seed, form)
    return data, text


def frame_placed(distortion: str, seed: int, form: str = "JPEG") -> tuple[bytes, str, Edges]:
    """The frame and the text as `frame` gives them, and where the code is."""
    rng = np.random.default_rng([seed, DISTORTIONS.index(distortion)])
    text = short_text(rng) if seed % 3 == 2 else signed_text(rng)
    shot = _shot(distortion, rng, code(text, 1).width)
    picture, (edges,) = take_placed(shot, [text], rng)
    return encoded(picture, form, shot.quality), text, edges
