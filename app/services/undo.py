"""Taking an admission back: the turnstile did not turn, the visitor changed their mind."""

from app.storage.attempt import Undoing
from app.storage.records import VerificationRecord

from .context import Context
from .credentials import Caller
from .mistakes import Clash, Forbidden, NotFound
from .verify import get_verification

_CLASHES = {
    "not_admitted": "Only an admission can be undone.",
    "already_undone": "This admission was undone before.",
    "too_late": "An admission can be undone within 15 minutes.",
}


async def undo_verification(app: Context, caller: Caller, id_: bytes) -> VerificationRecord:
    """Give the entry back, by the key that asked for it. The token is good again until it expires.

    Raises `NotFound`, `Forbidden` for another key than that, and `Clash` for what cannot be undone.
    """
    done = await app.store.undo(Undoing(caller.tenant, id_, caller.line, app.clock.now()))
    if done is not None and done.mistake == "no_such_verification":
        raise NotFound("verification")
    if done is not None and done.mistake == "of_another_key":
        raise Forbidden("An admission is undone with the key that asked for it.")
    if done is not None:
        raise Clash(done.mistake, _CLASHES[done.mistake])
    return await get_verification(app, caller, id_)
