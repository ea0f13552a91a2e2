"""Manifests and chunks, right ones and others, for two implementations to read alike. The same seed gives the same."""

import random
import zlib
from collections.abc import Callable
from typing import Any

import cbor2

from app.core.bundle import BundlePass, pack_passes, pack_refused, pack_statuses
from app.core.cose import enclose
from app.core.status_list import DRAFT
from tests.core.facts import NOW, an_id
from tests.faces.pages.core.fuzz import STRANGE, any_value, flipped, longer
from tests.faces.pages.core.offline_fuzz import Signer
from tests.vectors.parts import KID, LARGEST, PRIVATE, TENANT, dumps, public_of

_NUMBERS = (0, 1, 59, 1024, 65_536, LARGEST // 1_000_000, LARGEST // 1_000_000 + 1, LARGEST, LARGEST + 1, -1)
_HASHES = (bytes(16), b"\x01" * 16, b"\x02" * 15, b"\x03" * 17)
Part = tuple[str, bytes]
"""What it is, and its bytes."""


def parts(count: int, seed: int) -> list[Part]:
    """As many parts of bundles."""
    dice = random.Random(seed)
    return [dice.choice(_WAYS)(dice) for _ in range(count)]


def _manifest(dice: random.Random) -> Part:
    content = _content(dice)
    tenant = content["tenant"]
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        _change(dice, content)
    payload = dumps(content)
    if dice.random() < 0.2:
        payload = flipped(dice, payload)
    external_aad = dumps([dice.choice(("GPB1", "GPB1", "GPB1", "GPB1", "GPB1", "GPB1", "GPB1", "GP1")), tenant])
    body = enclose(payload, external_aad, Signer(KID if dice.random() < 0.95 else b"none"))
    if dice.random() < 0.1:
        body = dice.choice((flipped(dice, body), longer(dice, body), body + b"\x00", body[:-1], b""))
    return "manifest", body


def _content(dice: random.Random) -> dict[Any, Any]:
    start = NOW // 1_000_000
    return {
        "v": 1,
        "tenant": TENANT,
        "seq": NOW,
        "max_stale": 14_400,
        "epoch": dice.choice((0, 1, LARGEST)),
        "keys": [[KID, public_of(PRIVATE)], [b"abcd", bytes(32)]][: dice.choice((1, 2))],
        "gate": {
            "id": dice.choice(("main-door", "A", "g" * 64)),
            "direction": dice.choice(("entry", "exit", "both")),
            "repeat_window": dice.choice((0, 5)),
            "second_proof": dice.choice((0, 30)),
            "offline": dice.choice(("refuse", "bound_tokens", "admit_and_reconcile")),
        },
        "schedules": [[], [[0, 1]], [[start, start + 60], [start + 61, start + 90]]][: dice.randrange(4)],
        "status_list": DRAFT,
        "passes": [[0, bytes(16)], [7, b"\x01" * 16], [LARGEST, bytes(16)]][: dice.randrange(4)],
        "statuses": [[0, bytes(16)], [1, b"\x01" * 16]][: dice.randrange(3)],
        "refused": dice.choice((None, b"\x02" * 16)),
    }


def _change(dice: random.Random, content: dict[Any, Any]) -> None:
    """Something in it is something else, is missing, or is there too."""
    value = dice.choice((*STRANGE, *_NUMBERS, *_HASHES, "both", "refuse", "none", [0, 1], [[0, 1]], KID, bytes(32)))
    inner: Any = content[name] if (name := dice.choice((*content, "more"))) in content else None
    if isinstance(inner, list) and inner and dice.random() < 0.8:
        _change_list(dice, inner, value)
    elif isinstance(inner, dict) and dice.random() < 0.9:
        inner[dice.choice((*inner, "more"))] = value
    elif dice.random() < 0.8:
        content[name] = value
    else:
        content.pop(name, None)


def _change_list(dice: random.Random, items: list[Any], value: Any) -> None:
    at = dice.randrange(len(items))
    if isinstance(items[at], list) and items[at] and dice.random() < 0.8:
        _change_list(dice, items[at], value)
    elif (how := dice.randrange(5)) == 0:
        items.insert(at, items[at])
    elif how == 1:
        items.reverse()
    elif how == 2:
        items.insert(at, value)
    else:
        items[at] = value


def _passes(dice: random.Random) -> Part:
    right = [BundlePass(place, NOW, None, dice.choice((None, 1)), 1, None, 0) for place in (0, 7, 600, 1023)]
    right += [BundlePass(2, entries=LARGEST), BundlePass(3, max_entries=LARGEST, party_size=5)]
    content = cbor2.loads(zlib.decompress(pack_passes(dice.sample(right, dice.randrange(7)))))
    return "passes", _compressed(dice, content)


def _refused(dice: random.Random) -> Part:
    ids = [an_id(last) for last in dice.sample(range(100), dice.randrange(6))]
    return "refused", _compressed(dice, cbor2.loads(zlib.decompress(pack_refused(ids))))


def _compressed(dice: random.Random, content: list[Any]) -> bytes:
    for _ in range(dice.choice((0, 1, 1, 2))):
        if content:
            _change_list(dice, content, dice.choice((*STRANGE, *_NUMBERS, *_HASHES, an_id(50), [9], [1024], [5, None])))
    data = dumps(content)
    how = dice.randrange(12)
    if how == 0:
        data = flipped(dice, data)
    elif how == 1:
        data = dumps(any_value(dice, 3))
    elif how == 2:
        data += b"\x00"
    chunk = zlib.compress(data, dice.choice((0, 1, 9)))
    return _damaged(dice, chunk)


def _statuses(dice: random.Random) -> Part:
    statuses = {place: dice.randrange(4) for place in (0, 1, 2, 3, 4, 70, 65_535)}
    chunk = pack_statuses(statuses)
    content = cbor2.loads(chunk)
    how = dice.randrange(6)
    if how == 0:
        content[dice.choice(("bits", "lst", "more", 1))] = dice.choice((*STRANGE, *_NUMBERS))
    elif how == 1:
        content["lst"] = zlib.compress(bytes(dice.choice((16_383, 16_384, 16_385, 0, 65_536, 1 << 20))))
    elif how == 2:
        content["lst"] = _damaged(dice, content["lst"])
    elif how == 3:
        del content[dice.choice(("bits", "lst"))]
    return "statuses", dumps(content) if dice.random() < 0.95 else flipped(dice, chunk)


def _damaged(dice: random.Random, compressed: bytes) -> bytes:
    """Cut off, with bytes behind it, or with a byte flipped."""
    how = dice.randrange(20)
    if how == 0:
        return compressed[: dice.randrange(len(compressed))]
    if how == 1:
        return compressed + dice.choice((b"\x00", b"\xff" * 10, b"\x78\x9c"))
    return flipped(dice, compressed) if how == 2 else compressed


_WAYS: tuple[Callable[[random.Random], Part], ...] = (_manifest, _manifest, _manifest, _passes, _refused, _statuses)
