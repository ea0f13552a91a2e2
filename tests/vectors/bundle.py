"""The vectors of bundles: manifests and chunks, what comes out of them, and what is to be refused.

Chunks are stored within zlib, not compressed, since no two compressors need write the same; some that were compressed
stand here as they came out.
"""

from typing import Any

from tests.vectors.bad_bundles import bad_bundles
from tests.vectors.bundle_parts import (
    COMPRESSED_PASSES,
    COMPRESSED_STATUSES,
    ID_A,
    ID_B,
    NOW,
    SCHEDULES,
    chunk_hash,
    manifest,
    passes_chunk,
    refused_chunk,
    signed,
    status_chunk,
    statuses_of,
    stored,
)
from tests.vectors.parts import KID, LARGEST, OTHER_PRIVATE, PRIVATE, TENANT, VERSION, Json, dumps, kid_of, public_of

SECOND = 1_000_000


def a_pass(**other: Any) -> Json:
    """What is asked of a bundle about a pass. Times are microseconds UTC."""
    nothing: Json = {
        "valid_from": None,
        "valid_until": None,
        "max_entries": None,
        "entries": 0,
        "status": "active",
        "blocked": False,
        "hours": None,
        "party_size": 1,
    }
    return nothing | other


def entry(
    name: str, content: Json, chunks: list[bytes], passes: dict[int, Json | None], taken: dict[bytes, bool]
) -> Json:
    return {
        "name": name,
        "manifest": signed(content).hex(),
        "chunks": {chunk_hash(chunk).hex(): chunk.hex() for chunk in chunks},
        "content": _in_json(content),
        "passes": {str(idx): expected for idx, expected in passes.items()},
        "taken_back": {id_.hex(): expected for id_, expected in taken.items()},
    }


def _in_json(content: Json) -> Json:
    """The content as JSON: bytes in hexadecimal, lists of pairs as they are."""

    def shown(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, list):
            return [shown(each) for each in value]
        return {key: shown(each) for key, each in value.items()} if isinstance(value, dict) else value

    made: Json = shown(content)
    return made


def good_bundles() -> list[Json]:
    hours = [[start * SECOND, end * SECOND] for start, end in SCHEDULES[1]]
    block_4 = passes_chunk(
        [0],
        [7, NOW, NOW + 86_400],
        [8, None, NOW + 60, 1],
        [9, None, None, 0, 4],
        [10, None, None, None, 1, 10, 3],
        [11, None, None, None, 1, 10],
        [12, NOW],
        [1023, NOW, NOW + 1, 1, 2, 1, 1],
    )
    statuses = status_chunk({4097: 1, 4103: 2, 4106: 3, 65_535: 1})
    second = status_chunk({0: 2, 5: 1})
    refused = refused_chunk(ID_A, ID_B)
    everything = manifest(
        schedules=SCHEDULES,
        passes=[[4, chunk_hash(block_4)]],
        statuses=[[0, chunk_hash(statuses)], [1, chunk_hash(second)]],
        refused=chunk_hash(refused),
    )
    same = passes_chunk([5])
    compressed = bytes.fromhex(COMPRESSED_PASSES)
    compressed_statuses = dumps({"bits": 2, "lst": bytes.fromhex(COMPRESSED_STATUSES)})
    plain = dumps({"bits": 2, "lst": stored(statuses_of({2: 2, 3: 1, 4: 3, 65_535: 1}))})
    last_block = LARGEST // 1024
    return [
        entry("nothing but the keys and the gate", manifest(), [], {0: None, 4711: None, LARGEST: None}, {ID_A: False}),
        entry(
            "everything that there can be",
            everything,
            [block_4, statuses, second, refused],
            {
                4096: a_pass(),
                4097: a_pass(status="revoked"),
                4098: None,
                4103: a_pass(valid_from=NOW * SECOND, valid_until=(NOW + 86_400) * SECOND, status="suspended"),
                4104: a_pass(valid_until=(NOW + 60) * SECOND, hours=hours),
                4105: a_pass(hours=[], party_size=4),
                4106: a_pass(max_entries=10, entries=3, blocked=True),
                4107: a_pass(max_entries=10),
                4108: a_pass(valid_from=NOW * SECOND),
                5119: a_pass(
                    valid_from=NOW * SECOND,
                    valid_until=(NOW + 1) * SECOND,
                    hours=hours,
                    party_size=2,
                    max_entries=1,
                    entries=1,
                ),
                5120: None,
                65_535: a_pass(status="revoked"),
                65_536: None,
                65_541: a_pass(status="revoked"),
                131_072: None,
            },
            {ID_A: True, ID_B: True, ID_A[:15] + b"\x00": False},
        ),
        entry(
            "two blocks that are alike are one chunk",
            manifest(passes=[[0, chunk_hash(same)], [9, chunk_hash(same)]]),
            [same],
            {5: a_pass(), 9221: a_pass(), 1029: None},
            {},
        ),
        entry(
            "chunks that a compressor made",
            manifest(
                schedules=SCHEDULES,
                passes=[[4, chunk_hash(compressed)]],
                statuses=[[0, chunk_hash(compressed_statuses)]],
            ),
            [compressed, compressed_statuses],
            {
                4097: a_pass(),
                4096: a_pass(
                    valid_from=1_795_339_790 * SECOND,
                    valid_until=1_795_426_190 * SECOND,
                    hours=hours,
                    party_size=4,
                    max_entries=10,
                    entries=3,
                ),
                4711: a_pass(status="revoked"),
                5000: None,
                65_535: None,
                4136: None,
            },
            {},
        ),
        entry(
            "a status list that is stored, not compressed",
            manifest(statuses=[[0, chunk_hash(plain)]]),
            [plain],
            {3: a_pass(status="revoked"), 2: None, 4: None, 65_534: None, 65_535: a_pass(status="revoked")},
            {},
        ),
        entry(
            "the largest numbers, at an exit",
            manifest(
                seq=LARGEST,
                epoch=LARGEST,
                max_stale=604_800,
                gate={
                    "id": "g" * 64,
                    "direction": "exit",
                    "repeat_window": 3600,
                    "second_proof": 120,
                    "offline": "refuse",
                },
                passes=[[last_block, chunk_hash(passes_chunk([1023, None, None, None, 1, LARGEST, LARGEST]))]],
            ),
            [passes_chunk([1023, None, None, None, 1, LARGEST, LARGEST])],
            {LARGEST: a_pass(max_entries=LARGEST, entries=LARGEST), LARGEST - 1: None},
            {},
        ),
        entry(
            "two keys, at a gate for both directions",
            manifest(
                keys=[[KID, public_of(PRIVATE)], [kid_of(public_of(OTHER_PRIVATE)), public_of(OTHER_PRIVATE)]],
                gate={
                    "id": "hall",
                    "direction": "both",
                    "repeat_window": 0,
                    "second_proof": 0,
                    "offline": "admit_and_reconcile",
                },
            ),
            [],
            {},
            {},
        ),
    ]


def bundle() -> Json:
    return {
        "format": "bundle",
        "version": VERSION,
        "how_to_run": [
            "Open each `manifest` as docs/offline.md says, with the one public key given here pinned.",
            "Each of `good` gives its `content` (as signed; bytes in hexadecimal). With its `chunks`, by hash, it gives",
            "`passes` by their place in the status list (times in microseconds; null: not in the bundle), and says of the",
            "token ids in `taken_back` whether they were.",
            "Each of `bad` is refused: where `at` is manifest when it is opened, as by an unknown key where it is key,",
            "and where it is chunks only once the chunks are put to it. `wrong` says what is wrong, and nothing else is.",
        ],
        "keys": {
            "source": "RFC 8032 section 7.1, TEST 1. For tests only: everybody knows the private key",
            "algorithm": -19,
            "private": PRIVATE.hex(),
            "public": public_of(PRIVATE).hex(),
            "kid": KID.hex(),
        },
        "tenant": TENANT,
        "external_aad": dumps(["GPB1", TENANT]).hex(),
        "good": good_bundles(),
        "bad": bad_bundles(),
    }
