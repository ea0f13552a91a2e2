"""What a verifier answers."""

from dataclasses import asdict, dataclass
from typing import Any

from .answers import Decision, NamedHolder, Repeated, Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The decision on what was shown, online or offline. Move the relay where it `opens`, and nowhere else.

    `reason` is a reason code of the API; or, where the service refused the call itself, the code of that: above all
    `unauthenticated`, once the device was revoked. `flags` say what was wrong with somebody who was admitted all the
    same. `holder` is None offline: the bundle names nobody. `verification` is the service's id, None offline.
    """

    decision: Decision
    reason: str
    flags: tuple[str, ...]
    gate: str
    direction: str | None
    request_id: str
    offline: bool
    repeated: Repeated | None = None
    holder: NamedHolder | None = None
    people: int = 1
    people_left: int = 0
    verification: str | None = None

    @property
    def opens(self) -> bool:
        """Whether the relay is to move.

        Not for what the gate's repeat window gives again, to a camera that polls: the person went in by the answer
        before it. But for what a request id gives again: whoever asks again had no answer, or could not act on it.
        """
        return self.decision == "admit" and self.repeated != "window"

    def kept(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)

    @classmethod
    def again(cls, kept: dict[str, Any]) -> "Result":
        """A result that was kept, as it is given again for its request id."""
        return cls(**{**kept, "flags": tuple(kept["flags"]), "holder": None, "repeated": "request_id"})


def of_service(seen: Verification, request_id: str) -> Result:
    """The service's answer."""
    return Result(
        decision=seen.decision,
        reason=seen.reason,
        flags=seen.flags,
        gate=seen.gate,
        direction=seen.direction,
        request_id=request_id,
        offline=False,
        repeated=seen.repeated,
        holder=seen.holder,
        people=seen.people,
        people_left=seen.people_left,
        verification=seen.id,
    )


def refused(reason: str, gate: str, request_id: str, *, offline: bool = False) -> Result:
    """Nobody goes in: the call itself was refused, or nothing can be decided."""
    return Result(
        decision="deny",
        reason=reason,
        flags=(),
        gate=gate,
        direction=None,
        request_id=request_id,
        offline=offline,
        people=0,
    )
