"""Ed25519 keys: their names, their times, and two implementations that give the same answers."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings as sodium

from app.core.cose import ED25519
from app.core.keys import LONGEST_TOKEN, PUBLISHED_BEFORE_USE, Ed25519Key, KeyTimes, key_id, thumbprint
from app.core.model import DAY, SECOND
from app.effects.ed25519 import SodiumKey, SodiumSigner
from tests.core.facts import NOW
from tests.core.rfc8032 import VECTORS, Vector

Key = Ed25519Key | SodiumKey
each_key = pytest.mark.parametrize("key", [Ed25519Key, SodiumKey])
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)

ORDER = 2**252 + 27742317777372353535851937790883648493  # L, RFC 8032 section 5.1
PRIME = 2**255 - 19


ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022  # y of two points of order 8


def point_of(y: int, *, odd: bool = False) -> bytes:
    """A point as RFC 8032 section 5.1.2 writes it."""
    return (y | odd << 255).to_bytes(32, "little")


THE_EIGHT_POINTS = [
    point_of(1),
    point_of(PRIME - 1),
    *(point_of(y, odd=odd) for y in (0, ORDER_8, PRIME - ORDER_8) for odd in (False, True)),
]
SECOND_SPELLINGS = [  # x = 0 called odd, y not reduced
    *(point_of(y, odd=True) for y in (1, PRIME - 1)),
    *(point_of(y, odd=odd) for y in (PRIME, PRIME + 1) for odd in (False, True)),
]
SMALL_ORDER = THE_EIGHT_POINTS + SECOND_SPELLINGS


def agreed(public: bytes, signature: bytes, message: bytes) -> bool:
    """What both implementations say."""
    answer = Ed25519Key(public).verify(signature, message)
    assert SodiumKey(public).verify(signature, message) == answer
    return answer


def scalar(private: bytes) -> int:
    """The secret scalar of a private key (RFC 8032 section 5.1.5)."""
    return int.from_bytes(hashlib.sha512(private).digest()[:32], "little") & (1 << 254) - 8 | 1 << 254


def challenge(point: bytes, public: bytes, message: bytes) -> int:
    """The k of RFC 8032 section 5.1.6."""
    return int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % ORDER


def test_a_thumbprint_is_made_as_rfc_9679_says() -> None:
    """Section 3: SHA-256 of the required members only, in deterministic CBOR: {1: 1, -1: 6, -2: x}."""
    public = VECTORS[0].public
    cose_key = bytes.fromhex("a3" + "01" + "01" + "20" + "06" + "21" + "5820") + public
    assert thumbprint(public) == hashlib.sha256(cose_key).digest()
    assert key_id(public) == thumbprint(public)[:4]
    assert key_id(public).hex() == "866eefbd"


@pytest.mark.parametrize(
    ("times", "now", "state"),
    [
        (KeyTimes(NOW), NOW - 1, "next"),
        (KeyTimes(NOW), NOW, "active"),
        (KeyTimes(NOW), NOW + 1_000 * DAY, "active"),
        (KeyTimes(NOW, NOW + DAY), NOW + DAY - 1, "active"),
        (KeyTimes(NOW, NOW + DAY), NOW + DAY, "retiring"),
        (KeyTimes(NOW, NOW + DAY, NOW + 2 * DAY), NOW - 1, "next"),
        (KeyTimes(NOW, NOW + DAY, NOW + 2 * DAY), NOW + 2 * DAY - 1, "retiring"),
        (KeyTimes(NOW, NOW + DAY, NOW + 2 * DAY), NOW + 2 * DAY, "gone"),
        (KeyTimes(NOW, None, NOW), NOW, "gone"),
        (KeyTimes(NOW + DAY, NOW), NOW, "retiring"),
    ],
)
def test_the_state_of_a_key_to_the_microsecond(times: KeyTimes, now: int, state: str) -> None:
    assert times.state(now) == state


def test_a_key_is_published_three_days_ahead_and_tokens_live_at_most_400_days() -> None:
    assert PUBLISHED_BEFORE_USE == 72 * 3600 * SECOND
    assert LONGEST_TOKEN == 400 * DAY


@each_key
def test_the_algorithm_is_the_keys_own(key: Callable[[bytes], Key]) -> None:
    assert key(VECTORS[0].public).algorithm == ED25519 == -19


@each_vector
@each_key
def test_the_vectors_of_rfc_8032_verify(key: Callable[[bytes], Key], vector: Vector) -> None:
    assert key(vector.public).verify(vector.signature, vector.message)
    assert not key(vector.public).verify(vector.signature, vector.message + b"\x00")


@each_vector
def test_the_vectors_of_rfc_8032_are_what_is_signed(vector: Vector) -> None:
    signer = SodiumSigner(vector.private)
    assert signer.public == vector.public
    assert signer.kid == key_id(vector.public)
    assert signer.sign(vector.message) == vector.signature


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_no_signature_holds_with_a_bit_flipped(private: bytes, message: bytes, bit: int) -> None:
    signer = SodiumSigner(private)
    signature = signer.sign(message)
    assert agreed(signer.public, signature, message)
    flipped = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    assert not agreed(signer.public, flipped, message)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary(max_size=20))
def test_both_implementations_refuse_noise(public: bytes, signature: bytes, message: bytes) -> None:
    agreed(public, signature, message)


@pytest.mark.parametrize("length", [0, 31, 32, 63])
def test_a_short_signature_is_refused(length: int) -> None:
    vector = VECTORS[0]
    assert not agreed(vector.public, vector.signature[:length], vector.message)


@given(st.integers(1, 15), st.binary(max_size=20))
def test_a_second_spelling_of_s_is_refused(times: int, message: bytes) -> None:
    """S + L is the same number modulo L: taken, it would give each token several texts."""
    signer = SodiumSigner(VECTORS[0].private)
    signature = signer.sign(message)
    spelled = int.from_bytes(signature[32:], "little") + times * ORDER
    if spelled < 1 << 256:
        assert not agreed(signer.public, signature[:32] + spelled.to_bytes(32, "little"), message)


@pytest.mark.parametrize("point", THE_EIGHT_POINTS, ids=bytes.hex)
def test_the_points_called_of_small_order_are(point: bytes) -> None:
    """Eight times A + T is eight times A, for every T of order 1, 2, 4 or 8."""
    plain = VECTORS[0].public
    moved = sodium.crypto_core_ed25519_add(plain, point)
    for _ in range(3):
        moved, plain = sodium.crypto_core_ed25519_add(moved, moved), sodium.crypto_core_ed25519_add(plain, plain)
    assert moved == plain


@pytest.mark.parametrize("public", SMALL_ORDER, ids=bytes.hex)
def test_nothing_verifies_under_a_key_of_small_order(public: bytes) -> None:
    """Under such a key anybody can forge: for R = S B + T, some T of small order fits any message."""
    s = (12345).to_bytes(32, "little")
    multiple = sodium.crypto_scalarmult_ed25519_base_noclamp(s)
    for torsion in THE_EIGHT_POINTS:
        point = sodium.crypto_core_ed25519_add(multiple, torsion)
        for number in range(8):
            assert not agreed(public, point + s, number.to_bytes(1, "big"))
            assert not agreed(public, torsion + bytes(32), number.to_bytes(1, "big"))


@pytest.mark.parametrize("point", SMALL_ORDER, ids=bytes.hex)
def test_no_signature_has_an_r_of_small_order(point: bytes) -> None:
    """Only the signer could make one: R the identity, S = k a. RFC 8032 would take it, libsodium does not."""
    vector = VECTORS[0]
    s = challenge(point, vector.public, b"open") * scalar(vector.private) % ORDER
    assert not agreed(vector.public, point + s.to_bytes(32, "little"), b"open")


def test_both_implementations_agree_on_a_key_with_a_part_of_small_order() -> None:
    """A + T with T of order 8 is what a signer could publish: without the cofactor, one signature in eight holds."""
    secret, nonce = scalar(VECTORS[0].private), 12345
    torsion = ORDER_8.to_bytes(32, "little")
    public = sodium.crypto_core_ed25519_add(VECTORS[0].public, torsion)
    point = sodium.crypto_scalarmult_ed25519_base_noclamp(nonce.to_bytes(32, "little"))
    answers = []
    for number in range(64):
        message = number.to_bytes(1, "big")
        k = challenge(point, public, message)
        signature = point + ((nonce + k * secret) % ORDER).to_bytes(32, "little")
        answers.append(agreed(public, signature, message))
        assert answers[-1] == (k % 8 == 0)
    assert 0 < sum(answers) < 64


def test_a_public_key_has_32_bytes() -> None:
    for length in (0, 31, 33, 64):
        with pytest.raises(ValueError, match="32"):
            Ed25519Key(bytes(length))


def test_a_signature_of_another_length_is_refused() -> None:
    vector = VECTORS[1]
    assert not agreed(vector.public, b"", vector.signature + vector.message)
    assert not agreed(vector.public, vector.signature + b"\0", vector.message)


def test_a_public_key_of_another_length_is_refused() -> None:
    for key in (Ed25519Key, SodiumKey):
        with pytest.raises(ValueError, match="32"):
            key(bytes(31))
