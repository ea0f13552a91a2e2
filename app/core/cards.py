"""What is read from an object that a holder carries already: the barcode of a card, the number of an NFC tag.

Such a number is no secret and can be copied, which is why it is enrolled by hand, can be blocked when lost, and can be
asked for together with a code (`rules/needs_second_proof.py`). Only a keyed hash of it is ever stored.
"""

import re

from .model import Claims, Presented
from .token_format import Keyring, Pepper, keyed_hash

MIN_LENGTH = 4
MAX_LENGTH = 128
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[:\- ]?[0-9A-Fa-f]{2}){3,15}")
_OURS = "GP"

BARCODE, NFC = "barcode", "nfc"


def canonical(number: str) -> str:
    """One spelling for the number of a tag: readers write its bytes as `04:a2:b3:c4` or `04A2B3C4`."""
    return re.sub(r"[:\- ]", "", number).upper() if _HEX_PAIRS.fullmatch(number) else number


def could_be_a_card(text: str) -> bool:
    """Whether `text` could be enrolled: 4 to 128 printable characters, and not the look of a Gatepass token."""
    return MIN_LENGTH <= len(text) <= MAX_LENGTH and text.isprintable() and not text.startswith(_OURS)


def card_hash(kind: str, text: str, tenant: str, pepper: Pepper) -> bytes:
    """What is stored: HMAC-SHA-256 under the pepper of CBOR ["card", kind, tenant, text]; a tag's is canonical."""
    return keyed_hash(pepper, ["card", kind, tenant, canonical(text) if kind == NFC else text])


def spellings(text: str) -> tuple[tuple[str, str], ...]:
    """Every kind of card that `text` could be read from, and how it is spelled then."""
    return ((BARCODE, text), (NFC, canonical(text))) if _HEX_PAIRS.fullmatch(text) else ((BARCODE, text),)


def with_card(presented: Presented, text: str, tenant: str, keyring: Keyring) -> Presented:
    """What was presented, with the hashes by which the store would know a card.

    Codes and cards are digits both: a card whose number looks like a code, right or misspelt, is still found. Where no
    card is known either, it stays what it was without.
    """
    if isinstance(presented, Claims):
        if presented.number is None or not could_be_a_card(text):
            return presented
        return presented._replace(cards=_hashes(text, tenant, keyring))
    if not could_be_a_card(text):
        return presented
    return Claims("card", (), cards=_hashes(text, tenant, keyring), otherwise=presented.reason)


def _hashes(text: str, tenant: str, keyring: Keyring) -> tuple[bytes, ...]:
    return tuple(card_hash(*each, tenant, pepper) for each in spellings(text) for pepper in keyring.peppers)
