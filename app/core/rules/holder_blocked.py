"""`holder_blocked`: the holder is on the deny list. A block is lifted, not overridden."""

from ..model import Facts
from ..rule import rule


@rule("holder_blocked", offline=True, timeless=True, ends_repeat=True, overridable=False)
def holder_blocked(facts: Facts) -> bool:
    """Refuse every token and card of a blocked holder."""
    return facts.pass_ is not None and facts.pass_.holder.blocked
