"""Every published vector, run as another implementation would run it."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.keys import Ed25519Key
from app.core.model import SECOND, Claims, Refused, Token
from app.core.token_format import Keyring, Pepper
from app.core.tokens import recognise
from app.effects.ed25519 import SodiumKey
from tests.vectors import make

Json = dict[str, Any]
VECTORS: dict[str, Json] = {
    name: json.loads((make.FOLDER / f"{name}.json").read_text("ascii")) for name in ("signed", "short", "code")
}


def keyring(vectors: Json, key: type[Ed25519Key | SodiumKey] = SodiumKey) -> Keyring:
    """What the vectors say is to be pinned."""
    pinned = vectors.get("keys")
    keys = {bytes.fromhex(pinned["kid"]): key(bytes.fromhex(pinned["public"]))} if pinned else {}
    peppers = vectors.get("peppers", [])
    return Keyring(keys, tuple(Pepper(pepper["version"], bytes.fromhex(pepper["secret"])) for pepper in peppers))


def each(name: str, kind: str, label: str) -> pytest.MarkDecorator:
    entries = VECTORS[name][kind]
    return pytest.mark.parametrize("entry", entries, ids=[entry[label] for entry in entries])


def signed_claims(expected: Json) -> Claims:
    cti = bytes.fromhex(expected["cti"])
    token = Token(
        cti,
        "signed",
        expected["iat"] * SECOND,
        expected["exp"] * SECOND,
        expected["gate"],
        bool(expected["class"]),
        expected["epoch"],
    )
    return Claims("signed", (cti,), token, expected["idx"])


@pytest.mark.parametrize("name", make.rendered())
def test_the_files_are_what_their_generator_makes(name: str) -> None:
    assert (Path(make.FOLDER) / name).read_text("ascii") == make.rendered()[name]


@pytest.mark.parametrize("key", [Ed25519Key, SodiumKey])
@each("signed", "good", "name")
def test_a_good_signed_token_is_opened(entry: Json, key: type[Ed25519Key | SodiumKey]) -> None:
    vectors = VECTORS["signed"]
    assert recognise(entry["text"], vectors["tenant"], keyring(vectors, key)) == signed_claims(entry["claims"])


@pytest.mark.parametrize("key", [Ed25519Key, SodiumKey])
@each("signed", "bad", "wrong")
def test_a_bad_signed_token_is_refused(entry: Json, key: type[Ed25519Key | SodiumKey]) -> None:
    vectors = VECTORS["signed"]
    assert recognise(entry["text"], vectors["tenant"], keyring(vectors, key)) == Refused(entry["reason"])


@each("short", "good", "name")
def test_a_good_short_token_is_opened(entry: Json) -> None:
    vectors = VECTORS["short"]
    hashes = tuple(bytes.fromhex(each) for each in entry["hashes"])
    assert recognise(entry["text"], vectors["tenant"], keyring(vectors)) == Claims("short", hashes)


@each("short", "bad", "wrong")
def test_a_bad_short_token_is_refused(entry: Json) -> None:
    vectors = VECTORS["short"]
    assert recognise(entry["text"], vectors["tenant"], keyring(vectors)) == Refused(entry["reason"])


@each("code", "good", "name")
def test_a_good_code_is_opened(entry: Json) -> None:
    vectors = VECTORS["code"]
    hashes = tuple(bytes.fromhex(each) for each in entry["hashes"])
    presented = recognise(entry["text"], vectors["tenant"], keyring(vectors))
    assert presented == Claims("code", hashes, number=entry["number"])


@each("code", "bad", "wrong")
def test_a_bad_code_is_refused(entry: Json) -> None:
    vectors = VECTORS["code"]
    assert recognise(entry["text"], vectors["tenant"], keyring(vectors)) == Refused(entry["reason"])


@pytest.mark.parametrize("name", VECTORS)
def test_no_vector_is_there_twice(name: str) -> None:
    vectors = VECTORS[name]
    texts = [entry["text"] for kind in ("good", "bad") for entry in vectors[kind]]
    labels = [entry["name"] for entry in vectors["good"]] + [entry["wrong"] for entry in vectors["bad"]]
    assert len(set(labels)) == len(labels)
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_of_one_tenant_is_nothing_to_another(name: str) -> None:
    vectors = VECTORS[name]
    for entry in vectors["good"]:
        presented = recognise(entry["text"], "other", keyring(vectors))
        if name == "signed":
            assert presented == Refused("bad_signature")
        else:
            assert isinstance(presented, Claims)
            assert not {found.hex() for found in presented.lookups} & set(entry["hashes"])
