"""What a picture shows: the QR codes in it, opened, and whose they are."""

from collections.abc import Collection, Mapping

from app.core.decision import AMBIGUOUS, NO_CODE_IN_PICTURE
from app.core.model import Claims, Presented, Refused
from app.core.token_format import UNRECOGNISED
from app.core.tokens import recognise
from app.effects.read_pictures import PictureRefused
from app.storage.repositories.tokens import OwnedToken
from app.storage.transaction import Transaction

from .context import Context
from .mistakes import Invalid, TooManyPictures


class UnreadablePicture(Invalid):
    """It is no picture, or larger than pictures may be: `refusal` says which."""

    def __init__(self, refused: PictureRefused) -> None:
        super().__init__("picture", refused.message)
        self.refusal = refused.code


def refused_as(refused: PictureRefused) -> Exception | None:
    """The mistake that a refused picture is to the caller; None where it is as good as one without a code."""
    if refused.code == "busy":
        return TooManyPictures("Too many pictures are being read. Try again in a moment.")
    return None if refused.code == "too_slow" else UnreadablePicture(refused)


def opened(app: Context, tenant: str, texts: Collection[str]) -> dict[str, Presented]:
    """Each text, opened (steps 1 and 2 of `verify.py`)."""
    return {text: recognise(text, tenant, app.keychain.keyring) for text in texts}


def genuine(tx: Transaction, tenant: str, shown: Mapping[str, Presented]) -> dict[str, OwnedToken]:
    """Those of the texts that are stored tokens."""
    claims = {text: presented for text, presented in shown.items() if isinstance(presented, Claims)}
    keys = [lookup for presented in claims.values() for lookup in presented.lookups]
    found = {token.key: token for token in tx.tokens.owned(tenant, keys)}
    return {
        text: found[lookup] for text, presented in claims.items() for lookup in presented.lookups if lookup in found
    }


def the_one(shown: Mapping[str, Presented], known: Mapping[str, OwnedToken] | None) -> tuple[str, Presented]:
    """The one token that counts, and its text. Codes that are not Gatepass's, on a poster say, do not count.

    Of several, those that are genuine, if all of them are one holder's; else they are ambiguous. `known` is None where
    it could not be found out.
    """
    ours = {text: presented for text, presented in shown.items() if presented != Refused(UNRECOGNISED)}
    if len(ours) > 1:
        if known is None or len({each.holder for each in known.values()}) > 1:
            return "\0".join(sorted(shown)), Refused(AMBIGUOUS)
        ours = {text: presented for text, presented in ours.items() if not known or text in known}
    for text, presented in (ours or shown).items():
        return text, presented
    return "", Refused(NO_CODE_IN_PICTURE)
