"""`short`: 128 random bits in 26 characters, of which only a keyed hash is stored."""

import hmac

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.model import Claims, Refused
from app.core.token_format import Keyring, Pepper
from app.core.tokens.short import SHORT
from tests.core.facts import TENANT

SECRETS = st.binary(min_size=16, max_size=16)
OLD, NEW = Pepper(1, b"\x01" * 32), Pepper(2, b"\x02" * 32)
KEYRING = Keyring({}, (NEW, OLD))
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@given(SECRETS)
def test_what_is_minted_is_opened_with_a_hash_for_each_pepper(secret: bytes) -> None:
    text = SHORT.mint(secret)
    assert len(text) == 29
    hashes = tuple(hmac.digest(p.secret, cbor2.dumps(["GP0", TENANT, secret]), "sha256") for p in (NEW, OLD))
    assert SHORT.open(text, TENANT, KEYRING) == Claims("short", hashes)
    assert SHORT.keyed_hash(text, TENANT, NEW) == hashes[0]


@given(SECRETS)
def test_the_text_is_made_of_what_a_qr_code_packs_tightly(secret: bytes) -> None:
    assert set(SHORT.mint(secret)[3:]) <= set(BASE32)


@given(SECRETS)
def test_the_last_character_has_one_spelling(secret: bytes) -> None:
    text = SHORT.mint(secret)
    opened = [last for last in BASE32 if isinstance(SHORT.open(text[:-1] + last, TENANT, KEYRING), Claims)]
    assert opened == list("AEIMQUY4")
    hashes = {SHORT.keyed_hash(text[:-1] + last, TENANT, NEW) for last in opened}
    assert len(hashes) == 8


def test_another_tenants_hash_is_another() -> None:
    text = SHORT.mint(bytes(16))
    assert SHORT.keyed_hash(text, "a", NEW) != SHORT.keyed_hash(text, "b", NEW)


def test_without_a_pepper_nothing_is_looked_up() -> None:
    assert SHORT.open(SHORT.mint(bytes(16)), TENANT, Keyring({})) == Claims("short", ())


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_secret_has_16_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        SHORT.mint(bytes(length))


def test_what_has_no_prefix_is_not_ours_and_what_has_is() -> None:
    assert SHORT.open("A" * 26, TENANT, KEYRING) is None
    assert SHORT.open("GP0", TENANT, KEYRING) == Refused("malformed")
    assert SHORT.open("GP0" + "A" * 26 + "\n", TENANT, KEYRING) == Refused("malformed")
