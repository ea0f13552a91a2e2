"""Fills a database with holders, passes and tokens, past the API, so that a benchmark can begin."""

import os
from typing import Any, NamedTuple

import sqlalchemy

from app.core.ids import uuid7
from app.core.model import SECOND, Token
from app.core.tokens.code import CODE, CODES
from app.core.tokens.short import SECRET_BYTES, SHORT
from app.core.tokens.signed import SIGNED
from app.services.context import Context
from app.storage.tables import holders, passes, tenants, tokens

CHUNK = 20_000
_LIFETIME = 86_400 * SECOND


class Minted(NamedTuple):
    """Texts of tokens that are stored and unused."""

    signed: list[str]
    short: list[str]
    code: list[str]


class Population:
    """Holders with a pass each, and tokens of theirs, in the tenant `default`.

    Their numbers begin after `before` others. `terms` are columns that all their passes have.
    """

    def __init__(self, app: Context, database: sqlalchemy.Engine, *, before: int = 0, **terms: Any) -> None:
        self._app = app
        self._database = database
        self._before = before
        self._terms = terms
        self._passes: list[tuple[bytes, int, int]] = []
        self._codes = 0

    def add_people(self, count: int) -> None:
        """`count` holders with one pass each, good at every gate."""
        now, first = self._app.clock.now(), self._before + len(self._passes)
        with self._database.begin() as connection:
            for start in range(first, first + count, CHUNK):
                numbers = range(start, min(start + CHUNK, first + count))
                made = [(self._app.new_id(), self._app.new_id(), n) for n in numbers]
                connection.execute(sqlalchemy.insert(holders), [_holder(holder, n, now) for holder, _, n in made])
                connection.execute(
                    sqlalchemy.insert(passes),
                    [{**_pass(pass_, holder, n, now), **self._terms} for holder, pass_, n in made],
                )
                self._passes += [(pass_, n, 1000 + n) for _, pass_, n in made]
            following = {"next_number": 1000 + first + count, "idx_block": (first + count) // 4096 + 1}
            connection.execute(sqlalchemy.update(tenants).values(**following))

    def add_stored_tokens(self, count: int) -> None:
        """`count` signed tokens of which only the record is there: what a site has issued before."""
        now = self._app.clock.now() - 3600 * SECOND
        with self._database.begin() as connection:
            for start in range(0, count, CHUNK):
                rows = [
                    self._row(uuid7(now + n, os.urandom(8)), "signed", self._passes[n % len(self._passes)][0], now)
                    for n in range(start, min(start + CHUNK, count))
                ]
                connection.execute(sqlalchemy.insert(tokens), rows)

    def mint(self, *, signed: int = 0, short: int = 0, code: int = 0) -> Minted:
        """New tokens, spread over the passes; codes are of holders that have none yet."""
        app, minted, rows = self._app, Minted([], [], []), []
        signer, pepper = app.keychain.signer(), app.keychain.keyring.peppers[0]
        now = app.clock.now() // SECOND * SECOND
        step = 7919  # a prime: neighbours in time are not neighbours in the tables
        for n in range(signed + short + code):
            pass_, idx, number = self._passes[(n * step) % len(self._passes)]
            token = Token(app.new_id(), "signed", now, now + _LIFETIME)
            if n < signed:
                minted.signed.append(SIGNED.mint(token, idx, "default", signer))
                rows.append(self._row(token.id, "signed", pass_, now))
            elif n < signed + short:
                text = SHORT.mint(app.entropy.bytes(SECRET_BYTES))
                minted.short.append(text)
                rows.append(self._row(token.id, "short", pass_, now, SHORT.keyed_hash(text, "default", pepper)))
            else:
                pass_, idx, number = self._passes[self._codes]
                self._codes += 1
                text = CODE.mint(number, app.entropy.below(CODES))
                minted.code.append(text)
                rows.append(self._row(token.id, "code", pass_, now, CODE.keyed_hash(text, "default", pepper)))
        with self._database.begin() as connection:
            connection.execute(sqlalchemy.insert(tokens), rows)
        return minted

    def a_pass(self) -> bytes:
        """The id of one pass."""
        return self._passes[0][0]

    def _row(self, id_: bytes, kind: str, pass_: bytes, now: int, lookup: bytes | None = None) -> dict[str, Any]:
        return {
            "tenant": "default",
            "id": id_,
            "kind": kind,
            "pass_": pass_,
            "lookup": lookup,
            "pepper": None if lookup is None else 1,
            "issued_at": now,
            "expires_at": now + _LIFETIME,
            "reusable": False,
            "epoch": 0,
        }


def _holder(id_: bytes, n: int, now: int) -> dict[str, Any]:
    return {"tenant": "default", "id": id_, "number": 1000 + n, "ref": f"emp-{1000 + n}", "created_at": now}


def _pass(id_: bytes, holder: bytes, n: int, now: int) -> dict[str, Any]:
    return {
        "tenant": "default",
        "id": id_,
        "idx": n,
        "holder": holder,
        "scope": '{"gates": "all", "zones": []}',
        "entries": 0,
        "status": "active",
        "status_at": now,
        "created_at": now,
    }
