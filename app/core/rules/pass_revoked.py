"""`pass_revoked`: the pass was taken back for good."""

from ..model import Facts, PassStatus
from ..rule import rule


@rule("pass_revoked", offline=True, timeless=True, ends_repeat=True)
def pass_revoked(facts: Facts) -> bool:
    """Refuse every token of a revoked pass."""
    return facts.pass_ is not None and facts.pass_.status == PassStatus.REVOKED
