"""Bundles, and attempts at their gates, for two implementations to decide alike. The same seed gives the same."""

import random
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.bundle import (
    BLOCK,
    SEGMENT,
    BundlePass,
    Manifest,
    chunk_hash,
    pack_passes,
    pack_refused,
    pack_statuses,
)
from app.core.model import DAY, SECOND, Direction, Gate, OfflinePolicy, Use
from app.core.tokens.signed import encode_claims
from tests.core.facts import CREDENTIAL, EARLIER, NOW, VERIFICATION, a_token, an_id
from tests.faces.pages.core.fuzz import signed
from tests.vectors.parts import HEADER, KID, PRIVATE, TENANT, public_of, text_of

_HOUR = 3600 * SECOND
_TIMES = (-DAY, -_HOUR, -SECOND, -1, 0, 1, SECOND, _HOUR, DAY)
_OPAQUE = ("GP0B4PC2PCLLJUXRB4WUW2MHUXB6A", "1042 8392 0170", "1042 8392 0171", "GP1:", "04A2B3C4", "")


class Signer(NamedTuple):
    """The published key, as bundles are signed with it."""

    kid: bytes = KID

    def sign(self, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(PRIVATE).sign(message)


class Attempt(NamedTuple):
    """A text, and what the verifier has seen: the arguments of `offline_facts`."""

    text: str
    seen: dict[str, Any]


class World(NamedTuple):
    """A bundle in parts, the attempts at its gate, and the places to look up in it."""

    manifest: Manifest
    chunks: dict[bytes, bytes]
    attempts: list[Attempt]
    places: list[int]


def a_world(seed: int, attempts: int) -> World:
    dice = random.Random(seed)
    schedules = tuple(_schedule(dice) for _ in range(3))
    places = [*sorted(dice.sample(range(3 * BLOCK), 60)), SEGMENT, SEGMENT + 1, 2**40, 2**53 - 1]
    blocks: dict[int, list[BundlePass]] = {}
    for idx in places[: -1 if dice.random() < 0.5 else None]:
        blocks.setdefault(idx // BLOCK, []).append(_a_pass(dice, idx, len(schedules)))
    packed = {block: pack_passes(passes) for block, passes in blocks.items()}
    statuses: dict[int, dict[int, int]] = {}
    for idx in [*dice.sample(places, 20), 70, 71, SEGMENT - 1]:
        statuses.setdefault(idx // SEGMENT, {})[idx % SEGMENT] = dice.choice((1, 1, 2, 3))
    segments = {segment: pack_statuses(each) for segment, each in statuses.items()}
    refused = pack_refused([an_id(last) for last in range(100, 110)]) if dice.random() < 0.8 else None
    chunks = [*packed.values(), *segments.values(), *([refused] if refused else [])]
    manifest = Manifest(
        tenant=TENANT,
        seq=NOW + dice.choice((-3600, -60, -60, 0, 29)) * SECOND + dice.randrange(SECOND),
        max_stale=dice.choice((60, 14_400, 604_800)) * SECOND,
        epoch=dice.choice((0, 0, 2)),
        keys={KID: public_of(PRIVATE)},
        gate=_a_gate(dice),
        offline=dice.choice((*OfflinePolicy, OfflinePolicy.ADMIT_AND_RECONCILE, OfflinePolicy.ADMIT_AND_RECONCILE)),
        schedules=schedules,
        passes={block: chunk_hash(chunk) for block, chunk in sorted(packed.items())},
        statuses={segment: chunk_hash(chunk) for segment, chunk in sorted(segments.items())},
        refused=refused and chunk_hash(refused),
    )
    looked_up = [*places, 69, 70, 71, SEGMENT - 1, 3 * BLOCK, 2**53 - 2]
    made = [_an_attempt(dice, manifest, looked_up) for _ in range(attempts)]
    return World(manifest, {chunk_hash(chunk): chunk for chunk in chunks}, made, looked_up)


def _a_gate(dice: random.Random) -> Gate:
    direction = dice.choice((Direction.ENTRY, Direction.ENTRY, Direction.EXIT, Direction.BOTH))
    window, second_proof = dice.choice((0, 5, 60)), dice.choice((0, 0, 0, 30))
    return Gate("main-door", direction, repeat_window=window * SECOND, second_proof=second_proof * SECOND)


def _schedule(dice: random.Random) -> tuple[tuple[int, int], ...]:
    start, intervals = NOW - 3 * DAY, []
    for _ in range(dice.choice((0, 1, 5))):
        start += dice.choice((1, 3600, 86_400)) * SECOND
        end = start + dice.choice((1, 7200, 86_400, 172_800)) * SECOND
        intervals.append((start, end))
        start = end + SECOND
    return tuple(intervals)


def _a_pass(dice: random.Random, idx: int, schedules: int) -> BundlePass:
    if dice.random() < 0.4:
        return BundlePass(idx)
    limited = dice.random() < 0.4
    return BundlePass(
        idx,
        dice.choice((None, None, NOW + dice.choice(_TIMES))),
        dice.choice((None, None, NOW + dice.choice(_TIMES))),
        dice.choice((None, None, dice.randrange(schedules))),
        dice.choice((1, 1, 2, 5)),
        dice.choice((0, 1, 3)) if limited else None,
        dice.choice((0, 1, 3)) if limited else 0,
    )


def _an_attempt(dice: random.Random, manifest: Manifest, places: list[int]) -> Attempt:
    issued_at = NOW + dice.choice((-3600, -60, -10, -10, 0, 29, 31)) * SECOND
    token = a_token(
        id=an_id(dice.randrange(100, 140)),
        issued_at=issued_at,
        expires_at=issued_at + dice.choice((1, 60, 86_400)) * SECOND,
        gate=dice.choice((None, None, "main-door", "back-door")),
        reusable=dice.random() < 0.2,
        epoch=dice.choice((0, 2)),
    )
    text = text_of(signed(HEADER, encode_claims(token, dice.choice(places))))
    if dice.random() < 0.1:
        text = dice.choice((*_OPAQUE, text[:-3]))
    both = manifest.gate.direction is Direction.BOTH
    return Attempt(
        text,
        {
            "now": NOW + dice.choice((0, 0, 0, 1, *_TIMES)),
            "direction": dice.choice((Direction.ENTRY, Direction.EXIT)) if both else None,
            "exit_bound": dice.random() < 0.2,
            "last_use": None if dice.random() < 0.5 else _a_use(dice),
            "entries_since": dice.choice((0, 0, 1, 2)),
            "last_good": NOW + dice.choice((-3600, 0, 0, 20, 30, 31)) * SECOND,
            "credential": CREDENTIAL,
            "verification": VERIFICATION,
            "people": dice.choice((1, 1, 1, 2, 4)),
        },
    )


def _a_use(dice: random.Random) -> Use:
    return Use(
        number=dice.choice((1, 2, 7)),
        verification=EARLIER,
        at=NOW - dice.choice((1, 5 * SECOND - 1, 5 * SECOND, -1, 0)),
        gate=dice.choice(("main-door", "main-door", "back-door")),
        credential=dice.choice((CREDENTIAL, CREDENTIAL, EARLIER)),
        direction=dice.choice((Direction.ENTRY, Direction.ENTRY, Direction.EXIT)),
        voided=dice.random() < 0.1,
        let_in=dice.choice((0, 1, 1, 2)),
        people=dice.choice((1, 1, 2)),
        pass_=dice.choice((None, None, VERIFICATION)),
    )
