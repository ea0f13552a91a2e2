"""The life of signing keys: next, active, retiring, gone."""

from app.core.keys import LONGEST_TOKEN, PUBLISHED_BEFORE_USE
from app.core.model import SECOND
from app.core.rule import LEEWAY
from app.storage.records import SigningKeyRecord
from app.storage.transaction import Transaction

from .context import Context
from .keychain import add_signing_key, times
from .mistakes import Clash, NotFound

_SIGNED_ELSEWHERE = 86_400 * SECOND
"""Other processes sign with a retired key until they look again, a second later. Only badges live longer than this."""


async def list_signing_keys(app: Context) -> list[tuple[SigningKeyRecord, str]]:
    """Every key that ever was, oldest first, with its state now."""
    now = app.clock.now()
    keys = await app.store.read(lambda tx: tx.secrets.signing_keys())
    return [(key, times(key).state(now)) for key in keys]


async def rotate(app: Context, *, at_once: bool = False) -> SigningKeyRecord:
    """Add the next key. It is published now and signs 72 hours later, when every verifier knows it.

    The keys before it retire when it becomes active, and go once no token that they signed can still be good.
    `at_once` skips the wait: for a key that is no longer trusted.
    """
    now = app.clock.now()
    active_from = now if at_once else now + PUBLISHED_BEFORE_USE

    def work(tx: Transaction) -> SigningKeyRecord:
        for key in tx.secrets.signing_keys():
            if key.retired_at is None:
                gone_at = active_from + LONGEST_TOKEN
                tx.secrets.change_signing_key(key.kid, {"retired_at": active_from, "gone_at": gone_at})
        return add_signing_key(tx, app.master_key, app.entropy, created_at=now, active_from=active_from)

    return await app.store.write(work)


async def retire(app: Context, kid: bytes, *, at_once: bool = False) -> SigningKeyRecord:
    """Stop signing with the key. It still verifies until the last token that it signed has expired.

    `at_once` refuses those tokens too: for a key that somebody else may know. A key that is gone stays gone. Raises
    `Clash` for the only key that signs, or is to sign next.
    """
    now = app.clock.now()

    def work(tx: Transaction) -> SigningKeyRecord | None:
        keys = {key.kid: key for key in tx.secrets.signing_keys()}
        if kid not in keys:
            raise NotFound("signing key")
        others = [times(key) for key in keys.values() if key.kid != kid]
        # One that signs now, and one that is not to stop: another may be about to retire in favour of this very key.
        if not any(key.state(now) == "active" for key in others) or all(key.retired_at is not None for key in others):
            raise Clash("only_active_key", "This is the only key that signs. Rotate first, with --at-once if need be.")
        last = keys[kid]
        gone_at = now if at_once else max(tx.secrets.last_expiry(kid) or 0, now) + LEEWAY + _SIGNED_ELSEWHERE
        values = {"retired_at": min(last.retired_at or now, now), "gone_at": min(last.gone_at or gone_at, gone_at)}
        tx.secrets.change_signing_key(kid, values)
        return next((key for key in tx.secrets.signing_keys() if key.kid == kid), None)

    retired = await app.store.write(work)
    if retired is None:
        raise NotFound("signing key")
    return retired
