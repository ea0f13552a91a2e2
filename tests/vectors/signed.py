"""The vectors of `signed`: every kind of malformation that the strict decoder refuses."""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.parts import (
    AUD,
    CTI,
    EXP,
    GATEPASS,
    HEADER,
    IAT,
    ISSUED,
    KID,
    LARGEST,
    ORDER,
    OTHER_PRIVATE,
    PRIVATE,
    TENANT,
    UUID7,
    VERSION,
    Bad,
    Json,
    as_entries,
    claims,
    dumps,
    kid_of,
    public_of,
    raw_claims,
    raw_map,
    sign,
    text_of,
    to_be_signed,
    token,
    with_claims,
)


def good_signed() -> list[Json]:
    def entry(name: str, values: dict[int, Any], before: str = "", after: str = "") -> Json:
        class_, idx, epoch = values[GATEPASS]
        expected = {
            "cti": values[CTI].hex(),
            "iat": values[IAT],
            "exp": values[EXP],
            "gate": values.get(AUD),
            "class": class_,
            "idx": idx,
            "epoch": epoch,
        }
        return {"name": name, "text": before + token(payload=dumps(values)) + after, "claims": expected}

    return [
        entry("good once, for a minute", claims()),
        entry("bound to a gate", claims(aud="main-door")),
        entry("bound to a gate with an id of the service's", claims(aud="gate_0VYVdU2bYlI2N1nnHyYYrx")),
        entry("bound to a gate with a name of 64 characters", claims(aud="g" * 64)),
        entry("good once, for a whole day", claims(exp=ISSUED + 86_400)),
        entry("good once, for a second", claims(exp=ISSUED + 1)),
        entry("reusable", claims(ours=[1, 4711, 0])),
        entry("reusable, for 400 days, at one gate", claims(exp=ISSUED + 400 * 86_400, aud="hq", ours=[1, 1, 0])),
        entry("of the third epoch", claims(ours=[0, 4711, 3])),
        entry("the smallest numbers", claims(iat=0, exp=1, ours=[0, 0, 0])),
        entry("the largest numbers", claims(iat=LARGEST - 60, exp=LARGEST, ours=[1, LARGEST, LARGEST])),
        entry("with an Enter behind it", claims(), after="\r\n"),
        entry("with a Tab behind it", claims(), after="\t"),
        entry("with spaces around it", claims(), before="  ", after=" "),
        entry("with an ECI mark before it", claims(), before="\\000026"),
        entry("with an ECI mark before it and an Enter behind it", claims(aud="main-door"), "\\000026", "\r"),
    ]


def bad_texts() -> list[Bad]:
    """What is wrong with the text itself."""
    good = token()
    body = good[4:]
    odd = next(text for text in (token(payload=dumps(claims(aud=aud))) for aud in ("a", "ab")) if len(text[4:]) % 3)
    return [
        ("unrecognised", "", "empty"),
        ("unrecognised", "   \r\n", "nothing but what scanners send"),
        ("unrecognised", "gp1:" + body, "the prefix in lower case"),
        ("unrecognised", "GP1" + body, "no colon"),
        ("unrecognised", "X" + good, "a character before it"),
        ("unrecognised", "https://example.com/#" + good, "inside a link"),
        ("unrecognised", "\\0026" + good, "an ECI mark of four digits"),
        ("unrecognised", "\\000026\\000026" + good, "two ECI marks"),
        ("unrecognised", "GP9:" + body, "the prefix of no format"),
        ("unrecognised", "HC1:" + body, "the prefix of another system"),
        ("malformed", "GP1:", "nothing behind the prefix"),
        ("malformed", "GP1:" + body.lower(), "lower case"),
        ("malformed", good[:40] + good[40:].lower(), "the second half in lower case"),
        ("malformed", good[:20] + "_" + good[21:], "a character outside the alphabet"),
        ("malformed", good[:20] + "\u00c9" + good[21:], "a letter that is not ASCII"),
        ("malformed", good[:20] + "\uff21" + good[21:], "a full-width letter"),
        ("malformed", good[:19] + "\n" + good[19:], "a line feed within it"),
        ("malformed", good[:20] + "\x00" + good[21:], "a NUL within it"),
        ("malformed", "GP1:" + body[: len(body) // 3 * 3 - 2], "3n + 1 characters of base45"),
        ("malformed", "GP1:" + ":::" + body[3:], "a group of three above FFFF"),
        ("malformed", "GP1:" + "GGW" + body[3:], "a group of three that is 10000, the first above FFFF"),
        ("malformed", odd[:-2] + "V5", "a last group of two that is 100, the first above FF"),
        ("malformed", good + "0" * (601 - len(good)), "601 characters"),
        ("malformed", "GP1:" + "0" * 900, "904 characters"),
        ("malformed", good[:-3], "the last three characters are missing"),
        ("malformed", good[:100], "cut in half"),
        ("malformed", good + good, "twice in one text"),
    ]


def bad_envelopes() -> list[Bad]:
    """What is wrong with the COSE_Sign1 around header and payload."""
    payload, signature = dumps(claims()), sign()
    whole = dumps([HEADER, {}, payload, signature])
    padded = whole[:1] + b"\x58\x09" + whole[2:]  # the header's length in two bytes where one does
    wrong: list[tuple[bytes, str]] = [
        (b"\xff\xff", "base45 of what is no CBOR"),
        (dumps("GP1"), "a text in place of the array"),
        (dumps({1: 2}), "a map in place of the array"),
        (bytes.fromhex("818181818100"), "arrays nested five deep"),
        (b"\x81" * 300 + b"\x00", "arrays nested 300 deep"),
        (b"\xd2" + whole, "tagged as COSE_Sign1 (18)"),
        (b"\xd8\x3d\xd2" + whole, "tagged as CWT (61) and COSE_Sign1 (18)"),
        (b"\xd9\xd9\xf7" + whole, "tagged as CBOR (55799)"),
        (b"\xd8\x1c" + whole, "tagged as a shared value (28)"),
        (whole + b"\x00", "a byte behind it"),
        (whole[:-1], "the last byte is missing"),
        (dumps([HEADER, {}, payload]), "an array of three, without the signature"),
        (dumps([HEADER, {}, payload, signature, b""]), "an array of five"),
        (b"\x9f" + whole[1:] + b"\xff", "an array of indefinite length"),
        (padded, "the length of the header in a longer spelling"),
        (dumps([HEADER, {4: KID}, payload, signature]), "an unprotected header that is not empty"),
        (dumps([HEADER, [], payload, signature]), "an array as unprotected header"),
        (dumps([HEADER, None, payload, signature]), "null as unprotected header"),
        (dumps([{1: -19, 4: KID}, {}, payload, signature]), "a map as protected header, not in a byte string"),
        (dumps([HEADER, {}, claims(), signature]), "a map as payload, not in a byte string"),
        (dumps([HEADER, {}, None, signature]), "a null payload, as if it came by another way"),
        (dumps([HEADER, {}, payload, signature[:63]]), "a signature of 63 bytes"),
        (dumps([HEADER, {}, payload, signature + b"\x00"]), "a signature of 65 bytes"),
        (dumps([HEADER, {}, payload, b""]), "an empty signature"),
        (dumps([HEADER, {}, payload, signature.hex()]), "a text as signature"),
        (dumps([HEADER, {}, payload, [signature]]), "an array as signature"),
        (whole[:-66] + b"\x5f" + whole[-66:] + b"\xff", "a signature of indefinite length"),
    ]
    return [("malformed", text_of(cose), what) for cose, what in wrong]


def bad_headers() -> list[Bad]:
    """What is wrong with the protected header. Each of these is signed as it stands."""
    one, alg, four, kid = b"\x01", b"\x32", b"\x04", dumps(KID)
    wrong: list[tuple[bytes, str]] = [
        (b"", "empty"),
        (b"\xa0", "an empty map"),
        (dumps([-19, KID]), "an array"),
        (dumps({1: -19}), "no kid"),
        (dumps({4: KID}), "no alg"),
        (dumps({1: -8, 4: KID}), "alg -8 (EdDSA), which is not the key's -19"),
        (dumps({1: -7, 4: KID}), "alg -7 (ES256)"),
        (dumps({1: 5, 4: KID}), "alg 5 (HMAC 256/256)"),
        (dumps({1: 0, 4: KID}), "alg 0"),
        (dumps({1: None, 4: KID}), "null as alg"),
        (dumps({1: "Ed25519", 4: KID}), "alg as text"),
        (dumps({1: -19.0, 4: KID}), "alg as a float"),
        (dumps({1: -19, 4: KID[:3]}), "a kid of 3 bytes"),
        (dumps({1: -19, 4: KID + b"\x00"}), "a kid of 5 bytes"),
        (dumps({1: -19, 4: b""}), "an empty kid"),
        (dumps({1: -19, 4: "kid1"}), "kid as text"),
        (dumps({1: -19, 4: 1}), "kid as an integer"),
        (dumps({1: -19, 2: [4], 4: KID}), "crit"),
        (dumps({1: -19, 3: 61, 4: KID}), "a content type"),
        (dumps({1: -19, 4: KID, 33: b"\x30"}), "a certificate (x5chain)"),
        (dumps({1: -19, 4: KID, 35: "https://example.com/key"}), "a link to a certificate (x5u)"),
        (dumps({1: -19, 4: KID, -65537: 0}), "a label of nobody's"),
        (dumps({1: -19, "4": KID}), "the label of kid as text"),
        (raw_map((four, kid), (one, alg)), "the labels in another order"),
        (raw_map((one, alg), (one, alg), (four, kid)), "alg twice"),
        (raw_map((one, alg), (four, kid), (four, kid)), "kid twice"),
        (b"\xbf" + one + alg + four + kid + b"\xff", "a map of indefinite length"),
        (HEADER + b"\x00", "a byte behind the map"),
        (raw_map((one, b"\x39\x00\x12"), (four, kid)), "alg in a longer spelling"),
        (raw_map((b"\x18\x01", alg), (four, kid)), "the label of alg in a longer spelling"),
        (raw_map((one, alg), (four, b"\x5f" + kid + b"\xff")), "a kid of indefinite length"),
        (raw_map((four, kid), (b"\xf5", alg)), "true as the label of alg, which some languages take for 1"),
        (raw_map((four, kid), (b"\xf9\x3c\x00", alg)), "1.0 as the label of alg, which some languages take for 1"),
        (raw_map((four, kid), (b"\xc4\x82\x00\x01", alg)), "a decimal 1 (tag 4) as the label of alg"),
    ]
    return [("malformed", token(header), f"protected header: {what}") for header, what in wrong]


def bad_signatures() -> list[Bad]:
    """Well-formed, but not signed by a key of ours for this tenant."""
    payload, signature = dumps(claims()), sign()
    other_public = public_of(OTHER_PRIVATE)
    secret = int.from_bytes(hashlib.sha512(PRIVATE).digest()[:32], "little") & (1 << 254) - 8 | 1 << 254
    identity = b"\x01" + bytes(31)
    message = to_be_signed(HEADER, payload, dumps(["GP1", TENANT]))
    k = int.from_bytes(hashlib.sha512(identity + public_of(PRIVATE) + message).digest(), "little")
    second_s = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    flipped = bytearray(payload)
    flipped[payload.index(UUID7) + 15] ^= 1
    wrong: list[tuple[bytes, bytes, str]] = [
        (bytes(flipped), signature, "a bit of the payload flipped (the last of cti)"),
        (payload, signature[:-1] + bytes([signature[-1] ^ 1]), "a bit of S flipped"),
        (payload, bytes([signature[0] ^ 1]) + signature[1:], "a bit of R flipped"),
        (payload, bytes(64), "a signature of zeros"),
        (payload, signature[:32] + second_s, "S + L in place of S: the same number, spelled again"),
        (payload, signature[:32] + bytes([*signature[32:63], signature[63] | 0x80]), "the highest bit of S set"),
        (payload, identity + (k * secret % ORDER).to_bytes(32, "little"), "R of small order, made with the right key"),
        (payload, sign(private=OTHER_PRIVATE), "signed by another key under the kid of ours"),
        (payload, sign(aad=dumps(["GP1", "other"])), "signed for another tenant"),
        (payload, sign(aad=dumps(["GP2", TENANT])), "external_aad of another format"),
        (payload, sign(aad=b""), "empty external_aad"),
        (payload, sign(aad=dumps(TENANT)), "external_aad without the format's name"),
        (payload, sign(context="Signature"), "signed in the context of COSE_Sign"),
        (payload, Ed25519PrivateKey.from_private_bytes(PRIVATE).sign(payload), "the payload signed without COSE"),
        (b"", signature, "an empty payload with a signature that is not over it"),
        (b"\xff" * 40, signature, "a payload of no CBOR, not signed: the signature is looked at first"),
    ]
    elsewhere = token(dumps({1: -19, 4: kid_of(other_public)}), private=OTHER_PRIVATE)
    return [
        *(("bad_signature", text_of(dumps([HEADER, {}, given, made])), what) for given, made, what in wrong),
        ("unknown", elsewhere, "a kid that is not pinned (of the key of RFC 8032 section 7.1, TEST 2)"),
        ("unknown", token(dumps({1: -19, 4: bytes(4)})), "a kid of zeros"),
    ]


def bad_claims() -> list[Bad]:
    """What is wrong with the claims. Each of these is signed as it stands."""
    day = 86_400
    good = dumps(claims())
    in_order = raw_map(*((dumps(label), dumps(value)) for label, value in claims().items()))
    swapped = raw_map(*((dumps(label), dumps(claims()[label])) for label in (IAT, EXP, CTI, GATEPASS)))
    twice = raw_map(*((dumps(label), dumps(claims()[label])) for label in (EXP, EXP, IAT, CTI, GATEPASS)))
    if in_order != good:
        raise ValueError("the claims are not in order")
    exp32 = (ISSUED + 60).to_bytes(4, "big")
    return [
        *(
            ("malformed", token(payload=payload), what)
            for payload, what in (
                (b"", "payload: empty"),
                (b"\xff", "payload: no CBOR"),
                (dumps(None), "payload: null"),
                (dumps([1, 2]), "payload: an array"),
                (dumps("claims"), "payload: a text"),
                (dumps({}), "payload: an empty map"),
                (good + b"\x00", "payload: a byte behind the map"),
                (b"\xbf" + good[1:] + b"\xff", "payload: a map of indefinite length"),
                (b"\xd9\xd9\xf7" + good, "payload: tagged as CBOR (55799)"),
                (b"\xd8\x3d" + good, "payload: tagged as CWT (61)"),
                (dumps(claims() | {1: "gatepass"}), "an unknown claim: iss"),
                (dumps(claims() | {5: ISSUED}), "an unknown claim: nbf"),
                (dumps(claims() | {-65538: 0}), "an unknown claim of our own"),
                (dumps(claims() | {"exp": 1}), "a claim under a text label"),
                (swapped, "iat before exp: the labels in another order"),
                (twice, "exp twice"),
            )
        ),
        ("malformed", with_claims(exp=None), "no exp"),
        ("malformed", with_claims(iat=None), "no iat"),
        ("malformed", with_claims(cti=None), "no cti"),
        ("malformed", with_claims(ours=None), "no -65537"),
        ("malformed", with_claims(exp=float(ISSUED + 60)), "exp: a float"),
        ("malformed", with_claims(exp=str(ISSUED + 60)), "exp: a text"),
        ("malformed", with_claims(iat=False, exp=60), "iat: false"),
        ("malformed", with_claims(iat=0, exp=True), "exp: true"),
        ("malformed", with_claims(iat=-1, exp=59), "iat: negative"),
        ("malformed", with_claims(iat=-60, exp=-1), "iat and exp: negative"),
        ("malformed", with_claims(iat=LARGEST - 59, exp=LARGEST + 1), "exp: 2^53"),
        ("malformed", with_claims(iat=2**64 - 61, exp=2**64 - 1), "iat and exp: near 2^64"),
        ("malformed", raw_claims(exp=b"\xc2\x44" + exp32), "exp: a bignum (tag 2)"),
        ("malformed", with_claims(exp=2**64), "exp: a bignum that has no other spelling"),
        ("malformed", raw_claims(exp=b"\xc1\x1a" + exp32), "exp: tagged as a time (tag 1)"),
        ("malformed", raw_claims(exp=b"\x1b" + bytes(4) + exp32), "exp: in 8 bytes where 4 do"),
        ("malformed", raw_claims(exp=b"\xf6"), "exp: null"),
        ("malformed", raw_claims(iat=b"\xf7"), "iat: undefined"),
        ("malformed", raw_claims(labels={EXP: b"\xf9\x44\x00"}), "4.0 as the label of exp"),
        ("malformed", raw_claims(labels={IAT: b"\xc4\x82\x00\x06"}), "a decimal 6 (tag 4) as the label of iat"),
        ("malformed", raw_claims(labels={CTI: b"\x18\x07"}), "the label of cti in a longer spelling"),
        ("malformed", with_claims(exp=ISSUED), "exp equals iat"),
        ("malformed", with_claims(exp=ISSUED - 1), "exp before iat"),
        ("malformed", with_claims(exp=ISSUED + day + 1), "good once, for a day and a second"),
        (
            "malformed",
            with_claims(exp=ISSUED + 400 * day + 1, ours=[1, 4711, 0]),
            "reusable, for 400 days and a second",
        ),
        ("malformed", with_claims(ours=[2, 4711, 0]), "class 2"),
        ("malformed", with_claims(ours=[-1, 4711, 0]), "class -1"),
        ("malformed", with_claims(ours=[False, 4711, 0]), "class: false"),
        ("malformed", with_claims(ours=["once", 4711, 0]), "class: a text"),
        ("malformed", with_claims(ours=[0, -1, 0]), "idx: negative"),
        ("malformed", with_claims(ours=[0, LARGEST + 1, 0]), "idx: 2^53"),
        ("malformed", with_claims(ours=[0, 4711.0, 0]), "idx: a float"),
        ("malformed", with_claims(ours=[0, 4711, -1]), "epoch: negative"),
        ("malformed", with_claims(ours=[0, 4711, b"\x00"]), "epoch: bytes"),
        ("malformed", with_claims(ours=[0, 4711]), "-65537: two elements"),
        ("malformed", with_claims(ours=[0, 4711, 0, 0]), "-65537: four elements"),
        ("malformed", with_claims(ours=[]), "-65537: empty"),
        ("malformed", with_claims(ours={0: 0, 1: 4711, 2: 0}), "-65537: a map"),
        ("malformed", with_claims(ours=4711), "-65537: an integer"),
        ("malformed", with_claims(ours=[0, [[4711]], 0]), "idx: an array"),
        ("malformed", with_claims(ours=[0, [[[[4711]]]], 0]), "idx: nested too deep"),
        ("malformed", with_claims(cti=UUID7[:15]), "cti: 15 bytes"),
        ("malformed", with_claims(cti=UUID7 + b"\x00"), "cti: 17 bytes"),
        ("malformed", with_claims(cti=UUID7.hex()), "cti: a text"),
        ("malformed", raw_claims(cti=b"\xd8\x25" + dumps(UUID7)), "cti: tagged as a UUID (tag 37)"),
        ("malformed", with_claims(cti=UUID7[:6] + b"\x40" + UUID7[7:]), "cti: a UUIDv4"),
        ("malformed", with_claims(cti=bytes(16)), "cti: zeros"),
        ("malformed", with_claims(cti=UUID7[:8] + b"\xc0" + UUID7[9:]), "cti: a UUID of another variant"),
        ("malformed", with_claims(cti=UUID7[:8] + b"\x00" + UUID7[9:]), "cti: a UUID of variant 0"),
        ("malformed", with_claims(aud=""), "aud: empty"),
        ("malformed", with_claims(aud="main door"), "aud: a space in it"),
        ("malformed", with_claims(aud="-door"), "aud: begins with a hyphen"),
        ("malformed", with_claims(aud="main-door\n"), "aud: a line feed at its end"),
        ("malformed", with_claims(aud="main\x00door"), "aud: a NUL in it"),
        ("malformed", with_claims(aud="t\u00fcr"), "aud: a letter that is not ASCII"),
        ("malformed", with_claims(aud="g" * 65), "aud: 65 characters"),
        ("malformed", with_claims(aud=["main-door"]), "aud: an array, which CWT allows"),
        ("malformed", with_claims(aud=b"main-door"), "aud: bytes"),
        ("malformed", raw_claims(aud=b"\xf6"), "aud: null"),
        ("malformed", raw_claims(aud=b"\x62\xc3\x28"), "aud: not UTF-8"),
        ("malformed", raw_claims(aud=b"\x7f\x62hq\xff"), "aud: a text of indefinite length"),
    ]


def signed() -> Json:
    bad = [*bad_texts(), *bad_envelopes(), *bad_headers(), *bad_signatures(), *bad_claims()]
    return {
        "format": "signed",
        "version": VERSION,
        "how_to_run": [
            "Open each `text` as docs/tokens.md says, with the one public key and for the tenant given here.",
            "Each of `good` gives its `claims` (cti in hexadecimal, iat and exp in seconds, gate null where none).",
            "Each of `bad` is refused with its `reason`; `wrong` says what is wrong with it, and nothing else is.",
            "The clock does not come into it: whether a token has expired is asked of its claims later.",
        ],
        "keys": {
            "source": "RFC 8032 section 7.1, TEST 1. For tests only: everybody knows the private key",
            "algorithm": -19,
            "private": PRIVATE.hex(),
            "public": public_of(PRIVATE).hex(),
            "kid": KID.hex(),
        },
        "tenant": TENANT,
        "external_aad": dumps(["GP1", TENANT]).hex(),
        "good": good_signed(),
        "bad": as_entries(bad),
    }
