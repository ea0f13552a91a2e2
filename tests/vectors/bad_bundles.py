"""Bundles that are to be refused, and what is wrong with each: of the envelope, of what is signed, of the chunks."""

from collections.abc import Iterator
from typing import Any

from tests.vectors.bundle_parts import (
    COMPRESSED,
    ID_A,
    ID_B,
    LARGE_PASSES,
    LARGE_STATUSES,
    NOW,
    SCHEDULES,
    SMALL_STATUSES,
    chunk_hash,
    enclosed,
    manifest,
    passes_chunk,
    raw_content,
    refused_chunk,
    signed,
    status_chunk,
    stored,
)
from tests.vectors.parts import (
    HEADER,
    KID,
    LARGEST,
    OTHER_PRIVATE,
    PRIVATE,
    Json,
    dumps,
    kid_of,
    public_of,
    sign,
    token,
)

HASH = bytes(range(16))
OTHER_KID = kid_of(public_of(OTHER_PRIVATE))


def bad_bundles() -> list[Json]:
    made = [
        *(_entry("key", body, wrong) for body, wrong in _unknown_keys()),
        *(_entry("manifest", body, wrong) for body, wrong in (*_envelopes(), *_contents())),
        *(
            _entry("chunks", signed(content), wrong, {chunk_hash(chunk): chunk for chunk in chunks})
            for content, chunks, wrong in (*_bad_passes(), *_bad_statuses(), *_bad_refused())
        ),
    ]
    return [*made, *_missing_and_damaged()]


def _entry(at: str, body: bytes, wrong: str, chunks: dict[bytes, bytes] | None = None) -> Json:
    there = {hash_.hex(): chunk.hex() for hash_, chunk in (chunks or {}).items()}
    return {"wrong": wrong, "at": at, "manifest": body.hex(), "chunks": there}


def _unknown_keys() -> Iterator[tuple[bytes, str]]:
    payload = dumps(manifest())
    other = dumps({1: -19, 4: OTHER_KID})
    yield enclosed(payload, header=other, private=OTHER_PRIVATE), "signed by a key that is not pinned"
    own = dumps(manifest(keys=[[OTHER_KID, public_of(OTHER_PRIVATE)]]))
    yield enclosed(own, header=other, private=OTHER_PRIVATE), "signed by a key that it brings along itself"


def _envelopes() -> Iterator[tuple[bytes, str]]:
    content = manifest()
    payload, good = dumps(content), signed(content)
    yield b"", "empty"
    yield dumps(content), "the content without its envelope"
    yield b"\xd2" + good, "tagged as COSE_Sign1 (18)"
    yield good + b"\x00", "a byte behind it"
    yield good[:-1], "the last byte is missing"
    yield b"\x9f" + good[1:] + b"\xff", "an array of indefinite length"
    yield dumps([HEADER, {}, payload]), "an array of three, without the signature"
    yield enclosed(payload, unprotected={4: KID}), "an unprotected header that is not empty"
    yield enclosed(payload, header=dumps({1: -8, 4: KID})), "alg -8 (EdDSA), which is not the key's -19"
    yield enclosed(payload, header=dumps({1: -19, 3: 61, 4: KID})), "a content type in the protected header"
    yield enclosed(payload, header=dumps({1: -19, 2: [4], 4: KID})), "crit in the protected header"
    yield enclosed(payload, private=OTHER_PRIVATE), "signed by another key under the kid of ours"
    yield good[:-1] + bytes([good[-1] ^ 1]), "a bit of the signature flipped"
    flipped = payload.replace(b"main-door", b"lain-door")
    yield dumps([HEADER, {}, flipped, sign(payload=payload, aad=dumps(["GPB1", "default"]))]), "another gate put in"
    yield enclosed(payload, aad=dumps(["GP1", "default"])), "signed in the context of a token"
    yield enclosed(payload, aad=dumps(["GPB1", "other"])), "signed for another tenant than the one it names"
    yield dumps([HEADER, {}, payload, bytes(64)]), "a signature of zeros"
    yield token().encode("ascii"), "the text of a token"


def _contents() -> Iterator[tuple[bytes, str]]:
    """What is wrong with what is signed. Each of these is signed as it stands."""
    good = manifest()
    payload = dumps(good)
    yield enclosed(b""), "content: empty"
    yield enclosed(dumps([1])), "content: an array"
    yield enclosed(payload + b"\x00"), "content: a byte behind it"
    yield enclosed(raw_content(good, order=lambda pair: pair[0][1:])), "content: its fields in the order of their names"
    yield enclosed(raw_content(good, seq=b"\x1b" + bytes(7) + b"\x05")), "seq: in 8 bytes where 1 does"
    yield enclosed(raw_content(good, seq=b"\xc2\x41\x05")), "seq: a bignum (tag 2)"
    yield enclosed(raw_content(good, seq=b"\xc1\x05")), "seq: tagged as a time (tag 1)"
    for value, wrong in ((-1, "negative"), (5.0, "a float"), ("5", "a text"), (True, "true"), (LARGEST + 1, "2^53")):
        yield signed(manifest(seq=value)), f"seq: {wrong}"
    for name in good:
        if name != "tenant":
            yield signed(manifest(**{name: ...})), f"{name}: missing"
    yield signed(manifest(tenant=...)), "tenant: missing"
    yield signed(manifest(tenant=b"default")), "tenant: bytes"
    yield signed(manifest(names=[])), "a field that there is not"
    yield signed(manifest(v=2)), "v: 2"
    yield signed(manifest(v=True)), "v: true"
    yield signed(manifest(status_list="draft-ietf-oauth-status-list-21")), "status_list: another draft"
    yield signed(manifest(max_stale=None)), "max_stale: null"
    yield signed(manifest(epoch=-1)), "epoch: negative"
    yield from _bad_keys_and_gates()
    yield from _bad_lists()


def _bad_keys_and_gates() -> Iterator[tuple[bytes, str]]:
    public = public_of(PRIVATE)
    yield signed(manifest(keys=[])), "keys: none"
    yield signed(manifest(keys={KID: public})), "keys: a map"
    yield signed(manifest(keys=[[KID, public], [KID, public_of(OTHER_PRIVATE)]])), "keys: two of one kid"
    yield signed(manifest(keys=[[KID, public[:31]]])), "keys: one of 31 bytes"
    yield signed(manifest(keys=[[KID + b"\x00", public]])), "keys: a kid of 5 bytes"
    yield signed(manifest(keys=[[KID, public, 0]])), "keys: one of three parts"
    gate = manifest()["gate"]
    wrong_gates: tuple[tuple[Any, str], ...] = (
        ("main-door", "a text"),
        (gate | {"name": "Main door"}, "a field that there is not"),
        ({name: value for name, value in gate.items() if name != "offline"}, "offline is missing"),
        (gate | {"id": "main door"}, "a space in its id"),
        (gate | {"id": ""}, "an empty id"),
        (gate | {"id": b"main-door"}, "bytes as its id"),
        (gate | {"direction": "in"}, "a direction that there is not"),
        (gate | {"direction": 0}, "a number as its direction"),
        (gate | {"offline": "admit"}, "a policy that there is not"),
        (gate | {"repeat_window": -1}, "a negative repeat window"),
        (gate | {"second_proof": None}, "null as second proof"),
    )
    for value, wrong in wrong_gates:
        yield signed(manifest(gate=value)), f"gate: {wrong}"


def _bad_lists() -> Iterator[tuple[bytes, str]]:
    wrong_schedules: tuple[tuple[Any, str], ...] = (
        ({}, "a map"),
        ([[[NOW, NOW]]], "an interval that is empty"),
        ([[[NOW + 1, NOW]]], "an interval that ends before it begins"),
        ([[[NOW + 5, NOW + 9], [NOW, NOW + 1]]], "intervals out of order"),
        ([[[NOW, NOW + 5], [NOW + 5, NOW + 9]]], "intervals that touch"),
        ([[[NOW, NOW + 5], [NOW + 4, NOW + 9]]], "intervals that overlap"),
        ([[[NOW]]], "an interval without an end"),
        ([[NOW, NOW + 5]], "an interval in place of a list of them"),
        ([[[-5, NOW]]], "an interval that begins before 1970"),
        ([[[NOW, float(NOW + 5)]]], "a float"),
        ([[[NOW, [[[NOW]]]]]], "nested too deep"),
    )
    for value, wrong in wrong_schedules:
        yield signed(manifest(schedules=value)), f"schedules: {wrong}"
    wrong_hashes: tuple[tuple[Any, str], ...] = (
        ({0: HASH}, "a map"),
        ([[0, HASH[:15]]], "a hash of 15 bytes"),
        ([[0, HASH + b"\x00"]], "a hash of 17 bytes"),
        ([[0, HASH.hex()]], "a hash as text"),
        ([[0, None]], "null as hash"),
        ([[-1, HASH]], "a negative number"),
        ([[False, HASH]], "false as number"),
        ([[1, HASH], [0, HASH]], "out of order"),
        ([[1, HASH], [1, HASH]], "one number twice"),
        ([[0, HASH, 0]], "three parts"),
    )
    for name in ("passes", "statuses"):
        for value, wrong in wrong_hashes:
            yield signed(manifest(**{name: value})), f"{name}: {wrong}"
    for value, wrong in ((HASH[:15], "15 bytes"), (b"", "empty"), (False, "false"), ([HASH], "an array")):
        yield signed(manifest(refused=value)), f"refused: {wrong}"


Chunked = tuple[Json, list[bytes], str]


def _bad_passes() -> Iterator[Chunked]:
    good = passes_chunk([1])
    wrong: tuple[tuple[bytes, str], ...] = (
        (b"", "empty"),
        (dumps([[1]]), "not compressed"),
        (good[2:-4], "deflated without the zlib around it"),
        (good + b"\x00", "a byte behind the zlib"),
        (good[:-1], "the last byte is missing"),
        (good[:-1] + bytes([good[-1] ^ 1]), "a wrong checksum"),
        (bytes.fromhex(LARGE_PASSES), "more than 65,536 bytes in it"),
        (stored(dumps([[1]]) + b"\x00"), "a byte behind the array"),
        (stored(b"\x81\x9f\x01\xff"), "a pass of indefinite length"),
        (stored(b"\x81\x81\x18\x01"), "a number in a longer spelling"),
        (stored(dumps({1: [1]})), "a map"),
        (passes_chunk(1), "a number in place of a pass"),
        (passes_chunk([]), "a pass of nothing"),
        (passes_chunk([2], [1]), "out of order"),
        (passes_chunk([1], [1]), "one place twice"),
        (passes_chunk([1024]), "a place of the next block"),
        (passes_chunk([-1]), "a negative place"),
        (passes_chunk([None]), "null as place"),
        (passes_chunk([1.0]), "a float as place"),
        (passes_chunk([True]), "true as place"),
        (passes_chunk([1, None]), "a default at its end: null"),
        (passes_chunk([1, NOW, None]), "a default at its end: valid_until"),
        (passes_chunk([1, None, None, None, 1]), "a default at its end: party_size 1"),
        (passes_chunk([1, None, None, None, 1, 5, 0]), "a default at its end: entries 0"),
        (passes_chunk([1, None, None, None, 1, 5, 1, 0]), "eight parts"),
        (passes_chunk([1, -1]), "valid_from: negative"),
        (passes_chunk([1, None, "never"]), "valid_until: a text"),
        (passes_chunk([1, None, LARGEST]), "valid_until: more than fits in microseconds"),
        (passes_chunk([1, None, None, None, 0]), "party_size: 0"),
        (passes_chunk([1, None, None, None, None, 5]), "party_size: null"),
        (passes_chunk([1, None, None, None, 1, LARGEST + 1]), "max_entries: 2^53"),
        (passes_chunk([1, None, None, None, 1, None, None]), "entries: null"),
        (passes_chunk([1, None, None, 2]), "a schedule that the manifest has not"),
        (passes_chunk([1, None, None, [0]]), "schedule: an array"),
    )
    for chunk, what in wrong:
        yield manifest(schedules=SCHEDULES, passes=[[0, chunk_hash(chunk)]]), [chunk], f"passes chunk: {what}"


def _bad_statuses() -> Iterator[Chunked]:
    good = status_chunk({1: 1})
    lst = bytes.fromhex(COMPRESSED[()])
    wrong: tuple[tuple[bytes, str], ...] = (
        (b"", "empty"),
        (lst, "no CBOR around it"),
        (good + b"\x00", "a byte behind it"),
        (dumps([2, lst]), "an array"),
        (b"\xa2" + dumps("bits") + b"\x02" + dumps("lst") + dumps(lst), "bits before lst"),
        (dumps({"bits": 1, "lst": lst}), "one bit for each place"),
        (dumps({"bits": 2.0, "lst": lst}), "bits: a float"),
        (dumps({"lst": lst}), "bits: missing"),
        (dumps({"bits": 2}), "lst: missing"),
        (dumps({"bits": 2, "lst": lst.hex()}), "lst: a text"),
        (dumps({"bits": 2, "lst": b"\x02"}), "lst: not compressed"),
        (dumps({"bits": 2, "lst": lst + b"\x00"}), "lst: a byte behind it"),
        (dumps({"bits": 2, "lst": bytes.fromhex(SMALL_STATUSES)}), "lst: four places too few"),
        (dumps({"bits": 2, "lst": bytes.fromhex(LARGE_STATUSES)}), "lst: four places too many"),
        (status_chunk({1: 1}, aggregation_uri="https://example.com"), "a field that is not used here"),
    )
    for chunk, what in wrong:
        yield manifest(statuses=[[0, chunk_hash(chunk)]]), [chunk], f"statuses chunk: {what}"


def _bad_refused() -> Iterator[Chunked]:
    wrong: tuple[tuple[bytes, str], ...] = (
        (dumps([ID_A]), "not compressed"),
        (refused_chunk(ID_B, ID_A), "out of order"),
        (refused_chunk(ID_A, ID_A), "one id twice"),
        (refused_chunk(ID_A[:15]), "an id of 15 bytes"),
        (refused_chunk(ID_A.hex()), "an id as text"),
        (stored(dumps({ID_A: True})), "a map"),
        (refused_chunk(ID_A) + b"\x00", "a byte behind it"),
    )
    for chunk, what in wrong:
        yield manifest(refused=chunk_hash(chunk)), [chunk], f"refused chunk: {what}"


def _missing_and_damaged() -> Iterator[Json]:
    block, segment, refused = passes_chunk([1]), status_chunk({1: 1}), refused_chunk(ID_A)
    chunks = {chunk_hash(chunk): chunk for chunk in (block, segment, refused)}
    body = signed(
        manifest(passes=[[0, chunk_hash(block)]], statuses=[[0, chunk_hash(segment)]], refused=chunk_hash(refused))
    )
    for name, chunk in (("passes", block), ("statuses", segment), ("refused", refused)):
        hash_ = chunk_hash(chunk)
        without = {each: there for each, there in chunks.items() if each != hash_}
        yield _entry("chunks", body, f"the {name} chunk is missing", without)
        other = {"passes": passes_chunk([2]), "statuses": status_chunk({2: 1}), "refused": refused_chunk(ID_B)}[name]
        yield _entry("chunks", body, f"another {name} chunk under its hash", chunks | {hash_: other})
