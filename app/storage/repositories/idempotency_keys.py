"""Idempotency keys, and the request ids of verifications: what is kept for a while to make retries safe."""

from sqlalchemy import delete, select

from app.storage.records import IdempotencyRecord
from app.storage.tables import idempotency_keys, request_ids

from .repository import Repository


class IdempotencyKeys(Repository):
    """The resource that the first request under a key made."""

    def get(self, tenant: str, credential: bytes, key: str) -> IdempotencyRecord | None:
        return self._one(
            select(idempotency_keys.c.content, idempotency_keys.c.resource).where(
                idempotency_keys.c.tenant == tenant,
                idempotency_keys.c.credential == credential,
                idempotency_keys.c.key == key,
            ),
            IdempotencyRecord,
        )

    def insert(self, tenant: str, credential: bytes, key: str, record: IdempotencyRecord, at: int) -> bool:
        """Whether the key was free."""
        values = {"tenant": tenant, "credential": credential, "key": key, "at": at}
        return self._insert(idempotency_keys, record._asdict() | values)

    def purge(self, before: int) -> None:
        """Forget idempotency keys and request ids from before that time (microseconds)."""
        for table in (idempotency_keys, request_ids):
            self._connection.execute(delete(table).where(table.c.at < before))
