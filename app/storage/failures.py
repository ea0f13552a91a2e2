"""How the store fails."""


class Unavailable(Exception):
    """The store did not answer, or it is not known whether what was asked has happened. Unknown is not admit."""


class Conflict(Exception):
    """Another process was first. The batch is rolled back, and its attempts are settled again one by one."""
