"""What a face-recognition client waits for: its `recognize` against the decoding of the same picture's code.

One after another over one connection, each with a code of its own, so that every call is an admission: signed in,
decoded, settled, recorded and committed. The decoding alone is done in this process, turn and turn about.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from http.client import HTTPConnection

import httpx
import numpy as np

from app.effects.read_pictures import read_codes
from bench.sites import GATE, Site
from tests.effects.frames import Shot, encoded, take

TIMES = 60
_UNCOUNTED = 5


def print_recognize(at: Site) -> None:
    """A CompreFace `recognize` of a 720p JPEG as a multiple of decoding its code."""
    key = _connect(at)
    rng = np.random.default_rng(720)
    texts = at.population.mint(short=TIMES + _UNCOUNTED).short
    frames = [encoded(take(Shot(1280, 720, side=240, angle=4), [text], rng)) for text in texts]
    spent: dict[str, list[float]] = {"decoding its code": [], "recognize": []}
    with closing(HTTPConnection("127.0.0.1", at.server.port)) as http:
        for turn, frame in enumerate(frames):
            decoding = _milliseconds(partial(read_codes, frame))
            recognizing = _milliseconds(partial(_recognize, http, _form(frame), key))
            if turn >= _UNCOUNTED:
                spent["decoding its code"].append(decoding)
                spent["recognize"].append(recognizing)
    size = statistics.median(len(frame) for frame in frames) / 1024
    print(f"### CompreFace, a 1280 x 720 JPEG of {size:.0f} KiB, one at a time\n")
    print("| | ratio | median ms | p90 ms |\n|---|---:|---:|---:|")
    base = statistics.median(spent["decoding its code"])
    for name, values in spent.items():
        middle = statistics.median(values)
        print(f"| {name} | {middle / base:.2f} | {middle:.1f} | {sorted(values)[len(values) * 9 // 10]:.1f} |")
    print()


def _form(frame: bytes) -> bytes:
    head = b'--between\r\nContent-Disposition: form-data; name="file"; filename="frame.jpg"\r\n\r\n'
    return head + frame + b"\r\n--between--\r\n"


def _recognize(http: HTTPConnection, form: bytes, key: str) -> None:
    headers = {"x-api-key": key, "Content-Type": "multipart/form-data; boundary=between"}
    http.request("POST", "/api/v1/recognition/recognize", form, headers)
    answer = http.getresponse().read()
    if b'"similarity":1.0' not in answer:
        raise RuntimeError(answer.decode())


def _connect(at: Site) -> str:
    url, headers = f"http://127.0.0.1:{at.server.port}/v1/connections", {"Authorization": f"Bearer {at.key}"}
    made = httpx.post(url, headers=headers, json={"kind": "compreface", "gate": GATE})
    key: str = made.raise_for_status().json()["credentials"]["api_key"]
    return key


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
