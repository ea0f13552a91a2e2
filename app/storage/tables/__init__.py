"""The tables, a room of the site a file. `migrations/` makes them; a test holds the two against each other.

The tenant leads every primary key, so that the data can be cut by tenant. Ids are 16 bytes (UUIDv7), times BIGINT
microseconds UTC. What could grow without end has time-ordered keys, so that its indexes grow at one end.
"""

from .base import metadata, verification_seq
from .connections import collections, connections, enrolments, subjects
from .devices import devices
from .service import api_keys, idempotency_keys, peppers, service, signing_keys, tenants
from .site import credentials, gates, holders, passes, schedules, tokens, zones
from .verifications import (
    audit_events,
    budgets,
    conflicts,
    presences,
    redemptions,
    request_ids,
    reservations,
    undos,
    verifications,
)

__all__ = [
    "api_keys",
    "audit_events",
    "budgets",
    "collections",
    "conflicts",
    "connections",
    "credentials",
    "devices",
    "enrolments",
    "gates",
    "holders",
    "idempotency_keys",
    "metadata",
    "passes",
    "peppers",
    "presences",
    "redemptions",
    "request_ids",
    "reservations",
    "schedules",
    "service",
    "signing_keys",
    "subjects",
    "tenants",
    "tokens",
    "undos",
    "verification_seq",
    "verifications",
    "zones",
]
