"""Passes: what holders may do. Made, changed, suspended, resumed, revoked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.core.model import PassStatus, ZoneLimit
from app.storage.records import HolderRecord, PassRecord
from app.storage.transaction import Transaction

from .context import Context
from .credentials import Caller
from .holders import add_holder
from .idempotency import Retry, create_once
from .mistakes import Clash, Invalid, NotFound
from .pages import Page, page
from .pass_limits import counted_zones, limits_text, recounted

_COLUMNS = ("valid_from", "valid_until", "max_entries", "schedule")


class PassWish(NamedTuple):
    """What a new pass shall be. `every_gate` is the caller's explicit "all". Entries are of people."""

    holder: str
    every_gate: bool
    gates: Sequence[str]
    zones: Sequence[str]
    valid_from: int | None
    valid_until: int | None
    max_entries: int | None
    schedule: str | None = None
    max_entries_per_day: int | None = None
    zone_limits: Sequence[ZoneLimit] = ()
    party_size: int = 1
    min_interval_s: int | None = None


async def create_pass(app: Context, caller: Caller, wish: PassWish, retry: Retry | None) -> PassRecord:
    """Make a pass. A holder with a new ref is made on the way."""

    def make(tx: Transaction) -> tuple[str, PassRecord]:
        pass_ = add_pass(app, tx, caller.tenant, wish)
        return pass_.id.hex(), pass_

    def find(tx: Transaction, id_: str) -> PassRecord | None:
        return _get(tx, caller.tenant, bytes.fromhex(id_))

    return await create_once(app, caller, retry, make, find)


def check_pass(tx: Transaction, tenant: str, wish: PassWish) -> None:
    """See that such a pass could be made. Raises `Invalid`, and `NotFound` for what it names and is not there."""
    scope_text(every_gate=wish.every_gate, gates=wish.gates, zones=wish.zones)
    _check_window(wish.valid_from, wish.valid_until)
    _check_scope(tx, tenant, wish.gates, wish.zones)
    _check_schedule_and_limits(tx, tenant, wish._asdict())


def add_pass(app: Context, tx: Transaction, tenant: str, wish: PassWish) -> PassRecord:
    """Store a new pass, and its holder where the ref is new. Raises as `check_pass` does."""
    check_pass(tx, tenant, wish)
    idx = tx.tenants.draw_idx(tenant, app.entropy.below(1 << 64))  # it holds the tenant: no holder is renamed meanwhile
    holder = _holder(app, tx, tenant, wish.holder)
    pass_ = PassRecord(
        id=app.new_id(),
        idx=idx,
        holder=holder.id,
        ref=holder.ref,
        number=holder.number,
        scope=scope_text(every_gate=wish.every_gate, gates=wish.gates, zones=wish.zones),
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
        max_entries=wish.max_entries,
        entries=0,
        status=PassStatus.ACTIVE,
        created_at=app.clock.now(),
        schedule=wish.schedule,
        limits=limits_text(None, wish._asdict()),
    )
    tx.passes.insert(tenant, pass_)
    return pass_


async def get_pass(app: Context, caller: Caller, id_: bytes) -> PassRecord:
    """The pass, with its entries counted. Raises `NotFound`."""
    pass_ = await app.store.read(lambda tx: _get(tx, caller.tenant, id_))
    if pass_ is None:
        raise NotFound("pass")
    return pass_


async def list_passes(
    app: Context, caller: Caller, after: bytes | None, limit: int, *, holder: str | None
) -> Page[PassRecord]:
    """The tenant's passes, newest first, or one holder's."""

    def work(tx: Transaction) -> Page[PassRecord]:
        whose = None
        if holder is not None:
            found = tx.holders.by_ref(caller.tenant, holder)
            if found is None:
                return Page((), None)
            whose = found.id
        passes = page(
            lambda count: tx.passes.page(caller.tenant, after, count, holder=whose),
            lambda pass_: pass_.id,
            limit,
        )
        return Page([_counted(tx, caller.tenant, pass_) for pass_ in passes.items], passes.next)

    return await app.store.read(work)


async def change_pass(app: Context, caller: Caller, id_: bytes, wish: Mapping[str, Any]) -> PassRecord:
    """Set what `wish` names: `every_gate` and `gates`, or any other field of a `PassWish` but the holder.

    A limit that is new counts the entries that there were.
    """
    now = app.clock.now()

    def work(tx: Transaction) -> PassRecord | None:
        pass_ = tx.passes.lock(caller.tenant, id_)
        if pass_ is None:
            raise NotFound("pass")
        values = {name: wish[name] for name in _COLUMNS if name in wish}
        if "gates" in wish or "zones" in wish:
            values["scope"] = _changed_scope(tx, caller.tenant, pass_, wish)
        _check_schedule_and_limits(tx, caller.tenant, wish)
        _check_window(values.get("valid_from", pass_.valid_from), values.get("valid_until", pass_.valid_until))
        if pass_.max_entries is None and values.get("max_entries") is not None:
            values["entries"] = tx.passes.count_entries(caller.tenant, id_)
        limits = limits_text(pass_.limits, wish)
        if limits != pass_.limits:
            values["limits"] = limits
        uncounted = counted_zones(limits) - counted_zones(pass_.limits)
        if uncounted:
            entries = tx.entry_counts.entries(caller.tenant, id_)
            counts = recounted(entries, uncounted, app.calendar.local_day)
            tx.entry_counts.replace(caller.tenant, id_, uncounted, counts)
        if values:
            tx.passes.change(caller.tenant, id_, values, now)
        return _get(tx, caller.tenant, id_)

    changed = await app.store.write(work)
    if changed is None:
        raise NotFound("pass")
    return changed


async def set_status(
    app: Context, caller: Caller, id_: bytes, status: PassStatus, reason: str | None = None
) -> PassRecord:
    """Revoke for good, suspend, or resume. From the answer on nobody is let in by a pass that is not active.

    Raises `Clash` for a revoked pass, unless it shall be revoked.
    """
    now = app.clock.now()

    def work(tx: Transaction) -> PassRecord | None:
        pass_ = tx.passes.lock(caller.tenant, id_)
        if pass_ is None:
            raise NotFound("pass")
        if pass_.status == PassStatus.REVOKED and status != PassStatus.REVOKED:
            raise Clash("pass_revoked", "A revoked pass stays revoked. Make a new one.")
        if pass_.status != status:
            tx.passes.change(caller.tenant, id_, {"status": status, "status_reason": reason, "status_at": now}, now)
        return _get(tx, caller.tenant, id_)

    changed = await app.store.write(work)
    if changed is None:
        raise NotFound("pass")
    return changed


def scope_text(*, every_gate: bool, gates: Sequence[str], zones: Sequence[str]) -> str:
    """A scope as it is stored. Raises `Invalid` for one that names nothing: it would admit nowhere."""
    if not (every_gate or gates or zones):
        raise Invalid("gates", 'Name gates or zones. To mean every gate, say "all".')
    listed: object = "all" if every_gate else sorted(set(gates))
    return json.dumps({"gates": listed, "zones": sorted(set(zones))})


def _changed_scope(tx: Transaction, tenant: str, pass_: PassRecord, wish: Mapping[str, Any]) -> str:
    scope = json.loads(pass_.scope)
    had_every_gate = scope["gates"] == "all"
    every_gate = wish.get("every_gate", had_every_gate)
    gates = wish.get("gates", [] if had_every_gate else scope["gates"])
    zones = wish.get("zones", scope["zones"])
    _check_scope(tx, tenant, wish.get("gates", ()), wish.get("zones", ()))  # what it named before may be gone by now
    return scope_text(every_gate=every_gate, gates=gates, zones=zones)


def _check_scope(tx: Transaction, tenant: str, gates: Sequence[str], zones: Sequence[str]) -> None:
    if any(tx.gates.get(tenant, gate) is None for gate in gates):
        raise NotFound("gate")
    if any(tx.zones.get(tenant, zone) is None for zone in zones):
        raise NotFound("zone")


def _check_schedule_and_limits(tx: Transaction, tenant: str, wish: Mapping[str, Any]) -> None:
    """Check that what `wish` names is there, and have the schedule stay while it is taken."""
    if wish.get("schedule") is not None and not tx.schedules.hold(tenant, wish["schedule"]):
        raise NotFound("schedule")
    if any(tx.zones.get(tenant, limit.zone) is None for limit in wish.get("zone_limits", ())):
        raise NotFound("zone")


def _check_window(valid_from: int | None, valid_until: int | None) -> None:
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise Invalid("valid_until", "A pass ends after it begins.")


def _holder(app: Context, tx: Transaction, tenant: str, ref: str) -> HolderRecord:
    holder = tx.holders.by_ref(tenant, ref) or add_holder(app, tx, tenant, ref, None)
    holder = holder or tx.holders.by_ref(tenant, ref)  # another process made it in between
    if holder is None:
        raise NotFound("holder")
    return holder


def _get(tx: Transaction, tenant: str, id_: bytes) -> PassRecord | None:
    pass_ = tx.passes.get(tenant, id_)
    return pass_ and _counted(tx, tenant, pass_)


def _counted(tx: Transaction, tenant: str, pass_: PassRecord) -> PassRecord:
    """The pass with its entries, which are counted as they happen only where there is a limit."""
    if pass_.max_entries is not None:
        return pass_
    return pass_._replace(entries=tx.passes.count_entries(tenant, pass_.id))
