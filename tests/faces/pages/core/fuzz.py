"""Texts for two decoders to agree on: good tokens, and what becomes of them in the hands of somebody with too much time.

Most of them have a right signature, so that what stands behind it is looked at too. The same seed gives the same texts.
"""

import random
import struct
from collections.abc import Callable
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.damm import check_digit
from tests.vectors.parts import (
    ALPHABET,
    AUD,
    CTI,
    EXP,
    GATEPASS,
    HEADER,
    IAT,
    ISSUED,
    KID,
    LARGEST,
    PRIVATE,
    TENANT,
    dumps,
    raw_map,
    text_of,
    to_be_signed,
)

_KEY = Ed25519PrivateKey.from_private_bytes(PRIVATE)
_AAD = dumps(["GP1", TENANT])
_EDGES = (0, 1, 2, 23, 24, 255, 256, 59, 60, 61, 65535, 65536, 86_400, 86_401, 34_560_000, 34_560_001, 2**32, LARGEST)
STRANGE = (
    *(
        None,
        True,
        False,
        cbor2.undefined,
        1.0,
        1.5,
        -0.0,
        float("nan"),
        float("inf"),
        1e300,
        "",
        "a",
        "4",
        b"",
        b"\x00",
    ),
    *(-1, -2, -19, -65537, 2**53, -(2**53), 2**63, 2**64 - 1, 2**64, -(2**64) - 1, [], {}, [[]], {1: 2}, [0, 4711, 0]),
    *(
        cbor2.CBORSimpleValue(0),
        cbor2.CBORSimpleValue(99),
        cbor2.CBORTag(1, 0),
        cbor2.CBORTag(55799, 1),
        "é",
        "\U0001f511",
    ),
    *(ISSUED, ISSUED + 60, KID, bytes(16), "main-door", "-door", "a" * 64, "a" * 65, "main door", "main-door\n"),
)
_EXTRA = ("\x00", "é", "\u0663", "\uff11", "\U0001f511", "\ud800", "\udfff", "a", "\n", "\t", " ", "\xa0", "\\", ",")
_EDGE_TEXTS = ("\r\n", "\n", "\t", " ", "  ", "\r", "\x0b", "\xa0", "\ufeff", "\x1e")


def texts(count: int, seed: int) -> list[str]:
    """As many texts, each made in one of the ways below."""
    dice = random.Random(seed)
    return [dice.choices(_WAYS, _WEIGHTS)[0](dice) for _ in range(count)]


def signed(header: bytes, payload: bytes) -> bytes:
    """A COSE_Sign1 with a right signature, whatever is in it."""
    return dumps([header, {}, payload, _KEY.sign(to_be_signed(header, payload, _AAD))])


def good_claims(dice: random.Random) -> dict[int, Any]:
    reusable = dice.random() < 0.3
    iat = dice.choice((ISSUED, ISSUED, dice.randrange(2**33), dice.choice(_EDGES[:-1])))
    longest = 34_560_000 if reusable else 86_400
    claims: dict[int, Any] = {
        EXP: min(LARGEST, iat + dice.choice((1, 60, longest, dice.randint(1, longest)))),
        IAT: iat,
        CTI: _uuid7(dice),
        GATEPASS: [
            int(reusable),
            dice.choice((4711, dice.choice(_EDGES), dice.randrange(2**53))),
            dice.choice((0, 0, 3)),
        ],
    }
    if dice.random() < 0.4:
        claims[AUD] = dice.choice(("main-door", "A", "gate_0VYVdU2bYlI2N1nnHyYYrx", "g" * 64, "0_-"))
    return claims


def _uuid7(dice: random.Random) -> bytes:
    random_bytes = bytearray(dice.randbytes(16))
    random_bytes[6] = random_bytes[6] & 0x0F | 0x70
    random_bytes[8] = random_bytes[8] & 0x3F | 0x80
    return bytes(random_bytes)


def _good(dice: random.Random) -> str:
    return _at_the_edges(dice, text_of(signed(HEADER, dumps(good_claims(dice)))))


def _strange_value(dice: random.Random) -> str:
    """A claim, or a part of one, is something else."""
    claims = good_claims(dice)
    value: Any = dice.choice(STRANGE) if dice.random() < 0.7 else dice.choice(_EDGES)
    label = dice.choice((AUD, EXP, IAT, CTI, GATEPASS, GATEPASS))
    if label == GATEPASS and dice.random() < 0.8:
        claims[GATEPASS][dice.randrange(3)] = value
    elif label == CTI and dice.random() < 0.5:
        claims[CTI] = dice.randbytes(dice.choice((15, 16, 17)))
    else:
        claims[label] = value
    return text_of(signed(HEADER, dumps(claims)))


def _strange_structure(dice: random.Random) -> str:
    """Labels missing, labels too many, and values that have nothing to do with claims."""
    if dice.random() < 0.3:
        return text_of(signed(HEADER, dumps(any_value(dice, 4))))
    claims = good_claims(dice)
    for _ in range(dice.randint(0, 2)):
        claims.pop(dice.choice((*claims, AUD)), None)
    for _ in range(dice.randint(0, 2)):
        claims[dice.choice((1, 2, 3, 5, 8, -65538, "exp", b"\x04", None, True, 4.0))] = dice.choice(STRANGE)
    return text_of(signed(HEADER, dumps(claims)))


def any_value(dice: random.Random, depth: int) -> Any:
    roll = dice.random()
    if depth and roll < 0.3:
        return [any_value(dice, depth - 1) for _ in range(dice.randint(0, 4))]
    if depth and roll < 0.6:
        return {dice.choice((*range(9), "a", b"b", -1)): any_value(dice, depth - 1) for _ in range(dice.randint(0, 4))}
    return dice.choice((*STRANGE, *_EDGES))


def _other_spelling(dice: random.Random) -> str:
    """The right claims, spelled otherwise: longer heads, other orders, twice, indefinite, tagged, with bytes behind."""
    pairs = sorted(
        ((dumps(label), dumps(value)) for label, value in good_claims(dice).items()),
        key=lambda pair: (len(pair[0]), pair[0]),
    )
    at, how = dice.randrange(len(pairs)), dice.randrange(8)
    label, value = pairs[at]
    if how == 0:
        pairs[at] = (label, longer(dice, value))
    elif how == 1:
        pairs[at] = (longer(dice, label), value)
    elif how == 2:
        pairs.insert(at, pairs[at])
    elif how == 3:
        dice.shuffle(pairs)
    elif how == 4:
        tag = dumps(dice.choice((0, 1, 2, 4, 21, 24, 28, 29, 35, 37, 258, 55799)))
        pairs[at] = (label, bytes([tag[0] | 0xC0]) + tag[1:] + value)
    payload = raw_map(*pairs)
    if how == 5:
        payload += dice.choice((b"\x00", b"\xf6", b"\xff", payload))
    elif how == 6:
        payload = b"\xbf" + payload[1:] + b"\xff"
    elif how == 7:
        payload = payload[: dice.randrange(len(payload))]
    return text_of(signed(HEADER, payload))


def longer(dice: random.Random, item: bytes) -> bytes:
    """A CBOR item whose head is written longer than it has to be, where that can be."""
    major, info = item[0] & 0xE0, item[0] & 31
    size = 0 if info < 24 else 1 << info - 24
    if size == 8:
        return item
    argument = int.from_bytes(item[1 : 1 + size], "big") if size else info
    to = dice.choice([each for each in (1, 2, 4, 8) if each > size])
    return bytes([major | 24 + to.bit_length() - 1]) + struct.pack(">Q", argument)[-to:] + item[1 + size :]


def flipped(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        at = dice.randrange(len(changed))
        changed[at] = dice.choice((changed[at] ^ 1 << dice.randrange(8), dice.randrange(256)))
    return bytes(changed)


def _flipped_claims(dice: random.Random) -> str:
    return text_of(signed(HEADER, flipped(dice, dumps(good_claims(dice)))))


def _flipped_header(dice: random.Random) -> str:
    header = flipped(dice, HEADER) if dice.random() < 0.5 else dumps(_strange_header(dice))
    return text_of(signed(header, dumps(good_claims(dice))))


def _strange_header(dice: random.Random) -> Any:
    header: dict[Any, Any] = {1: -19, 4: KID}
    header[dice.choice((1, 4, 2, 33, -1, "4", True, 1.0))] = dice.choice((*STRANGE, -8, KID[:3], bytes(4)))
    return header


def _flipped_envelope(dice: random.Random) -> str:
    return text_of(flipped(dice, signed(HEADER, dumps(good_claims(dice)))))


def _strange_envelope(dice: random.Random) -> str:
    parts: list[Any] = cbor2.loads(signed(HEADER, dumps(good_claims(dice))))
    how = dice.randrange(6)
    if how == 0:
        parts[dice.randrange(4)] = dice.choice(STRANGE)
    elif how == 1:
        parts.insert(dice.randrange(5), dice.choice(STRANGE))
    elif how == 2:
        parts.pop(dice.randrange(4))
    whole = dumps(parts)
    if how == 3:
        whole = dumps(cbor2.CBORTag(dice.choice((18, 61, 24, 55799, 0)), parts))
    elif how == 4:
        whole = dice.choice((longer(dice, whole), b"\x9f" + whole[1:] + b"\xff", whole + b"\x00", whole[:-1]))
    elif how == 5:
        whole = b"\x81" * dice.choice((1, 3, 4, 5, 300)) + whole[: dice.choice((0, 1, 100, 200))]
    return text_of(whole)


def _changed_text(dice: random.Random) -> str:
    """Characters of a good text changed, taken out, put in, or swapped."""
    text = list(text_of(signed(HEADER, dumps(good_claims(dice)))))
    for _ in range(dice.choice((1, 1, 2, 4))):
        at, how = dice.randrange(len(text)), dice.randrange(4)
        other = dice.choice(ALPHABET) if dice.random() < 0.7 else dice.choice(_EXTRA)
        if how == 0:
            text[at] = other
        elif how == 1:
            text.insert(at, other)
        elif how == 2:
            del text[at]
        else:
            text[at - 1], text[at] = text[at], text[at - 1]
    changed = "".join(text)
    return changed * dice.choice((1, 1, 1, 1, 2, 4))


def _bytes(dice: random.Random) -> str:
    """Any bytes as claims, rightly signed, or as a token."""
    data = dice.randbytes(dice.randrange(60))
    return text_of(signed(HEADER, data)) if dice.random() < 0.5 else text_of(data)


def _opaque(dice: random.Random) -> str:
    """Short tokens and typed codes, right ones and others."""
    if dice.random() < 0.4:
        letters = [dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(dice.choice((25, 25, 25, 24, 26)))]
        text = "GP0" + "".join(letters) + dice.choice("AEIMQUY4AEIMQUY4BZ7a01=")
    else:
        digits = "".join(dice.choice("0123456789") for _ in range(dice.choice((10, 11, 11, 12, 13, 19, 20))))
        text = digits + (check_digit(digits) if dice.random() < 0.7 else dice.choice("0123456789"))
        if dice.random() < 0.5:
            text = f"{text[:-8]} {text[-8:-4]} {text[-4:]}"
    if dice.random() < 0.2:
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(_EXTRA) + text[at + dice.randrange(2) :]
    return _at_the_edges(dice, text)


def _at_the_edges(dice: random.Random, text: str) -> str:
    if dice.random() < 0.2:
        text += dice.choice(_EDGE_TEXTS)
    if dice.random() < 0.1:
        text = dice.choice(_EDGE_TEXTS) + text
    if dice.random() < 0.1:
        text = (
            dice.choice(
                ("\\000026", "\\000026", "\\00026", "\\\u0660\u0660\u0660\u0660\u0662\u0666", "\\000026\\000026")
            )
            + text
        )
    return text


_HOW_OFTEN: dict[Callable[[random.Random], str], int] = {
    _good: 4,
    _strange_value: 6,
    _strange_structure: 3,
    _other_spelling: 4,
    _flipped_claims: 6,
    _flipped_header: 2,
    _flipped_envelope: 2,
    _strange_envelope: 2,
    _changed_text: 2,
    _bytes: 1,
    _opaque: 3,
}
_WAYS, _WEIGHTS = tuple(_HOW_OFTEN), tuple(_HOW_OFTEN.values())
