"""`pass_suspended`: the pass is suspended until somebody resumes it."""

from ..model import Facts, PassStatus
from ..rule import rule


@rule("pass_suspended", offline=True, timeless=True, ends_repeat=True)
def pass_suspended(facts: Facts) -> bool:
    """Refuse every token of a suspended pass."""
    return facts.pass_ is not None and facts.pass_.status == PassStatus.SUSPENDED
