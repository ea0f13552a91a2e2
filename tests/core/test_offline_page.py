"""docs/offline.md says what is so of the bundle: its example is a good vector, its numbers are those of the code."""

import json
import re
from pathlib import Path

import cbor2
import pytest

from app.core.bundle import BLOCK, SEGMENT
from app.core.bundle_chunks import _MOST_PASSES, _MOST_REFUSED, HASH_BYTES
from app.core.manifest import _FIELDS, _GATE_FIELDS, MAX_MANIFEST
from app.core.model import Direction, OfflinePolicy
from app.core.status_list import APPLICATION_SPECIFIC, DRAFT, INVALID, SUSPENDED, VALID
from app.core.strict_cbor import MAX_INT
from tests.vectors import make

PAGE = (Path(__file__).parents[2] / "docs" / "offline.md").read_text("utf-8")
SECOND = json.loads((make.FOLDER / "bundle.json").read_text("ascii"))["good"][1]


def blocks() -> list[bytes]:
    """The bytes that the page shows."""
    found = re.findall(r"^```hex\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [bytes.fromhex("".join(line.partition("#")[0] for line in block.splitlines())) for block in found]


def test_the_bytes_are_those_of_the_second_good_vector() -> None:
    manifest, passes = blocks()
    assert manifest.hex() == SECOND["manifest"]
    assert passes.hex() in SECOND["chunks"].values()
    assert cbor2.loads(cbor2.loads(manifest)[2])["passes"][0][1].hex() == next(iter(SECOND["chunks"]))


def test_every_field_of_the_manifest_is_described() -> None:
    for field in _FIELDS | _GATE_FIELDS:
        assert f'  "{field}": ' in PAGE


@pytest.mark.parametrize(
    "said",
    [
        f"one for each block of {BLOCK:,} places",
        f"one for each segment of {SEGMENT:,} places",
        f"more than {MAX_MANIFEST:,} bytes",
        f"more than {_MOST_PASSES:,} bytes (passes) or {_MOST_REFUSED:,} (refused), or not {SEGMENT // 4:,} (statuses)",
        f"hash = bstr .size {HASH_BYTES} ; the first {HASH_BYTES} bytes of the chunk's SHA-256",
        f"number = 0..{MAX_INT}",
        f'"status_list": "{DRAFT}"',
        f'"direction": {" / ".join(f"{chr(34)}{each}{chr(34)}" for each in Direction)}',
        f'"offline": {" / ".join(f"{chr(34)}{each}{chr(34)}" for each in OfflinePolicy)}',
        f"| {VALID} | VALID |",
        f"| {INVALID} | INVALID |",
        f"| {SUSPENDED} | SUSPENDED |",
        f"| {APPLICATION_SPECIFIC} | APPLICATION_SPECIFIC |",
    ],
)
def test_what_the_page_says_is_what_the_code_does(said: str) -> None:
    assert said in re.sub(r"\s+", " ", PAGE)
