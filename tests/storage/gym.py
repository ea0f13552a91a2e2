"""A gym with everything that can be configured, made past the services: counted zones, limits, two proofs, cards."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert

from app.core.model import SECOND, Claims, Direction
from app.storage.attempt import Attempt
from app.storage.engine import Engine
from app.storage.records import GateRecord, HolderRecord, ScheduleRecord, TenantRecord, ZoneRecord
from app.storage.tables import credentials
from app.storage.transaction import Transaction
from tests.storage.world import NOW, World, an_id, wrong_code

GATES = ("turnstile", "turnstile", "pool", "vault", "way-out", "hall")
_SUNDAY = {"weekly": [{"days": ["sun"], "from": "09:00", "until": "09:31"}]}  # until a minute after NOW
_LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {"max_entries_per_day": 4},
    {"party_size": 3, "zones": {"pool": {"total": 4}}},
    {"min_interval_s": 2},
    {"zones": {"gym": {"per_day": 3, "total": 5}, "pool": {"per_day": 1}}},
    {"party_size": 2, "max_entries_per_day": 5, "min_interval_s": 1},
)


class Gym(World):
    """Four holders, six passes, tokens of each kind and a card each."""

    cards: list[Claims]

    def build(self, connection: Connection, engine: Engine) -> None:
        tx = Transaction(connection, engine)
        assert tx.tenants.insert(TenantRecord(self.tenant, "UTC", 0, NOW))
        for zone in (
            ZoneRecord("gym", "Gym", None, '["gym"]', None, NOW, "gym", None, True, 3, "soft"),
            ZoneRecord("pool", "Pool", "gym", '["pool", "gym"]', None, NOW, "gym", None, True, 2, "hard", 3),
            ZoneRecord("yard", "Yard", None, '["yard"]', None, NOW, "yard", None, True),
        ):
            assert tx.zones.insert(self.tenant, zone)
        for id_, direction, from_zone, into_zone, window, second_proof_s in (
            ("turnstile", "entry", "yard", "gym", 0, 0),
            ("pool", "both", "gym", "pool", 0, 0),
            ("vault", "entry", "gym", "pool", 0, 3),
            ("way-out", "exit", "gym", "yard", 0, 0),
            ("hall", "both", None, "yard", 2, 0),
        ):
            gate = GateRecord(id_, id_, direction, from_zone, into_zone, window, NOW, second_proof_s)
            assert tx.gates.insert(self.tenant, gate)
        assert tx.schedules.insert(self.tenant, ScheduleRecord("sunday", "Sunday", json.dumps(_SUNDAY), NOW))
        self.cards = []
        for n in range(4):
            holder = an_id("holder", n)
            assert tx.holders.insert(self.tenant, HolderRecord(holder, f"emp-{n}", 1000 + n, None, None, NOW))
            lookup = hashlib.sha256(b"card" + holder).digest()
            card = {"tenant": self.tenant, "id": an_id("card", n), "holder": holder, "kind": "nfc", "lookup": lookup}
            connection.execute(insert(credentials).values(**card, pepper=1, created_at=NOW))
            self.cards.append(Claims("card", (), cards=(lookup,), otherwise="unrecognised"))
        for n, limits in enumerate(_LIMITS):
            self.add_pass(
                tx,
                n,
                holder=an_id("holder", n % 4),
                limits=json.dumps(limits) if limits else None,
                schedule="sunday" if n == 0 else None,
                max_entries=9 if n == 2 else None,
            )
            for kind in ("signed", "short", "code"):
                self.add_token(tx, n, kind)
            self.add_token(tx, n, "signed", reusable=True)

    def random_attempts(self, dice: Any, count: int) -> Iterator[Attempt]:
        now = NOW
        for n in range(count):
            now += dice.choice((0, 0, SECOND // 2, SECOND))
            presented = dice.choice(self.tokens).presented
            if dice.random() < 0.25:
                presented = dice.choice(self.cards)
            elif dice.random() < 0.05:
                presented = wrong_code(1001, n)
            yield self.attempt(
                presented,
                dice.choice(GATES),
                direction=dice.choice((Direction.ENTRY, Direction.ENTRY, Direction.EXIT)),
                people=dice.choice((1, 1, 1, 2, 3)),
                override=dice.choice((None,) * 9 + ("the desk knows them",)),
                exit_bound=dice.random() < 0.1,
                request_id=f"r{n}" if dice.random() < 0.3 else None,
                now=now,
            )
