"""All records, as one transaction sees them."""

from sqlalchemy import Connection

from .engine import Engine
from .repositories.api_keys import ApiKeys
from .repositories.audit_events import AuditEvents
from .repositories.budgets import Budgets
from .repositories.bundles import Bundles
from .repositories.conflicts import Conflicts
from .repositories.connections import Connections
from .repositories.credentials import Credentials
from .repositories.devices import Devices
from .repositories.enrolments import Enrolments
from .repositories.entry_counts import EntryCounts
from .repositories.gates import Gates
from .repositories.holders import Holders
from .repositories.idempotency_keys import IdempotencyKeys
from .repositories.passes import Passes
from .repositories.presences import Presences
from .repositories.reservations import Reservations
from .repositories.schedules import Schedules
from .repositories.secrets import Secrets
from .repositories.tenants import Tenants
from .repositories.tokens import Tokens
from .repositories.verifications import Verifications
from .repositories.zones import Zones


class Transaction:
    """What a service reads and writes through. It ends when the service's function returns."""

    def __init__(self, connection: Connection, engine: Engine) -> None:
        self.tenants = Tenants(connection, engine)
        self.zones = Zones(connection, engine)
        self.schedules = Schedules(connection, engine)
        self.gates = Gates(connection, engine)
        self.holders = Holders(connection, engine)
        self.passes = Passes(connection, engine)
        self.entry_counts = EntryCounts(connection, engine)
        self.tokens = Tokens(connection, engine)
        self.verifications = Verifications(connection, engine)
        self.conflicts = Conflicts(connection, engine)
        self.budgets = Budgets(connection, engine)
        self.bundles = Bundles(connection, engine)
        self.presences = Presences(connection, engine)
        self.reservations = Reservations(connection, engine)
        self.credentials = Credentials(connection, engine)
        self.connections = Connections(connection, engine)
        self.devices = Devices(connection, engine)
        self.enrolments = Enrolments(connection, engine)
        self.audit_events = AuditEvents(connection, engine)
        self.api_keys = ApiKeys(connection, engine)
        self.secrets = Secrets(connection, engine)
        self.idempotency_keys = IdempotencyKeys(connection, engine)
