"""Signing keys, peppers and the proof of the master key, sealed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from app.storage.records import PepperRecord, SigningKeyRecord
from app.storage.tables import peppers, service, signing_keys, tokens

from .repository import Repository


class Secrets(Repository):
    """The service's own secrets. What is stored is sealed; this floor cannot open it."""

    def signing_keys(self) -> list[SigningKeyRecord]:
        """Oldest first."""
        columns = (signing_keys.c[name] for name in SigningKeyRecord._fields)
        rows = self._connection.execute(select(*columns).order_by(signing_keys.c.created_at, signing_keys.c.kid))
        return [SigningKeyRecord(*row) for row in rows]

    def insert_signing_key(self, key: SigningKeyRecord) -> bool:
        """Whether its kid was free: kids are 4 bytes, and two keys may not share one."""
        return self._insert(signing_keys, key._asdict())

    def change_signing_key(self, kid: bytes, values: Mapping[str, Any]) -> None:
        self._update(signing_keys, signing_keys.c.kid == kid, values)

    def last_expiry(self, kid: bytes) -> int | None:
        """When the last token signed with the key expires. Reads every token: for operators, not for requests."""
        latest = select(func.max(tokens.c.expires_at)).where(tokens.c.kid == kid)
        expiry: int | None = self._connection.scalar(latest)
        return expiry

    def peppers(self) -> list[PepperRecord]:
        """Newest first."""
        columns = (peppers.c[name] for name in PepperRecord._fields)
        rows = self._connection.execute(select(*columns).order_by(peppers.c.version.desc()))
        return [PepperRecord(*row) for row in rows]

    def insert_pepper(self, pepper: PepperRecord) -> bool:
        """Whether there was none of that version."""
        return self._insert(peppers, pepper._asdict())

    def change_pepper(self, version: int, sealed: bytes) -> None:
        self._update(peppers, peppers.c.version == version, {"sealed": sealed})

    def service_value(self, name: str) -> bytes | None:
        value: bytes | None = self._connection.scalar(select(service.c.value).where(service.c.name == name))
        return value

    def insert_service_value(self, name: str, value: bytes) -> bool:
        """Whether there was none."""
        return self._insert(service, {"name": name, "value": value})

    def change_service_value(self, name: str, value: bytes) -> None:
        self._update(service, service.c.name == name, {"value": value})
