"""`/v1/verifications/simulate`: what would be decided, and why."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from app.core.decision import REASONS
from app.core.ids import show
from app.core.model import Direction
from app.core.rules import RULES
from app.services.credentials import Caller
from app.services.mistakes import Invalid
from app.services.simulate import Simulation, Supposition, simulate

from .caller import App, allowed
from .fields import Answer, Body, GateId, ShownTime, Side, Time, id_of, maybe_time, show_time_us
from .presentation import People, Text
from .verifications import NamedHolder

router = APIRouter(prefix="/v1/verifications", tags=["verifications"])

RuleCode = Annotated[str, Field(json_schema_extra={"enum": [rule.code for rule in RULES]})]


class NewSimulation(Body):
    """What to suppose: that a token, or a new one of a pass, is shown at the gate. `at` is now unless it is given."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"pass": "pass_0352LaERscjMMYF4Q7FAgG", "gate": "main-door", "at": "2026-11-28T09:30:00Z"},
            ]
        }
    )

    gate: GateId
    token: Text | None = None
    pass_: Annotated[str | None, Field(alias="pass", max_length=64)] = None
    direction: Side | None = None
    people: People = 1
    at: Time | None = None


class RuleView(Answer):
    """What one rule says, whatever the others say: whether it refuses, whether it flags, and until when it refuses."""

    rule: RuleCode
    refuses: bool
    flags: bool
    not_before: ShownTime | None


class SimulatedVerification(Answer):
    """What would be decided. `rule` is the one that spoke, null where none did; `rules` are all, as they are asked.

    What is no token is refused before any rule is asked: then `rules` is empty.
    """

    decision: Literal["admit", "deny"]
    reason: Annotated[str, Field(json_schema_extra={"enum": list(REASONS)})]
    flags: list[str]
    rule: RuleCode | None
    gate: str
    direction: Literal["entry", "exit"]
    pass_: Annotated[str | None, Field(alias="pass")]
    holder: NamedHolder | None
    at: ShownTime
    people: int
    people_left: int
    not_before: ShownTime | None
    rules: list[RuleView]


@router.post("/simulate", summary="Simulate a verification", response_description="What would be decided")
async def create(
    app: App, caller: Annotated[Caller, allowed("verifications:simulate")], body: NewSimulation
) -> SimulatedVerification:
    """Decide as at the gate, at any time, and change nothing. Who is inside and what was used is as it is now."""
    if (body.token is None) == (body.pass_ is None):
        raise Invalid("token", "Give either a token or a pass.")
    pass_ = None if body.pass_ is None else id_of("pass", "pass", body.pass_)
    direction = None if body.direction is None else Direction(body.direction)
    return _show(
        await simulate(app, caller, Supposition(body.gate, body.token, pass_, direction, body.people, body.at))
    )


def _show(simulation: Simulation) -> SimulatedVerification:
    facts, decision, pass_ = simulation.facts, simulation.decision, simulation.decision.pass_
    spoke = decision.reason if decision.reason in {view.code for view in simulation.views} else None
    return SimulatedVerification(
        decision=decision.outcome.value,
        reason=decision.reason,
        flags=list(decision.flags),
        rule=spoke,
        gate=facts.gate.id,
        direction="exit" if facts.direction == Direction.EXIT else "entry",
        pass_=None if pass_ is None else show("pass", pass_.id),
        holder=None if pass_ is None else NamedHolder(ref=pass_.holder.ref, name=pass_.holder.name),
        at=show_time_us(facts.now),
        people=facts.people if decision.reason == "ok" else 0,
        people_left=decision.people_left,
        not_before=maybe_time(decision.not_before),
        rules=[
            RuleView(rule=view.code, refuses=view.refuses, flags=view.flags, not_before=maybe_time(view.not_before))
            for view in simulation.views
        ],
    )
