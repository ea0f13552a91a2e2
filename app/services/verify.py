"""A verification: one attempt at a gate.

1. **Recognise.** One format knows the text by its look.
2. **Open.** Signature or keyed hash, before anything in the token is believed. Nothing is burnt before this.
3. **Settle.** In one transaction: load the facts, decide, redeem, record, commit. (`storage/ledger.py`)
4. **Answer**, only after the commit. A decision that is not durable was not made: on the way in it is a deny with
   `unavailable`, and the same `request_id` settles it later; on the way out nobody is held back.
"""

from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from app.core.decision import NO_CODE_IN_PICTURE, OK, UNAVAILABLE, Outcome, is_exit_side
from app.core.model import Claims, Direction, Presented, Refused
from app.core.token_format import keyed_hash
from app.core.tokens import recognise_any
from app.effects.read_pictures import PictureRefused
from app.storage.attempt import Attempt, Settled, Unsettled
from app.storage.failures import Unavailable
from app.storage.records import VerificationRecord
from app.storage.repositories.tokens import OwnedToken
from app.storage.repositories.verifications import VerificationFilter
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .mistakes import Clash, Forbidden, Invalid, NotFound
from .pages import Page, page
from .sight import genuine, opened, refused_as, the_one

OVERRIDE = "verifications:override"


class Presentation(NamedTuple):
    """What somebody presents at a gate: the text of a token or card, or a picture with its code in it.

    `people` is how many want to go through. `override` is why somebody at the desk admits against the rules.
    """

    gate: str
    token: str | None = None
    picture: bytes | None = None
    request_id: str | None = None
    direction: Direction | None = None
    people: int = 1
    override: str | None = None


async def verify(app: Context, caller: Caller, presentation: Presentation) -> Settled:
    """Decide an attempt. A refusal is an answer like any other; only the caller's own mistakes are raised."""
    if caller.gate is not None and caller.gate != presentation.gate:
        raise Forbidden("This key is bound to another gate.")
    if presentation.override is not None and not caller.may(OVERRIDE):
        raise Forbidden(f"This key has not the scope {OVERRIDE}.")
    if presentation.picture is not None:
        text, presented = await _in_picture(app, caller, presentation.gate, presentation.picture)
    else:
        text = presentation.token or ""
        presented = recognise_any(text, caller.tenant, app.keychain.keyring)  # 1 and 2
    return await settle(app, caller, presentation, presented, text)


async def settle(app: Context, caller: Caller, presentation: Presentation, presented: Presented, text: str) -> Settled:
    """Decide an attempt with a token that is opened already; `text` is what was read."""
    attempt = _attempt(app, caller, presentation, presented, text)
    try:
        if not caller.confirmed:
            raise Unavailable("the key cannot be confirmed")
        settled = await app.store.settle(attempt)  # 3
    except Unavailable:
        settled = _unknown(app, attempt)
    if isinstance(settled, Unsettled):
        _raise_mistake(settled)
    app.metrics.decision(settled.outcome, settled.reason)
    return settled  # 4


async def get_verification(app: Context, caller: Caller, id_: bytes) -> VerificationRecord:
    """The verification. Raises `NotFound`."""
    found = await app.store.read(lambda tx: tx.verifications.get(caller.tenant, id_))
    if found is None:
        raise NotFound("verification")
    return found


async def list_verifications(
    app: Context,
    caller: Caller,
    after: bytes | None,
    limit: int,
    *,
    wanted: VerificationFilter,
    holder: str | None,
) -> Page[VerificationRecord]:
    """The tenant's verifications, newest first."""

    def work(tx: Transaction) -> Page[VerificationRecord]:
        whose = wanted
        if holder is not None:
            found = tx.holders.by_ref(caller.tenant, holder)
            if found is None:
                return Page((), None)
            whose = wanted._replace(holder=found.id)
        return page(
            lambda count: tx.verifications.page(caller.tenant, after, count, whose),
            lambda each: each.id,
            limit,
        )

    return await app.store.read(work)


def _attempt(app: Context, caller: Caller, presentation: Presentation, presented: Presented, text: str) -> Attempt:
    now = app.clock.now()
    is_code = isinstance(presented, Claims) and presented.number is not None
    return Attempt(
        tenant=caller.tenant,
        credential=caller.line,
        exit_bound=caller.side == Direction.EXIT,
        gate=presentation.gate,
        direction=presentation.direction or (Direction(caller.side) if caller.side else None),
        presented=presented,
        request_id=presentation.request_id,
        content=content_of(app, presentation, presented, text) if presentation.request_id is not None else None,
        now=now,
        today=app.calendar.local_day(now, caller.time_zone) if is_code else 0,
        verification=app.new_id(),
        people=presentation.people,
        override=presentation.override,
    )


def content_of(app: Context, presentation: Presentation, presented: Presented, text: str) -> bytes:
    """What was asked under a request id, as a keyed hash: a token by its id, so that its spelling does not matter."""
    token = (presented.lookups or presented.cards)[0] if isinstance(presented, Claims) else text.encode()
    asked: list[object] = ["request", token, presentation.gate, presentation.direction or ""]
    if presentation.people != 1 or presentation.override is not None:
        asked += [presentation.people, presentation.override]
    return keyed_hash(app.keychain.keyring.peppers[-1], asked)


async def _in_picture(app: Context, caller: Caller, gate: str, picture: bytes) -> tuple[str, Presented]:
    """The one token in a picture, and its text.

    On the way out a picture that cannot be read is one without a code: nobody is held back for it.
    """
    try:
        texts = await app.pictures.read(picture)
    except PictureRefused as refused:
        mistake = refused_as(refused)
        if mistake is None or _leads_out(app, caller.tenant, gate, exit_bound=caller.side == Direction.EXIT):
            return "", Refused(NO_CODE_IN_PICTURE)
        raise mistake from None
    shown = opened(app, caller.tenant, texts)
    known: Mapping[str, OwnedToken] | None = {}
    if len(texts) > 1:
        try:
            known = await app.store.read(lambda tx: genuine(tx, caller.tenant, shown))
        except Unavailable:
            known = None
    return the_one(shown, known)


def _unknown(app: Context, attempt: Attempt) -> Settled:
    """The answer where none could be had. Exits are decided by the gate as it was last seen."""
    gate = app.store.known_gate(attempt.tenant, attempt.gate)
    out = _leads_out(app, attempt.tenant, attempt.gate, exit_bound=attempt.exit_bound)
    direction = Direction.EXIT if out else attempt.direction or (gate.direction if gate else Direction.ENTRY)
    return Settled(
        verification=attempt.verification,
        outcome=Outcome.ADMIT if out else Outcome.DENY,
        reason=OK if out else UNAVAILABLE,
        flags=(UNAVAILABLE,) if out else (),
        gate=attempt.gate,
        direction=direction,
        kind=attempt.presented.known_kind if isinstance(attempt.presented, Claims) else None,
        at=attempt.now,
        pass_=None,
        ref=None,
        name=None,
        repeated=None,
        request_id=attempt.request_id,
        people=attempt.people if out else 0,
        people_left=0,
        not_before=None,
        override=None,
        credential=attempt.credential,
        undone_at=None,
    )


def _leads_out(app: Context, tenant: str, gate: str, *, exit_bound: bool) -> bool:
    """Whether nobody is held back here, by the gate as it was last seen."""
    known = app.store.known_gate(tenant, gate)
    return known is not None and is_exit_side(known, exit_bound=exit_bound)


def _raise_mistake(unsettled: Unsettled) -> NoReturn:
    if unsettled.mistake == "request_id_reused":
        raise Clash("request_id_reused", "This request_id came with another token or gate before.")
    if unsettled.mistake == "direction_needed":
        raise Invalid("direction", "At a gate for both directions, say which: entry or exit.")
    raise NotFound("gate")
