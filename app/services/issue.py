"""Issuing a token: a short-lived proof of a pass, shown once."""

from typing import NamedTuple

from app.core.model import SECOND, PassStatus, Token
from app.core.tokens.code import CODE, CODES
from app.core.tokens.short import SECRET_BYTES, SHORT
from app.core.tokens.signed import MAX_LIFETIME_S, SIGNED
from app.storage.records import PassRecord, TokenRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once
from .mistakes import Clash, Invalid, NotFound

MIN_TTL_S = 5
DEFAULT_TTL_S = {"signed": 60, "short": 60, "code": 300}
MAX_CODE_TTL_S = 900
_TRIES = 8


class TokenWish(NamedTuple):
    """What to issue. `ttl_s` None asks for the kind's default."""

    pass_: bytes
    kind: str
    ttl_s: int | None
    gate: str | None
    reusable: bool


class IssuedToken(NamedTuple):
    """A token and its text; the text is None where an earlier request was answered with it. `display` is for codes."""

    record: TokenRecord
    text: str | None
    display: str | None


async def issue(app: Context, caller: Caller, wish: TokenWish, retry: Retry | None) -> IssuedToken:
    """Issue a token of the pass. Its text is in the answer and nowhere else.

    A holder has one live code: a new one takes the place of the one before. Raises `Clash` where the pass is not
    active or over, `NotFound`, `Invalid`.
    """
    ttl_s = _ttl(wish)

    def make(tx: Transaction) -> tuple[str, IssuedToken]:
        pass_ = (
            tx.passes.lock(caller.tenant, wish.pass_)
            if wish.kind == "code"
            else tx.passes.get(caller.tenant, wish.pass_)
        )
        tenant = tx.tenants.get(caller.tenant)
        if pass_ is None or tenant is None:
            raise NotFound("pass")
        if wish.gate is not None and tx.gates.get(caller.tenant, wish.gate) is None:
            raise NotFound("gate")
        token = _token(app, pass_, wish, ttl_s, tenant.epoch)
        issued = _store(app, tx, caller.tenant, pass_, token)
        return token.id.hex(), issued

    def find(tx: Transaction, id_: str) -> IssuedToken | None:
        record = tx.tokens.get(caller.tenant, bytes.fromhex(id_))
        return record and IssuedToken(record, None, None)

    return await create_once(app, caller, retry, make, find)


def _ttl(wish: TokenWish) -> int:
    if wish.reusable and wish.kind == "code":
        raise Invalid("reusable", "A code is good once.")
    longest = MAX_CODE_TTL_S if wish.kind == "code" else MAX_LIFETIME_S[wish.reusable]
    ttl_s = DEFAULT_TTL_S[wish.kind] if wish.ttl_s is None else wish.ttl_s
    if not MIN_TTL_S <= ttl_s <= longest:
        raise Invalid("ttl_s", f"Such a token lives {MIN_TTL_S} to {longest} seconds.")
    return ttl_s


def _token(app: Context, pass_: PassRecord, wish: TokenWish, ttl_s: int, epoch: int) -> Token:
    now = app.clock.now() // SECOND * SECOND
    expires_at = now + ttl_s * SECOND
    if pass_.valid_until is not None:
        expires_at = min(expires_at, pass_.valid_until // SECOND * SECOND)
    if pass_.status != PassStatus.ACTIVE or expires_at <= now:
        raise Clash("pass_not_active", "The pass is suspended, revoked or over.")
    return Token(app.new_id(), wish.kind, now, expires_at, wish.gate, wish.reusable, epoch)


def _store(app: Context, tx: Transaction, tenant: str, pass_: PassRecord, token: Token) -> IssuedToken:
    if token.kind == "signed":
        signer = app.keychain.signer()
        record = _record(token, pass_)._replace(kid=signer.kid)
        tx.tokens.insert(tenant, record)
        return IssuedToken(record, SIGNED.mint(token, pass_.idx, tenant, signer), None)
    pepper = app.keychain.keyring.peppers[0]
    for _ in range(_TRIES):
        if token.kind == "short":
            text = SHORT.mint(app.entropy.bytes(SECRET_BYTES))
            lookup, display = SHORT.keyed_hash(text, tenant, pepper), None
        else:
            text = CODE.mint(pass_.number, app.entropy.below(CODES))
            lookup, display = CODE.keyed_hash(text, tenant, pepper), CODE.display(text)
        record = _record(token, pass_)._replace(lookup=lookup, pepper=pepper.version)
        if tx.tokens.insert(tenant, record):
            if token.kind == "code":
                _replace_code(tx, tenant, pass_.holder, token)
            return IssuedToken(record, text, display)
    raise RuntimeError("no free code found")


def _record(token: Token, pass_: PassRecord) -> TokenRecord:
    return TokenRecord(
        id=token.id,
        kind=token.kind,
        pass_=pass_.id,
        lookup=None,
        pepper=None,
        kid=None,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        gate=token.gate,
        reusable=token.reusable,
        epoch=token.epoch,
        revoked_at=None,
    )


def _replace_code(tx: Transaction, tenant: str, holder: bytes, token: Token) -> None:
    """The guessing arithmetic (rules/throttled.py) counts on one live code a holder."""
    before = tx.holders.replace_live_code(tenant, holder, token.id)
    if before is not None:
        tx.tokens.revoke(tenant, before, token.issued_at)
