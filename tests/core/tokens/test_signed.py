"""`signed`: what is minted is opened, by us and by others, and nothing else is."""

import json
import subprocess
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from app.core import base45
from app.core.cose import sig_structure
from app.core.ids import uuid7
from app.core.keys import Ed25519Key
from app.core.model import DAY, SECOND, Claims, Refused, Token
from app.core.token_format import Keyring, PublicKey
from app.core.tokens.signed import MAX_LENGTH, MAX_LIFETIME_S, SIGNED, encode_claims
from app.effects.ed25519 import SodiumKey, SodiumSigner
from tests.core.facts import IDX, NOW, TENANT, a_token
from tests.core.rfc8032 import VECTORS as RFC_8032
from tests.vectors import make

VECTORS = json.loads((make.FOLDER / "signed.json").read_text("ascii"))
SIGNER = SodiumSigner(RFC_8032[0].private)
KEYRING = Keyring({SIGNER.kid: Ed25519Key(SIGNER.public)})
INTEGERS = st.integers(0, 2**53 - 1)
GATES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    """Any token that may be issued, its times in whole seconds."""
    reusable = draw(st.booleans())
    issued = draw(st.integers(0, 2**33)) * SECOND
    life = draw(st.integers(1, MAX_LIFETIME_S[reusable])) * SECOND
    id_ = uuid7(draw(st.integers(0, 2**52)), draw(st.binary(min_size=8, max_size=8)))
    return Token(id_, "signed", issued, issued + life, draw(st.none() | GATES), reusable, draw(INTEGERS))


@given(tokens(), INTEGERS, st.text(st.characters(codec="utf-8"), max_size=20))
def test_what_is_minted_is_opened(token: Token, idx: int, tenant: str) -> None:
    text = SIGNED.mint(token, idx, tenant, SIGNER)
    assert len(text) <= MAX_LENGTH
    assert SIGNED.open(text, tenant, KEYRING) == Claims("signed", (token.id,), token, idx)


@given(tokens(), INTEGERS)
def test_the_text_is_made_of_what_a_qr_code_packs_tightly(token: Token, idx: int) -> None:
    assert set(SIGNED.mint(token, idx, TENANT, SIGNER)) <= set(base45.ALPHABET)


def test_the_size_of_a_common_token() -> None:
    text = SIGNED.mint(a_token(), IDX, TENANT, SIGNER)
    assert len(base45.decode(text[4:])) == 122
    assert len(text) == 187


def test_times_are_cut_to_whole_seconds() -> None:
    token = a_token(issued_at=NOW + 999_999, expires_at=NOW + 60 * SECOND + 999_999)
    opened = SIGNED.open(SIGNED.mint(token, IDX, TENANT, SIGNER), TENANT, KEYRING)
    assert isinstance(opened, Claims)
    assert opened.token == token._replace(issued_at=NOW, expires_at=NOW + 60 * SECOND)


@given(st.data())
def test_no_other_spelling_of_a_token_is_accepted(data: st.DataObject) -> None:
    """One character changed, put in or left out, anywhere: refused, always."""
    text = VECTORS["good"][1]["text"]
    place = data.draw(st.integers(0, len(text)))
    taken = data.draw(st.integers(0, 2))
    put = data.draw(st.text(st.sampled_from(base45.ALPHABET + "aé\n\x00"), max_size=2))
    changed = text[:place] + put + text[place + taken :]
    if changed != text:
        opened = SIGNED.open(changed, TENANT, KEYRING)
        assert opened is None or isinstance(opened, Refused)


@given(st.binary(max_size=60))
def test_noise_is_refused_and_never_raises(noise: bytes) -> None:
    for body in (noise, bytes([0x84]) + noise, bytes([0x84, 0x46]) + noise):
        assert SIGNED.open("GP1:" + base45.encode(body), TENANT, KEYRING) == Refused("malformed")


class AnySignature:
    """A key that vouches for all: so that noise gets as far as the claims."""

    algorithm = -19

    def verify(self, signature: bytes, message: bytes) -> bool:  # noqa: ARG002
        return True


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=17),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([3, 4, 6, 7, -65537, "x"]), inner),
        max_leaves=8,
    )
    | st.binary(max_size=40)
)
def test_no_signed_noise_raises(value: Any) -> None:
    payload = value if isinstance(value, bytes) else cbor2.dumps(value, canonical=True)
    protected = cbor2.dumps({1: -19, 4: SIGNER.kid}, canonical=True)
    text = "GP1:" + base45.encode(cbor2.dumps([protected, {}, payload, bytes(64)], canonical=True))
    assert SIGNED.open(text, TENANT, Keyring({SIGNER.kid: AnySignature()})) == Refused("malformed")


@pytest.mark.parametrize("key", [Ed25519Key, SodiumKey])
def test_a_token_of_one_tenant_does_not_verify_for_another(key: type[Ed25519Key | SodiumKey]) -> None:
    text = SIGNED.mint(a_token(), IDX, TENANT, SIGNER)
    keyring = Keyring({SIGNER.kid: key(SIGNER.public)})
    for other in ("", "Default", "default ", "defaul", "default\x00"):
        assert SIGNED.open(text, other, keyring) == Refused("bad_signature")


def test_the_algorithm_is_the_keys_and_not_the_tokens_choice() -> None:
    class OtherAlgorithm(AnySignature):
        algorithm = -8

    key: PublicKey = OtherAlgorithm()
    text = SIGNED.mint(a_token(), IDX, TENANT, SIGNER)
    assert SIGNED.open(text, TENANT, Keyring({SIGNER.kid: key})) == Refused("bad_signature")


def test_no_key_is_pinned_and_nothing_is_known() -> None:
    text = SIGNED.mint(a_token(), IDX, TENANT, SIGNER)
    assert SIGNED.open(text, TENANT, Keyring({})) == Refused("unknown")


def test_nothing_in_a_token_is_believed_before_its_signature() -> None:
    """Expired long ago, for another gate, and forged: it is the forgery that is told."""
    token = a_token(issued_at=NOW - 9 * DAY, expires_at=NOW - 8 * DAY - 1, gate="elsewhere")
    forged = SIGNED.mint(token, IDX, TENANT, SodiumSigner(RFC_8032[1].private))
    keyring = Keyring({SodiumSigner(RFC_8032[1].private).kid: Ed25519Key(SIGNER.public)})
    assert SIGNED.open(forged, TENANT, keyring) == Refused("bad_signature")


def test_there_are_vectors_for_every_kind_of_malformation() -> None:
    reasons = [entry["reason"] for entry in VECTORS["bad"]]
    assert len(reasons) >= 150
    assert {"unrecognised", "malformed", "bad_signature", "unknown"} == set(reasons)


# --- CBOR -------------------------------------------------------------------------------------------------------------


def test_map_keys_are_in_the_order_of_rfc_7049_section_3_9_shorter_first() -> None:
    """Which RFC 8949 calls length-first (section 4.2.3). Its own order (4.2.1) would put 100 (1864) before -1 (20)."""
    assert cbor2.dumps({100: 0, -1: 0}, canonical=True).hex() == "a2" + "2000" + "186400"


def test_for_our_labels_both_orders_are_the_same() -> None:
    for labels in ([1, 4], [3, 4, 6, 7, -65537]):
        encoded = [cbor2.dumps(label) for label in labels]
        assert encoded == sorted(encoded) == sorted(encoded, key=lambda label: (len(label), label))
        whole = cbor2.dumps(dict.fromkeys(reversed(labels), 0), canonical=True)
        assert whole == bytes([0xA0 + len(labels)]) + b"".join(label + b"\x00" for label in encoded)


# --- other people's examples ------------------------------------------------------------------------------------------


def test_the_eddsa_example_of_the_cose_working_group() -> None:
    """github.com/cose-wg/Examples, eddsa-examples/eddsa-sig-01.json: a COSE_Sign1 with the key that has kid "11"."""
    message = bytes.fromhex(
        "d28445a201270300a10442313154546869732069732074686520636f6e74656e742e"
        "58407142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87"
        "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"
    )
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    protected, unprotected, payload, signature = cbor2.loads(message).value
    assert (cbor2.loads(protected), unprotected, payload) == ({1: -8, 3: 0}, {4: b"11"}, b"This is the content.")
    to_be_signed = sig_structure(protected, b"", payload)
    assert to_be_signed.hex() == ("846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e")
    for key in (Ed25519Key(public), SodiumKey(public)):
        assert key.verify(signature, to_be_signed)
        assert not key.verify(signature, sig_structure(protected, b"\x00", payload))


def test_the_external_aad_example_of_the_cose_working_group() -> None:
    """github.com/cose-wg/Examples, sign1-tests/sign-pass-02.json: ES256, so it is the Sig_structure that is tested."""
    protected, external_aad = bytes.fromhex("a10126"), bytes.fromhex("11aa22bb33cc44dd55006699")
    to_be_signed = sig_structure(protected, external_aad, b"This is the content.")
    assert to_be_signed.hex() == (
        "846a5369676e61747572653143a101264c11aa22bb33cc44dd5500669954546869732069732074686520636f6e74656e742e"
    )
    r = int("eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e1", 16)
    s = int("55388b10c4f1b59a6733eab416870a945111a4b2fbdbef33a77234b1deff2f9b", 16)
    x = int("bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff", 16)
    y = int("20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e", 16)
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    key.verify(utils.encode_dss_signature(r, s), to_be_signed, ec.ECDSA(SHA256()))


# --- the oracle -------------------------------------------------------------------------------------------------------


def good_texts() -> list[tuple[str, dict[str, Any]]]:
    """The good vectors that are nothing but a token."""
    return [(entry["text"], entry["claims"]) for entry in VECTORS["good"] if entry["text"].startswith("GP1:")][:11]


def as_cwt(expected: dict[str, Any]) -> dict[str, Any]:
    claims = {
        "4": expected["exp"],
        "6": expected["iat"],
        "7": expected["cti"],
        "-65537": [expected["class"], expected["idx"], expected["epoch"]],
    }
    return claims if expected["gate"] is None else claims | {"3": expected["gate"]}


def ask_oracle(python: Path, read: list[bytes], make_: list[bytes]) -> dict[str, Any]:
    keys = VECTORS["keys"]
    asked = {name: keys[name] for name in ("public", "private", "kid")} | {
        "external_aad": VECTORS["external_aad"],
        "read": [message.hex() for message in read],
        "make": [claims.hex() for claims in make_],
    }
    script = Path(__file__).with_name("oracle.py")
    answer = subprocess.run([python, "-I", script], input=json.dumps(asked), capture_output=True, text=True, check=True)
    answered: dict[str, Any] = json.loads(answer.stdout)
    return answered


def test_the_cwt_package_reads_our_tokens_and_makes_the_very_same_bytes(oracle_python: Path) -> None:
    """Checked by it: headers, Sig_structure with external_aad, the signature under alg -19, the types of CWT claims.

    Ed25519 is deterministic, so what it makes from our claims is our token, byte for byte. And it refuses every
    vector whose signature is bad but one, which RFC 8032 leaves open and libsodium refuses, as we do.
    """
    good = good_texts()
    read = [base45.decode(text[4:]) for text, _ in good]
    forged = [entry for entry in VECTORS["bad"] if entry["reason"] == "bad_signature"]
    read_too = [base45.decode(entry["text"][4:]) for entry in forged]
    claims = [cbor2.loads(message)[2] for message in read]

    answered = ask_oracle(oracle_python, read + read_too, claims)

    header = {"1": -19, "4": VECTORS["keys"]["kid"]}
    expected = [{"header": header, "claims": as_cwt(claims_)} for _, claims_ in good]
    assert answered["read"][: len(good)] == expected
    accepted = [
        entry["wrong"]
        for entry, answer in zip(forged, answered["read"][len(good) :], strict=True)
        if "error" not in answer
    ]
    assert accepted == ["R of small order, made with the right key"]
    assert answered["made"] == [message.hex() for message in read]


def test_our_claims_are_those_that_the_oracle_was_given() -> None:
    text, expected = good_texts()[1]
    opened = SIGNED.open(text, TENANT, KEYRING)
    assert isinstance(opened, Claims)
    assert opened.token is not None
    assert opened.idx == expected["idx"]
    assert encode_claims(opened.token, expected["idx"]) == cbor2.loads(base45.decode(text[4:]))[2]
