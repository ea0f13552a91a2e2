"""The token formats, and the one place that tells them apart."""

import re

from ..cards import with_card
from ..model import Presented, Refused
from ..token_format import UNRECOGNISED, Keyring, TokenFormat
from .code import CODE
from .short import SHORT
from .signed import SIGNED

FORMATS: tuple[TokenFormat, ...] = (SIGNED, SHORT, CODE)

_ECI_MARK = re.compile(r"\\[0-9]{6}")
_SENT_BY_SCANNERS = "\r\n\t "


def recognise_any(text: str, tenant: str, keyring: Keyring) -> Presented:
    """Open `text` as a token, or else as what is read from a card that somebody carries already."""
    return with_card(recognise(text, tenant, keyring), bare(text), tenant, keyring)


def bare(text: str) -> str:
    """`text` without what scanners add at its edges."""
    mark = _ECI_MARK.match(text)
    return text[mark.end() if mark else 0 :].strip(_SENT_BY_SCANNERS)


def recognise(text: str, tenant: str, keyring: Keyring) -> Presented:
    r"""Open `text` with the one format whose it is.

    Scanners that act as keyboards send Enter or Tab after the text, and some put an ECI mark (`\000026`) before it:
    these are taken off the edges. Nothing else is repaired. (No signed token ends in a space, though base45 has one:
    the last of three characters stands for at most 32, the last of two for at most 5.)
    """
    text = bare(text)
    for token_format in FORMATS:
        presented = token_format.open(text, tenant, keyring)
        if presented is not None:
            return presented
    return Refused(UNRECOGNISED)
