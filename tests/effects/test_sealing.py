"""Sealing: what is sealed opens under the same key at the same place, and nowhere else."""

import stat
from pathlib import Path

import pytest

from app.effects.entropy import SystemEntropy
from app.effects.sealing import (
    MasterKey,
    WrongMasterKey,
    make_master_key_file,
    parse_master_key,
    read_master_key,
)

ENTROPY = SystemEntropy()
KEY = MasterKey(b"\x01" * 32)
PLACE = ("signing_keys", "", "0a0b0c0d")
SECRET = b"thirty-two bytes of private key."


def test_what_is_sealed_opens_at_its_place() -> None:
    assert KEY.open(KEY.seal(SECRET, PLACE, ENTROPY), PLACE) == SECRET


def test_nothing_of_the_secret_can_be_seen() -> None:
    sealed = KEY.seal(SECRET, PLACE, ENTROPY)
    assert SECRET not in sealed
    assert len(sealed) == 4 + 12 + len(SECRET) + 16


def test_sealing_twice_gives_two_texts() -> None:
    assert KEY.seal(SECRET, PLACE, ENTROPY) != KEY.seal(SECRET, PLACE, ENTROPY)


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("signing_keys", "", "0a0b0c0e"),
        ("peppers", "", "0a0b0c0d"),
        ("signing_keys", "acme", "0a0b0c0d"),
        ("signing_key", "s", "0a0b0c0d"),
        ("", "signing_keys", "0a0b0c0d"),
    ],
)
def test_a_secret_moved_to_another_row_does_not_open(elsewhere: tuple[str, str, str]) -> None:
    with pytest.raises(WrongMasterKey):
        KEY.open(KEY.seal(SECRET, PLACE, ENTROPY), elsewhere)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(WrongMasterKey):
        MasterKey(b"\x02" * 32).open(KEY.seal(SECRET, PLACE, ENTROPY), PLACE)


def test_a_key_that_claims_the_same_id_does_not_open_it() -> None:
    other = MasterKey(b"\x02" * 32)
    sealed = KEY.seal(SECRET, PLACE, ENTROPY)
    with pytest.raises(WrongMasterKey):
        other.open(other.id + sealed[4:], PLACE)


@pytest.mark.parametrize("place", [0, 4, 16, 30, -1], ids=["key id", "nonce", "text", "text's middle", "tag"])
def test_one_changed_bit_is_noticed(place: int) -> None:
    sealed = bytearray(KEY.seal(SECRET, PLACE, ENTROPY))
    sealed[place] ^= 1
    with pytest.raises(WrongMasterKey):
        KEY.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 20, 31])
def test_a_truncated_secret_does_not_open(length: int) -> None:
    with pytest.raises(WrongMasterKey):
        KEY.open(KEY.seal(SECRET, PLACE, ENTROPY)[:length], PLACE)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="a master key has 32 bytes"):
        MasterKey(bytes(length))


@pytest.mark.parametrize("text", ["", "7f" * 31, "7f" * 33, "zz" * 32, "\u0661" * 64, "7f" * 32 + "\0"])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="a master key is 64 hexadecimal digits") as refused:
        parse_master_key(text)
    assert not text or text not in str(refused.value)


def test_a_key_file_is_its_owners_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "master-key"
    key = make_master_key_file(path, ENTROPY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_master_key(path) == key
    with pytest.raises(FileExistsError):
        make_master_key_file(path, ENTROPY)
    assert read_master_key(path) == key
