"""Facts for a verifier without the network: made of a bundle, and of what the verifier has seen itself.

`decide` is then asked as everywhere else, and asks the rules that can be asked offline. Nothing is known of zones, nor
of limits by the day: these are judged once the verifications have been sent (`conflicts.py`).
"""

from .bundle import Bundle
from .decision import is_exit_side
from .model import Claims, Direction, Facts, Offline, Presented, Use


def offline_facts(
    bundle: Bundle,
    presented: Presented,
    *,
    now: int,
    direction: Direction | None,
    exit_bound: bool,
    last_use: Use | None,
    entries_since: int,
    last_good: int,
    credential: bytes,
    verification: bytes,
    people: int = 1,
) -> Facts:
    """The facts of one attempt.

    `last_use` is the latest use of the token that the verifier knows of, `entries_since` how many people it has let in
    on the pass since the bundle was made, `last_good` the latest time that it knows to have been. `direction` is needed
    at a gate for both directions, unless the verifier is bound to the exit side. Raises ValueError where it lacks.
    """
    manifest = bundle.manifest
    gate = manifest.gate
    exit_side = is_exit_side(gate, exit_bound=exit_bound)
    way = Direction.EXIT if exit_side else direction if gate.direction == Direction.BOTH else gate.direction
    if way is None or way == Direction.BOTH:
        raise ValueError("at a gate for both directions, say which: entry or exit")
    token = pass_ = None
    if isinstance(presented, Claims) and presented.token is not None and presented.idx is not None:
        token = presented.token._replace(revoked=bundle.taken_back(presented.token.id))
        pass_ = bundle.pass_(presented.idx)
        if pass_ is not None and pass_.max_entries is not None:
            pass_ = pass_._replace(entries=pass_.entries + entries_since)
    return Facts(
        now=now,
        today=0,
        epoch=manifest.epoch,
        gate=gate,
        direction=way,
        exit_side=exit_side,
        credential=credential,
        verification=verification,
        presented=presented,
        token=token,
        pass_=pass_,
        last_use=last_use,
        people=people,
        offline=Offline(manifest.offline, manifest.seq, manifest.max_stale, last_good),
    )
