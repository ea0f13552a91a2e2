"""Cards: barcodes and NFC tags that holders carry already, enrolled by hand.

What is read from one is turned into a keyed hash at once. It is in no answer, no log and no table.
"""

import re
from typing import NamedTuple

from app.core.cards import card_hash, could_be_a_card, spellings
from app.core.tokens import bare
from app.storage.records import CredentialRecord
from app.storage.transaction import Transaction

from .audit import record
from .context import Context
from .credentials import Caller
from .idempotency import Retry, create_once, keyed
from .mistakes import Clash, Invalid, NotFound
from .pages import Page, page

_NFC = re.compile(r"[0-9A-Fa-f]{2}(?:[:\- ]?[0-9A-Fa-f]{2}){3,9}")


class EnrolledCard(NamedTuple):
    """A card and its holder's ref."""

    card: CredentialRecord
    ref: str


async def enrol_card(
    app: Context, caller: Caller, holder: bytes, *, kind: str, value: str, retry: Retry | None
) -> EnrolledCard:
    """Enrol a card for the holder. Raises `Clash` where it is somebody's already, without saying whose."""
    text = _readable(kind, value)
    peppers = app.keychain.keyring.peppers
    lookup = card_hash(kind, text, caller.tenant, peppers[0])
    alike = [card_hash(*each, caller.tenant, pepper) for each in spellings(text) for pepper in peppers]

    def make(tx: Transaction) -> tuple[str, EnrolledCard]:
        ref = _ref(tx, caller.tenant, holder)
        card = CredentialRecord(app.new_id(), holder, kind, lookup, peppers[0].version, app.clock.now())
        if tx.credentials.is_taken(caller.tenant, alike) or not tx.credentials.insert(caller.tenant, card):
            raise Clash("credential_exists", "That card is enrolled already.")
        return card.id.hex(), EnrolledCard(card, ref)

    def find(tx: Transaction, id_: str) -> EnrolledCard | None:
        card = tx.credentials.get(caller.tenant, bytes.fromhex(id_))
        return card and EnrolledCard(card, _ref(tx, caller.tenant, card.holder))

    return await create_once(app, caller, keyed(app, retry), make, find)


async def list_cards(
    app: Context, caller: Caller, holder: bytes, after: bytes | None, limit: int
) -> Page[EnrolledCard]:
    """The holder's cards, newest first."""

    def work(tx: Transaction) -> Page[EnrolledCard]:
        ref = _ref(tx, caller.tenant, holder)
        cards = page(
            lambda count: tx.credentials.page(caller.tenant, holder, after, count), lambda card: card.id, limit
        )
        return Page([EnrolledCard(card, ref) for card in cards.items], cards.next)

    return await app.store.read(work)


async def block_card(app: Context, caller: Caller, id_: bytes, reason: str) -> EnrolledCard:
    """Refuse the card. The first block stays."""
    now = app.clock.now()

    def work(tx: Transaction) -> EnrolledCard:
        card = _hold(tx, caller.tenant, id_)
        if tx.credentials.block(caller.tenant, id_, now, reason):
            record(app, tx, caller, "credential_blocked", reason=reason, holder=card.holder, subject=id_)
        return EnrolledCard(_get(tx, caller.tenant, id_), _ref(tx, caller.tenant, card.holder))

    return await app.store.write(work)


async def unblock_card(app: Context, caller: Caller, id_: bytes, reason: str | None) -> EnrolledCard:
    """Let the card count again."""

    def work(tx: Transaction) -> EnrolledCard:
        card = _hold(tx, caller.tenant, id_)
        if tx.credentials.unblock(caller.tenant, id_):
            record(app, tx, caller, "credential_unblocked", reason=reason, holder=card.holder, subject=id_)
        return EnrolledCard(_get(tx, caller.tenant, id_), _ref(tx, caller.tenant, card.holder))

    return await app.store.write(work)


async def delete_card(app: Context, caller: Caller, id_: bytes) -> None:
    """Forget the card: it is like one that never was. It may be enrolled again, for anybody."""

    def work(tx: Transaction) -> None:
        card = _hold(tx, caller.tenant, id_)
        if tx.credentials.delete(caller.tenant, id_):
            record(app, tx, caller, "credential_deleted", holder=card.holder, subject=id_)

    await app.store.write(work)


def _readable(kind: str, value: str) -> str:
    """What a gate will read of the card. Raises `Invalid`."""
    text = bare(value)
    if kind == "nfc" and not _NFC.fullmatch(text):
        raise Invalid("value", "The number of an NFC tag is 4 to 10 bytes as hexadecimal digits, like 04:a2:b3:c4.")
    if not could_be_a_card(text):
        raise Invalid("value", "A card has 4 to 128 printable characters, and not the look of a Gatepass token.")
    return text


def _hold(tx: Transaction, tenant: str, id_: bytes) -> CredentialRecord:
    """The card, and its holder's passes held, as whoever lets somebody in holds them."""
    card = _get(tx, tenant, id_)
    tx.passes.lock_of_holder(tenant, card.holder)
    return card


def _ref(tx: Transaction, tenant: str, id_: bytes) -> str:
    holder = tx.holders.get(tenant, id_)
    if holder is None:
        raise NotFound("holder")
    return holder.ref


def _get(tx: Transaction, tenant: str, id_: bytes) -> CredentialRecord:
    card = tx.credentials.get(tenant, id_)
    if card is None:
        raise NotFound("credential")
    return card
