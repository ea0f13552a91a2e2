"""A tenant with gates, passes and tokens, made past the services: two worlds of one plan are alike to the byte."""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.core.model import SECOND, Claims, Direction, PassStatus, Presented, Refused, Token
from app.storage.attempt import Attempt
from app.storage.engine import Engine
from app.storage.records import GateRecord, HolderRecord, PassRecord, TenantRecord, TokenRecord, ZoneRecord
from app.storage.transaction import Transaction

NOW = 1_795_339_800 * SECOND
"""2026-11-22T09:30:00Z."""

TODAY = NOW // SECOND // 86_400
DESK, KIOSK = b"credential: desk", b"credential:kiosk"


def an_id(kind: str, number: int) -> bytes:
    """16 bytes that say what they name."""
    return f"{kind[:6]:6}{number:010}".encode()


def wrong_code(number: int, guess: int) -> Claims:
    """A code for a holder's number that nobody was given."""
    return Claims("code", (hashlib.sha256(f"{number} {guess}".encode()).digest(),), number=number)


class Shown(NamedTuple):
    """A stored token, and what opening it gives."""

    id: bytes
    presented: Claims


class World:
    """Everything that a test of the ledger presents. Its ids are the same in every tenant."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.tokens: list[Shown] = []
        self._attempts = 0

    def build(self, connection: Connection, engine: Engine) -> None:
        """Five gates, six passes of three holders, and tokens of each kind."""
        tx = Transaction(connection, engine)
        assert tx.tenants.insert(TenantRecord(self.tenant, "UTC", 0, NOW))
        assert tx.zones.insert(self.tenant, ZoneRecord("hq", "Headquarters", None, '["hq"]', None, NOW, "hq"))
        for id_, direction, window in (
            ("door", "entry", 0),
            ("camera", "entry", 5),
            ("hall", "both", 5),
            ("side", "entry", 0),
            ("way-out", "exit", 0),
        ):
            zones = (None, "hq") if id_ in ("door", "camera", "hall") else (None, None)
            assert tx.gates.insert(self.tenant, GateRecord(id_, id_, direction, *zones, window, NOW))
        for n in range(3):
            holder = HolderRecord(an_id("holder", n), f"emp-{n}", 1000 + n, None, None, NOW)
            assert tx.holders.insert(self.tenant, holder)
        for n, other in enumerate(
            (
                {},
                {"max_entries": 3},
                {"max_entries": 10, "scope": '{"gates": [], "zones": ["hq"]}'},
                {"status": PassStatus.SUSPENDED},
                {"valid_until": NOW + 60 * SECOND},
                {"max_entries": 1},
            )
        ):
            self.add_pass(tx, n, **other)
            for kind in ("signed", "short", "code"):
                self.add_token(tx, n, kind)
            self.add_token(tx, n, "signed", reusable=True)

    def add_pass(self, tx: Transaction, n: int, **other: Any) -> None:
        holder = n % 3
        record = PassRecord(
            id=an_id("pass", n),
            idx=n,
            holder=an_id("holder", holder),
            ref=f"emp-{holder}",
            number=1000 + holder,
            scope='{"gates": "all", "zones": []}',
            valid_from=None,
            valid_until=None,
            max_entries=None,
            entries=0,
            status=PassStatus.ACTIVE,
            created_at=NOW,
        )
        tx.passes.insert(self.tenant, record._replace(**other))

    def add_token(self, tx: Transaction, pass_: int, kind: str, *, reusable: bool = False) -> Shown:
        """A token good for an hour."""
        n = len(self.tokens)
        signed = kind == "signed"
        token = Token(an_id("token", n), kind, NOW - 10 * SECOND, NOW + 3600 * SECOND, None, reusable)
        lookup = hashlib.sha256(token.id).digest()
        record = TokenRecord(
            id=token.id,
            kind=kind,
            pass_=an_id("pass", pass_),
            lookup=None if signed else lookup,
            pepper=None if signed else 1,
            kid=b"kid1" if signed else None,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            gate=None,
            reusable=reusable,
            epoch=0,
            revoked_at=None,
        )
        assert tx.tokens.insert(self.tenant, record)
        if signed:
            claims = Claims(kind, (token.id,), token, pass_)
        else:
            claims = Claims(kind, (lookup,), number=1000 + pass_ % 3 if kind == "code" else None)
        self.tokens.append(Shown(token.id, claims))
        return self.tokens[-1]

    def attempt(self, presented: Presented, gate: str = "door", **other: Any) -> Attempt:
        """Something presented at a gate; what was asked is hashed as the service does it: token, gate, direction."""
        self._attempts += 1
        direction = other.get("direction")
        asked = repr((presented.lookups if isinstance(presented, Claims) else presented, gate, direction))
        attempt = Attempt(
            tenant=self.tenant,
            credential=KIOSK,
            exit_bound=False,
            gate=gate,
            direction=None,
            presented=presented,
            request_id=None,
            content=hashlib.sha256(asked.encode()).digest(),
            now=NOW,
            today=TODAY,
            verification=an_id("verify", self._attempts),
        )
        return attempt._replace(**other)

    def random_attempts(self, dice: Any, count: int) -> Iterator[Attempt]:
        """Attempts as a busy day brings them: few tokens, many gates, wrong codes, retries, and time that passes."""
        now = NOW
        earlier: list[Attempt] = []
        for _ in range(count):
            now += dice.choice((0, 0, 0, 1, 2 * SECOND))
            if earlier and dice.random() < 0.2:
                self._attempts += 1
                again = dice.choice(earlier[-8:])
                yield again._replace(now=now, verification=an_id("verify", self._attempts))
                continue
            presented: Presented = dice.choice(self.tokens).presented
            if dice.random() < 0.25:
                presented = wrong_code(dice.choice((1000, 1001, 4711)), dice.randrange(10_000))
            elif dice.random() < 0.05:
                presented = Refused("bad_signature")
            attempt = self.attempt(
                presented,
                dice.choice(("door", "door", "camera", "camera", "hall", "side", "way-out", "nowhere")),
                direction=dice.choice((None, None, Direction.ENTRY, Direction.EXIT)),
                credential=dice.choice((DESK, KIOSK)),
                exit_bound=dice.random() < 0.1,
                request_id=dice.choice((None, None, f"r{dice.randrange(count // 4)}")),
                now=now,
            )
            if attempt.request_id is not None or attempt.gate == "camera":
                earlier.append(attempt)
            yield attempt
