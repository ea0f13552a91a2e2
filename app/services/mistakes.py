"""The caller's mistakes, as services raise them. How they are told to the caller is the face's affair."""


class Mistake(Exception):
    """Something that the caller can mend. `code` is stable; the message is a sentence that repeats no input."""

    code = "invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(Mistake):
    """A field's value is of the right type and yet impossible."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(Mistake):
    """There is no such thing in this tenant; another tenant's is as if it did not exist."""

    code = "not_found"

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no such {noun}.")
        self.noun = noun


class Forbidden(Mistake):
    """The caller is known, and may not do this."""

    code = "forbidden"


class Clash(Mistake):
    """What was asked does not fit what is there."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TooManyPictures(Mistake):
    """More pictures wait than can be read; try again shortly."""

    code = "too_many_requests"
