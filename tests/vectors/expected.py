"""A vector of the rules: facts, and what was meant to be decided of them. It is made only if `decide` agrees."""

from typing import Any, NamedTuple

from app.core.changes import Change
from app.core.decision import OK, Decision, decide
from app.core.model import SECOND, Direction, Facts, Refused
from tests.core.facts import EARLIER, a_gate, a_use
from tests.vectors.rules import decision_json, difference, type_of

Json = dict[str, Any]
USED = ("redeem",)


class Meant(NamedTuple):
    """What was meant. Of `changes` each is written in full, or named by its type."""

    outcome: str
    reason: str = OK
    flags: tuple[str, ...] = ()
    overridden: str | None = None
    people_left: int = 0
    not_before: int | None = None
    repeats: bytes | None = None
    changes: tuple[str | Change, ...] = ()


class Vector(NamedTuple):
    name: str
    facts: Facts
    meant: Meant


def admitted(name: str, facts: Facts, *flags: str, changes: tuple[str | Change, ...] = USED, **more: Any) -> Vector:
    return Vector(name, facts, Meant("admit", flags=flags, changes=changes, **more))


def denied(name: str, facts: Facts, reason: str, **more: Any) -> Vector:
    return Vector(name, facts, Meant("deny", reason, **more))


def repeated(name: str, facts: Facts) -> Vector:
    return Vector(name, facts, Meant("admit", repeats=EARLIER))


def rendered_vector(vector: Vector) -> Json:
    decision = decide(vector.facts)
    agree(vector, decision)
    return {"name": vector.name, "facts": difference(vector.facts), "decision": decision_json(decision)}


def agree(vector: Vector, decision: Decision) -> None:
    """Raise where the core decides otherwise than was meant."""
    meant = vector.meant
    said = (decision.outcome.value, *decision[1:3], *(getattr(decision, name) for name in Meant._fields[3:7]))
    same = said == meant[:7] and len(decision.changes) == len(meant.changes)
    same = same and all(
        type_of(change) == expected if isinstance(expected, str) else change == expected
        for change, expected in zip(decision.changes, meant.changes, strict=False)
    )
    if not same:
        raise ValueError(f"{vector.name}: meant {meant}, decided {decision}")


def everywhere(
    phrase: str,
    code: str,
    bad: Facts,
    *,
    out: tuple[str, ...] | None = None,
    out_changes: tuple[str, ...] = (),
    overridable: bool = True,
    ends_repeat: bool = False,
    override_changes: tuple[str, ...] = USED,
    denied_changes: tuple[str, ...] = (),
    **said: Any,
) -> list[Vector]:
    """What any rule's refusal comes to at the desk, on the way out, and in front of a camera."""
    way_out = bad._replace(
        gate=a_gate(direction=Direction.EXIT, from_zones=("hq",), into_zones=()),
        direction=Direction.EXIT,
        exit_side=True,
        zones={},
        inside={},
    )
    shown_again = bad._replace(gate=bad.gate._replace(repeat_window=5 * SECOND), last_use=a_use(people=bad.people))
    by_hand = bad._replace(override=True)
    flags = (code,) if out is None else out
    return [
        admitted(f"{phrase}: on the way out nobody is held back", way_out, *flags, changes=out_changes),
        admitted(f"{phrase}: somebody at the desk admits", by_hand, code, overridden=code, changes=override_changes)
        if overridable
        else denied(f"{phrase}: nobody at the desk can admit", by_hand, code, changes=denied_changes, **said),
        denied(f"{phrase}: within a repeat window too", shown_again, code, changes=denied_changes, **said)
        if ends_repeat
        else repeated(f"{phrase}: who was let in a moment ago is not asked again", shown_again),
        denied(f"{phrase}: a broken text is said first", bad._replace(presented=Refused("malformed")), "malformed")
        if bad.token is None
        else denied(
            f"{phrase}: what is no token is said first",
            bad._replace(presented=Refused("bad_signature"), token=None, pass_=None),
            "bad_signature",
        ),
    ]
