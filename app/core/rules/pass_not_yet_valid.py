"""`pass_not_yet_valid`: the pass begins later."""

from ..model import Facts
from ..rule import rule


def begins(facts: Facts) -> int | None:
    """When the pass begins."""
    return facts.pass_.valid_from if facts.pass_ else None


@rule("pass_not_yet_valid", offline=True, timeless=True, not_before=begins)
def pass_not_yet_valid(facts: Facts) -> bool:
    """Refuse before the pass's `valid_from`. No leeway: these are the operator's words, and the server's own clock."""
    pass_ = facts.pass_
    return pass_ is not None and pass_.valid_from is not None and facts.now < pass_.valid_from
