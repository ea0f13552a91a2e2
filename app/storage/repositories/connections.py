"""Connections: clients and readers that speak a dialect."""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select

from app.storage.records import ConnectionRecord
from app.storage.tables import connections

from .repository import Repository

_COLUMNS = tuple(connections.c[name] for name in ConnectionRecord._fields)


class Connections(Repository):
    """Who may call by another API's shapes."""

    def insert(self, connection: ConnectionRecord) -> bool:
        """Whether its key and its serial number were free."""
        return self._insert(connections, connection._asdict())

    def by_lookups(self, lookups: Sequence[bytes]) -> list[ConnectionRecord]:
        """The connections whose key or serial number has one of these hashes, revoked ones too."""
        where = or_(connections.c.lookup.in_(lookups), connections.c.serial_lookup.in_(lookups))
        return [ConnectionRecord(*row) for row in self._connection.execute(select(*_COLUMNS).where(where))]

    def every(self) -> list[ConnectionRecord]:
        """All of all tenants: for sealing anew."""
        return [ConnectionRecord(*row) for row in self._connection.execute(select(*_COLUMNS))]

    def get(self, tenant: str, id_: bytes) -> ConnectionRecord | None:
        statement = select(*_COLUMNS).where(connections.c.tenant == tenant, connections.c.id == id_)
        return self._one(statement, ConnectionRecord)

    def hold(self, tenant: str, id_: bytes) -> None:
        """Keep others from holding it until the transaction ends."""
        where = (connections.c.tenant == tenant, connections.c.id == id_)
        self._connection.execute(select(connections.c.id).where(*where).with_for_update(key_share=True)).all()

    def seal(self, tenant: str, id_: bytes, sealed: bytes) -> None:
        """Keep its secret sealed anew."""
        self._update(connections, and_(connections.c.tenant == tenant, connections.c.id == id_), {"sealed": sealed})

    def revoke(self, tenant: str, id_: bytes, at: int) -> None:
        """Refuse it from now on, and let another have its serial number. The first revocation's time stays."""
        where = and_(connections.c.tenant == tenant, connections.c.id == id_, connections.c.revoked_at.is_(None))
        self._update(connections, where, {"revoked_at": at, "serial_lookup": None})

    def page(self, tenant: str, after: bytes | None, limit: int) -> list[ConnectionRecord]:
        """Newest first; revoked ones are left out."""
        statement = select(*_COLUMNS).where(connections.c.tenant == tenant, connections.c.revoked_at.is_(None))
        return [ConnectionRecord(*row) for row in self._page(statement, connections.c.id, after, limit)]
