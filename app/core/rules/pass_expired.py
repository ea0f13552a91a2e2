"""`pass_expired`: the pass is over."""

from ..model import Facts
from ..rule import rule


@rule("pass_expired", offline=True, timeless=True)
def pass_expired(facts: Facts) -> bool:
    """Refuse from the pass's `valid_until` on."""
    pass_ = facts.pass_
    return pass_ is not None and pass_.valid_until is not None and facts.now >= pass_.valid_until
