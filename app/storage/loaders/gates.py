"""Gates, with the zones that they lead between, and what holds of their tenant."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from app.core.model import SECOND, Direction, Gate
from app.storage.bulk import BulkRead, incoming
from app.storage.engine import Engine
from app.storage.tables import gates, tenants, zones


class Place(NamedTuple):
    """A gate; the time zone that the clock on its wall shows; the epoch of its tenant."""

    gate: Gate
    time_zone: str
    epoch: int

    @property
    def roots(self) -> frozenset[str]:
        """The outermost zones that the gate leads between."""
        return frozenset(path[-1] for path in (self.gate.from_zones, self.gate.into_zones) if path)


class GatesLoader:
    """Loads places by tenant and gate."""

    def __init__(self, engine: Engine) -> None:
        asked = incoming(gates.c.tenant, gates.c.id)
        from_zone, into_zone, here = zones.alias(), zones.alias(), asked.c.tenant
        time_zone = func.coalesce(into_zone.c.local_time_zone, from_zone.c.local_time_zone, tenants.c.time_zone)
        statement = (
            select(gates.c.tenant, tenants.c.epoch, time_zone, gates.c.id, gates.c.direction)
            .add_columns(from_zone.c.path, into_zone.c.path, gates.c.repeat_window_s, gates.c.second_proof_s)
            .select_from(asked)
            .join(gates, and_(gates.c.tenant == here, gates.c.id == asked.c.id))
            .join(tenants, tenants.c.id == gates.c.tenant)
            .outerjoin(from_zone, and_(from_zone.c.tenant == here, from_zone.c.id == gates.c.from_zone))
            .outerjoin(into_zone, and_(into_zone.c.tenant == here, into_zone.c.id == gates.c.into_zone))
        )
        self._statement = BulkRead(engine, asked, statement)

    def load(self, connection: Connection, asked: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Place]:
        """The places of those (tenant, gate) that there are."""
        rows = self._statement.rows(connection, sorted(set(asked)))
        return {(row[0], row[3]): Place(_gate(*row[3:]), row[2], row[1]) for row in rows}


@lru_cache(maxsize=4096)
def _gate(id_: str, direction: str, from_path: str | None, into_path: str | None, *seconds: int) -> Gate:
    repeat_window, second_proof = (each * SECOND for each in seconds)
    return Gate(id_, Direction(direction), path_of(from_path), path_of(into_path), repeat_window, second_proof)


@lru_cache(maxsize=4096)
def path_of(text: str | None) -> tuple[str, ...]:
    """A zone's path, which is stored as JSON; empty for no zone."""
    return tuple(json.loads(text)) if text else ()
