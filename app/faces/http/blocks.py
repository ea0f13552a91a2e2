"""What is said when holders, tokens and credentials are blocked, and of those that are."""

from .fields import Answer, Body, GivenReason, Reason, ShownTime, show_time


class NewBlock(Body):
    """Why, in your own words. It is kept with the block, and in the audit events."""

    reason: GivenReason


class Unblock(Body):
    """Why, in your own words. It is kept in the audit events."""

    reason: Reason | None = None


class Block(Answer):
    """Since when something is blocked, and why."""

    at: ShownTime
    reason: str


def show_block(at: int | None, reason: str | None) -> Block | None:
    """The block; None for what is not blocked."""
    return None if at is None else Block(at=show_time(at), reason=reason or "")
