"""API keys."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, select

from app.storage.records import ApiKeyRecord
from app.storage.tables import api_keys

from .repository import Repository

_COLUMNS = tuple(api_keys.c[name] for name in ApiKeyRecord._fields)


class ApiKeys(Repository):
    """Credentials of callers, hashed."""

    def insert(self, key: ApiKeyRecord) -> bool:
        """Whether its id and hash were free."""
        return self._insert(api_keys, key._asdict())

    def by_hashes(self, hashes: Sequence[bytes]) -> list[ApiKeyRecord]:
        """The keys with these hashes, revoked ones too."""
        rows = self._connection.execute(select(*_COLUMNS).where(api_keys.c.hash.in_(hashes)))
        return [ApiKeyRecord(*row) for row in rows]

    def get(self, tenant: str, id_: bytes) -> ApiKeyRecord | None:
        return self._one(select(*_COLUMNS).where(api_keys.c.tenant == tenant, api_keys.c.id == id_), ApiKeyRecord)

    def revoke(self, tenant: str, id_: bytes, at: int) -> None:
        """Refuse the key from now on. The first revocation's time stays."""
        where = and_(api_keys.c.tenant == tenant, api_keys.c.id == id_, api_keys.c.revoked_at.is_(None))
        self._update(api_keys, where, {"revoked_at": at})

    def page(self, tenant: str, after: bytes | None, limit: int) -> list[ApiKeyRecord]:
        """Newest first; revoked ones and those of devices are left out."""
        statement = select(*_COLUMNS).where(
            api_keys.c.tenant == tenant, api_keys.c.revoked_at.is_(None), api_keys.c.device.is_(None)
        )
        return [ApiKeyRecord(*row) for row in self._page(statement, api_keys.c.id, after, limit)]

    def of_device(self, tenant: str, device: bytes) -> list[ApiKeyRecord]:
        """The device's keys that are not revoked, newest first."""
        statement = select(*_COLUMNS).where(_live(tenant, device)).order_by(api_keys.c.created_at.desc())
        return [ApiKeyRecord(*row) for row in self._connection.execute(statement)]

    def move(self, tenant: str, device: bytes, gate: str, side: str | None) -> None:
        """Bind the device's keys to another gate and side."""
        self._update(api_keys, _live(tenant, device), {"gate": gate, "side": side})


def _live(tenant: str, device: bytes) -> ColumnElement[bool]:
    return and_(api_keys.c.tenant == tenant, api_keys.c.device == device, api_keys.c.revoked_at.is_(None))
