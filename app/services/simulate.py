"""A simulation: what a gate would decide, and what each rule says. Nothing changes by it.

The facts are loaded and decided as for a verification, by the same code; only nothing is held, written or counted.
"""

from typing import NamedTuple

from app.core.decision import Decision, View, decide, views, with_one_pass
from app.core.model import Claims, Direction, Facts, Presented
from app.core.tokens import recognise_any
from app.storage.attempt import Attempt

from .context import Context
from .credentials import Caller
from .mistakes import Invalid, NotFound


class Supposition(NamedTuple):
    """What if this were shown at the gate, by so many people, at that time: a token, or a new one of a pass.

    `at` None is now (microseconds UTC).
    """

    gate: str
    token: str | None = None
    pass_: bytes | None = None
    direction: Direction | None = None
    people: int = 1
    at: int | None = None


class Simulation(NamedTuple):
    """The decision, the facts it is made of, and every rule's view."""

    facts: Facts
    decision: Decision
    views: tuple[View, ...]


async def simulate(app: Context, caller: Caller, supposition: Supposition) -> Simulation:
    """Decide what is supposed. Who is inside and what was used is as it is now, whatever the time.

    Raises `NotFound`, and `Invalid` for a typed code: it could be guessed here, where nothing is counted.
    """
    attempt = _attempt(app, caller, supposition)
    facts = await app.store.simulate(attempt)
    if facts is None:
        raise NotFound("gate")
    if facts.direction == Direction.BOTH:
        raise Invalid("direction", "At a gate for both directions, say which: entry or exit.")
    if supposition.pass_ is not None and facts.pass_ is None:
        raise NotFound("pass")
    decided = with_one_pass(facts) if facts.other_passes else facts
    return Simulation(decided, decide(decided), views(decided))


def _attempt(app: Context, caller: Caller, supposition: Supposition) -> Attempt:
    if supposition.token is None:
        presented: Presented = Claims("pass", ())
    else:
        presented = recognise_any(supposition.token, caller.tenant, app.keychain.keyring)
    if isinstance(presented, Claims) and presented.number is not None:
        raise Invalid("token", "A typed code is not simulated: name its pass.")
    return Attempt(
        tenant=caller.tenant,
        credential=caller.line,
        exit_bound=caller.side == Direction.EXIT,
        gate=supposition.gate,
        direction=supposition.direction,
        presented=presented,
        request_id=None,
        content=None,
        now=app.clock.now() if supposition.at is None else supposition.at,
        today=0,
        verification=app.new_id(),
        people=supposition.people,
        simulated_pass=supposition.pass_,
    )
