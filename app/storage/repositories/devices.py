"""Devices: kiosks, readers and terminals with a credential of their own."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update

from app.storage.records import DeviceRecord
from app.storage.tables import devices

from .repository import Repository

_COLUMNS = tuple(devices.c[name] for name in DeviceRecord._fields)


class Devices(Repository):
    """What presents tokens at a gate, and how it is set up."""

    def insert(self, device: DeviceRecord) -> bool:
        """Whether its id and set-up token were free."""
        return self._insert(devices, device._asdict())

    def get(self, tenant: str, id_: bytes) -> DeviceRecord | None:
        """The device, a revoked one too."""
        return self._one(select(*_COLUMNS).where(_is(tenant, id_)), DeviceRecord)

    def hold(self, tenant: str, id_: bytes) -> DeviceRecord | None:
        """The device, which nobody else can change until the transaction ends."""
        return self._one(select(*_COLUMNS).where(_is(tenant, id_)).with_for_update(), DeviceRecord)

    def by_setup(self, setup: bytes) -> DeviceRecord | None:
        """The device whose newest set-up token has this hash, used and expired ones too."""
        return self._one(select(*_COLUMNS).where(devices.c.setup == setup), DeviceRecord)

    def use_setup(self, setup: bytes, at: int) -> bool:
        """Spend a set-up token. Of all who try at once this is true for one."""
        good = and_(
            devices.c.setup == setup,
            devices.c.setup_used_at.is_(None),
            devices.c.setup_expires_at > at,
            devices.c.revoked_at.is_(None),
        )
        return self._update(devices, good, {"setup_used_at": at, "initialized_at": at})

    def change(self, tenant: str, id_: bytes, values: Mapping[str, Any]) -> None:
        """Set those columns that `values` names."""
        self._update(devices, _is(tenant, id_), values)

    def seen(self, when: Mapping[tuple[str, bytes], int]) -> None:
        """When they called last, by tenant and id. A later time stays."""
        which = and_(devices.c.tenant == bindparam("of_tenant"), devices.c.id == bindparam("of_id"))
        earlier = or_(devices.c.last_seen_at.is_(None), devices.c.last_seen_at < bindparam("at"))
        rows = [{"of_tenant": tenant, "of_id": id_, "at": at} for (tenant, id_), at in sorted(when.items())]
        self._connection.execute(update(devices).where(which, earlier).values(last_seen_at=bindparam("at")), rows)

    def page(self, tenant: str, after: bytes | None, limit: int) -> list[DeviceRecord]:
        """Newest first; revoked ones are left out."""
        statement = select(*_COLUMNS).where(devices.c.tenant == tenant, devices.c.revoked_at.is_(None))
        return [DeviceRecord(*row) for row in self._page(statement, devices.c.id, after, limit)]


def _is(tenant: str, id_: bytes) -> ColumnElement[bool]:
    return and_(devices.c.tenant == tenant, devices.c.id == id_)
