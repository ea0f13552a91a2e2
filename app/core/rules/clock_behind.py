"""`clock_behind`: without the network, the verifier's clock shows a time that is known to be over."""

from ..model import Facts
from ..rule import LEEWAY, Need, rule


@rule("clock_behind", needs=(Need.OFFLINE,), offline=True, ends_repeat=True, overridable=False)
def clock_behind(facts: Facts) -> bool:
    """Refuse while the clock is behind the latest time that is known to have been, by more than the leeway.

    With such a clock what has expired would be good again, and a repeat window that is over would be open again.
    """
    offline = facts.offline
    return offline is not None and facts.now < max(offline.last_good, offline.issued_at) - LEEWAY
