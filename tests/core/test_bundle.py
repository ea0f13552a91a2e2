"""Bundles: what is packed and signed comes out again, and nothing else does."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.bundle import (
    BLOCK,
    SEGMENT,
    Bundle,
    BundlePass,
    Manifest,
    UnknownKey,
    chunk_hash,
    open_manifest,
    pack_passes,
    pack_refused,
    pack_statuses,
    sign_manifest,
    status_of,
    unpack_passes,
    unpack_refused,
    unpack_statuses,
)
from app.core.keys import Ed25519Key
from app.core.model import SECOND, Direction, Gate, OfflinePolicy, PassStatus
from app.core.status_list import pack_status_array, set_status
from app.core.strict_cbor import MAX_INT
from app.effects.ed25519 import SodiumKey, SodiumSigner
from tests.core.rfc8032 import VECTORS as RFC_8032
from tests.vectors import make

Json = dict[str, Any]
VECTORS = json.loads((make.FOLDER / "bundle.json").read_text("ascii"))
SIGNER, OTHER = (SodiumSigner(each.private) for each in RFC_8032[:2])
PINNED = {SIGNER.kid: Ed25519Key(SIGNER.public)}
GATE = Gate("main-door", Direction.ENTRY, repeat_window=5 * SECOND)
SECONDS = st.integers(0, MAX_INT // SECOND).map(lambda at: at * SECOND)
NUMBERS = st.integers(0, MAX_INT)
HASHES = st.binary(min_size=16, max_size=16)


def a_manifest(**other: Any) -> Manifest:
    keys = {SIGNER.kid: SIGNER.public}
    manifest = Manifest("default", 1_795_339_800_000_000, 14_400 * SECOND, 0, keys, GATE, OfflinePolicy.BOUND_TOKENS)
    return manifest._replace(**other)


def passes_of(block: int) -> st.SearchStrategy[list[BundlePass]]:
    """Any passes of a block, in order."""
    one = st.builds(
        BundlePass,
        st.integers(block * BLOCK, block * BLOCK + BLOCK - 1),
        st.none() | SECONDS.filter(bool),
        st.none() | SECONDS,
        st.none() | NUMBERS,
        st.integers(1, MAX_INT),
        st.none() | NUMBERS,
        NUMBERS,
    )
    return st.lists(one, max_size=20, unique_by=lambda each: each.idx).map(sorted_by_place)


def sorted_by_place(passes: list[BundlePass]) -> list[BundlePass]:
    return sorted(passes, key=lambda each: each.idx)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    ends = sorted(draw(st.sets(st.integers(0, MAX_INT // SECOND), max_size=6)))
    return tuple((start * SECOND, end * SECOND) for start, end in zip(ends[::2], ends[1::2], strict=False))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest that could be signed."""
    gate = Gate(
        draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)),
        draw(st.sampled_from(Direction)),
        repeat_window=draw(SECONDS),
        second_proof=draw(SECONDS),
    )
    kids, publics = st.binary(min_size=4, max_size=4), st.binary(min_size=32, max_size=32)
    return Manifest(
        draw(st.text(st.characters(codec="utf-8"), max_size=20)),
        draw(NUMBERS),
        draw(SECONDS),
        draw(NUMBERS),
        draw(st.dictionaries(kids, publics, min_size=1, max_size=3)),
        gate,
        draw(st.sampled_from(OfflinePolicy)),
        tuple(draw(st.lists(intervals(), max_size=3))),
        draw(st.dictionaries(NUMBERS, HASHES, max_size=5)),
        draw(st.dictionaries(NUMBERS, HASHES, max_size=5)),
        draw(st.none() | HASHES),
    )


@given(manifests())
def test_what_is_signed_is_opened(manifest: Manifest) -> None:
    assert open_manifest(sign_manifest(manifest, SIGNER), PINNED) == manifest


@given(st.data())
def test_no_other_spelling_of_a_manifest_is_opened(data: st.DataObject) -> None:
    """Any bit flipped, any byte put in or left out, anywhere."""
    body = sign_manifest(a_manifest(passes={0: bytes(16)}, refused=bytes(16)), SIGNER)
    place = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        changed = bytearray(body)
        changed[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        taken = data.draw(st.integers(0, 2))
        changed = bytearray(body[:place] + data.draw(st.binary(max_size=2)) + body[place + taken :])
    if bytes(changed) != body:
        with pytest.raises(ValueError, match=r".+"):
            open_manifest(bytes(changed), PINNED)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_manifest_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        open_manifest(body, PINNED)


def test_a_manifest_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="too large"):
        open_manifest(bytes(1 << 24 | 1), PINNED)


def test_a_key_that_is_not_pinned_is_told_from_all_else() -> None:
    body = sign_manifest(a_manifest(), OTHER)
    with pytest.raises(UnknownKey):
        open_manifest(body, PINNED)
    assert open_manifest(body, {OTHER.kid: SodiumKey(OTHER.public)}) == a_manifest()


@pytest.mark.parametrize("kind", [Ed25519Key, SodiumKey])
def test_a_manifest_of_one_tenant_is_not_anothers(kind: type[Ed25519Key | SodiumKey]) -> None:
    """The tenant is bound twice: it is named in what is signed, and in what it is signed with."""
    body = sign_manifest(a_manifest(tenant="acme"), SIGNER)
    forged = body.replace(b"dacme", b"debco").replace(b"tenantdacme", b"tenantdebco")
    assert forged != body
    with pytest.raises(ValueError, match="does not hold"):
        open_manifest(forged, {SIGNER.kid: kind(SIGNER.public)})


@given(st.integers(0, MAX_INT // BLOCK - 1).flatmap(lambda block: passes_of(block).map(lambda some: (block, some))))
def test_passes_that_are_packed_come_out_again(packed: tuple[int, list[BundlePass]]) -> None:
    block, passes = packed
    assert unpack_passes(block, pack_passes(reversed(passes))) == {each.idx: each for each in passes}


@given(passes_of(3), st.data())
def test_no_bit_of_a_chunk_can_be_flipped_unseen(passes: list[BundlePass], data: st.DataObject) -> None:
    chunk = pack_passes(passes)
    changed = bytearray(chunk)
    changed[data.draw(st.integers(0, len(chunk) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    manifest = a_manifest(passes={3: chunk_hash(chunk)}, schedules=((),) * 3)
    with pytest.raises(ValueError, match="damaged"):
        Bundle(manifest, {chunk_hash(chunk): bytes(changed)})


def test_a_pass_is_good_for_the_whole_seconds_within_its_window() -> None:
    chunk = pack_passes([BundlePass(0, 1, 2 * SECOND + 999_999), BundlePass(1, SECOND, SECOND), BundlePass(2, 0, -5)])
    assert unpack_passes(0, chunk) == {
        0: BundlePass(0, SECOND, 2 * SECOND),
        1: BundlePass(1, SECOND, SECOND),
        2: BundlePass(2, None, 0),
    }


def test_the_commonest_pass_takes_two_bytes_or_four() -> None:
    assert zlib.decompress(pack_passes([BundlePass(5)])) == bytes.fromhex("818105")
    assert zlib.decompress(pack_passes([BundlePass(1023)])) == bytes.fromhex("81811903ff")


@given(st.dictionaries(st.integers(0, SEGMENT - 1), st.integers(0, 3), max_size=30))
def test_statuses_that_are_packed_come_out_again(statuses: Mapping[int, int]) -> None:
    array = bytearray(unpack_statuses(pack_statuses(statuses)))
    for place in {0, SEGMENT - 1, *statuses, *(place ^ 1 for place in statuses)}:
        assert status_of(array, place) == statuses.get(place, 0)
    for place, status in statuses.items():
        set_status(array, place, 3 - status)
        assert status_of(array, place) == 3 - status
        set_status(array, place, 0)
    assert pack_status_array(array) == pack_statuses({})


def test_the_status_list_is_the_drafts() -> None:
    """draft-ietf-oauth-status-list-20: the example of two bits in section 10, and its test vector in the appendix."""
    example = dict(enumerate((1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3)))
    assert unpack_statuses(pack_statuses(example))[:4] == bytes.fromhex("c944f900")
    vector = cbor2.loads(bytes.fromhex(DRAFTS_VECTOR))
    array = zlib.decompress(vector["lst"])
    assert (vector["bits"], len(array) * 4) == (2, 1 << 20)
    places = {place: status_of(array, place) for place in range(1 << 20) if array[place // 4]}
    assert {place: status for place, status in places.items() if status} == DRAFTS_STATUSES


DRAFTS_STATUSES = {0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1}
DRAFTS_STATUSES |= {934534: 2, 1000345: 3}
DRAFTS_VECTOR = (
    "a2646269747302636c737459013d78daeddb310d00211000412ea1a04004fe5520ed"
    "357c28c81d3312b6df68bc65480000000000406e2101000000000000000000000000"
    "0000000000000000000000000000000000000040795b020000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000"
    "0080f4ba0400000000000000000000000000406d764a000000000000000000000000"
    "000000000000000000e0922101000000000000000000000000000000000000fc1312"
    "00000000000000000000000000000000000000000000000000000000000000c0912e"
    "01000000000000000000000000000000000000c07d4b020000000000000000000000"
    "00000000a8614a0000000000000000000000406a1fcd60010c"
)


@given(st.sets(st.binary(min_size=16, max_size=16), max_size=20))
def test_tokens_taken_back_that_are_packed_come_out_again(ids: set[bytes]) -> None:
    assert unpack_refused(pack_refused(ids)) == ids


def a_bundle() -> tuple[Manifest, dict[bytes, bytes]]:
    chunks = [
        pack_passes([BundlePass(4711), BundlePass(4712, schedule=1, max_entries=5, entries=2)]),
        pack_statuses({4711: 2, 4713: 1}),
        pack_refused([b"a token's id: 16"]),
    ]
    passes, statuses, refused = (chunk_hash(chunk) for chunk in chunks)
    manifest = a_manifest(
        schedules=((), ((5 * SECOND, 9 * SECOND),)), passes={4: passes}, statuses={0: statuses}, refused=refused
    )
    return manifest, {chunk_hash(chunk): chunk for chunk in chunks}


def test_what_a_bundle_says_of_a_pass() -> None:
    manifest, chunks = a_bundle()
    bundle = Bundle(manifest, chunks)
    suspended, limited, revoked, unknown = (bundle.pass_(idx) for idx in (4711, 4712, 4713, 4714))
    assert suspended
    assert limited
    assert revoked
    assert (suspended.status, suspended.hours, suspended.limits.party_size) == (PassStatus.SUSPENDED, None, 1)
    assert (limited.status, limited.hours) == (PassStatus.ACTIVE, ((5 * SECOND, 9 * SECOND),))
    assert (limited.max_entries, limited.entries) == (5, 2)
    assert (revoked.status, revoked.scope.every_gate) == (PassStatus.REVOKED, True)
    assert unknown is None
    assert limited.id == limited.holder.id == (4712).to_bytes(16, "big")
    assert bundle.taken_back(b"a token's id: 16")
    assert not bundle.taken_back(b"a token's id: 17")


def test_only_what_is_not_there_yet_is_missing_and_each_once() -> None:
    manifest, chunks = a_bundle()
    named = [*manifest.passes.values(), *manifest.statuses.values(), manifest.refused]
    assert Bundle.missing(manifest, {}) == named
    assert Bundle.missing(manifest, chunks) == []
    assert Bundle.missing(manifest._replace(passes=dict.fromkeys(range(5), named[0])), {}) == named
    assert Bundle.missing(a_manifest(), {}) == []


def test_what_was_looked_at_before_is_looked_at_again_where_schedules_went() -> None:
    manifest, chunks = a_bundle()
    before = Bundle(manifest, chunks)
    after = Bundle(manifest._replace(seq=manifest.seq + 1, schedules=((), (), ())), chunks, before)
    assert after.pass_(4712) == before.pass_(4712)._replace(hours=())  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="schedule"):
        Bundle(manifest._replace(schedules=((),)), chunks, before)
    with pytest.raises(ValueError, match="missing"):
        Bundle(manifest, {}, before)


def each(kind: str, label: str) -> pytest.MarkDecorator:
    entries = VECTORS[kind]
    return pytest.mark.parametrize("entry", entries, ids=[entry[label] for entry in entries])


def chunks_of(entry: Json) -> dict[bytes, bytes]:
    return {bytes.fromhex(hash_): bytes.fromhex(chunk) for hash_, chunk in entry["chunks"].items()}


@pytest.mark.parametrize("kind", [Ed25519Key, SodiumKey])
@each("good", "name")
def test_a_good_bundle_of_the_vectors(entry: Json, kind: type[Ed25519Key | SodiumKey]) -> None:
    pinned = {bytes.fromhex(VECTORS["keys"]["kid"]): kind(bytes.fromhex(VECTORS["keys"]["public"]))}
    manifest = open_manifest(bytes.fromhex(entry["manifest"]), pinned)
    assert shown(manifest) == entry["content"]
    assert Bundle.missing(manifest, chunks_of(entry)) == []
    bundle = Bundle(manifest, chunks_of(entry))
    for idx, expected in entry["passes"].items():
        pass_ = bundle.pass_(int(idx))
        assert (pass_ and shown_pass(pass_)) == expected, idx
    for id_, taken_back in entry["taken_back"].items():
        assert bundle.taken_back(bytes.fromhex(id_)) is taken_back


@each("bad", "wrong")
def test_a_bad_bundle_of_the_vectors_is_refused(entry: Json) -> None:
    body = bytes.fromhex(entry["manifest"])
    if entry["at"] != "chunks":
        with pytest.raises(UnknownKey if entry["at"] == "key" else ValueError) as refused:
            open_manifest(body, PINNED)
        assert isinstance(refused.value, UnknownKey) == (entry["at"] == "key")
        return
    manifest = open_manifest(body, PINNED)
    with pytest.raises(ValueError, match=r".+"):
        Bundle(manifest, chunks_of(entry))


def test_no_vector_is_there_twice() -> None:
    labels = [entry["name"] for entry in VECTORS["good"]] + [entry["wrong"] for entry in VECTORS["bad"]]
    assert len(set(labels)) == len(labels)
    contents = [json.dumps([entry["manifest"], entry["chunks"]]) for kind in ("good", "bad") for entry in VECTORS[kind]]
    assert len(set(contents)) == len(contents)


def shown(manifest: Manifest) -> Json:
    """What was signed, as the vectors have it."""
    gate = manifest.gate
    return {
        "v": 1,
        "tenant": manifest.tenant,
        "seq": manifest.seq,
        "max_stale": manifest.max_stale // SECOND,
        "epoch": manifest.epoch,
        "keys": [[kid.hex(), public.hex()] for kid, public in manifest.keys.items()],
        "gate": {
            "id": gate.id,
            "direction": gate.direction,
            "repeat_window": gate.repeat_window // SECOND,
            "second_proof": gate.second_proof // SECOND,
            "offline": manifest.offline,
        },
        "schedules": [[[start // SECOND, end // SECOND] for start, end in hours] for hours in manifest.schedules],
        "status_list": "draft-ietf-oauth-status-list-20",
        "passes": [[block, hash_.hex()] for block, hash_ in manifest.passes.items()],
        "statuses": [[segment, hash_.hex()] for segment, hash_ in manifest.statuses.items()],
        "refused": manifest.refused and manifest.refused.hex(),
    }


def shown_pass(pass_: Any) -> Json:
    return {
        "valid_from": pass_.valid_from,
        "valid_until": pass_.valid_until,
        "max_entries": pass_.max_entries,
        "entries": pass_.entries,
        "status": pass_.status,
        "blocked": pass_.holder.blocked,
        "hours": None if pass_.hours is None else [list(each) for each in pass_.hours],
        "party_size": pass_.limits.party_size,
    }
