"""The process that decodes pictures for a `PictureReader`: one after another, from its standard input.

A picture comes as its length (4 bytes, big-endian) and its bytes. The answer is one line of JSON: `{"width", "height",
"codes": [[text, left, top, right, bottom], ...]}` or `{"refused": code}`. JSON, because a hostile picture might take
this process over, and whoever reads the answer must not run it.
"""

import json
import os
import resource
import signal
import sys
import threading
from time import sleep

from PIL import Image

from app.effects.read_pictures import MAX_PIXELS, PictureRefused, read_codes

LENGTH_BYTES = 4
MOST_CODES = 64
"""How many codes of a picture are answered, in reading order."""

_LOOK_EVERY_S = 0.5

# A GIF of one pixel, with which the parts are tried: the first person waits for no imports.
_SPECK = bytes.fromhex("47494638376101000100800000000000ffffff2c00000000010001000002024401003b")


def main() -> None:
    """Decode until there is no more input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the service, which ends its workers
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would put a picture on the disk
    # Pillow's own check comes before it sets memory aside, and refuses from twice this number on.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    pictures, answers = sys.stdin.buffer, sys.stdout.buffer
    answer = _read(_SPECK)
    while True:
        answers.write(answer + b"\n")
        answers.flush()
        length = pictures.read(LENGTH_BYTES)
        if len(length) < LENGTH_BYTES:
            return
        answer = _read(pictures.read(int.from_bytes(length, "big")))


def _read(data: bytes) -> bytes:
    try:
        picture = read_codes(data)
    except PictureRefused as refused:
        return json.dumps({"refused": refused.code}).encode()
    codes = [[code.text, *code.box] for code in picture.codes[:MOST_CODES]]
    return json.dumps({"width": picture.width, "height": picture.height, "codes": codes}).encode()


def _end_with_parent(parent: int) -> None:
    """The parent may be killed while a picture is decoded."""
    while os.getppid() == parent:
        sleep(_LOOK_EVERY_S)
    os._exit(1)


if __name__ == "__main__":
    main()
