"""What can go wrong, as exceptions. A refusal at a gate is none of them: it is an answer."""

from collections.abc import Sequence


class GatepassError(Exception):
    """Whatever this kit raises by itself."""


class Unreachable(GatepassError):
    """No answer, or none of Gatepass's: nobody knows whether the call was carried out."""


class NotSetUp(GatepassError):
    """The folder holds no device, or the link is none that sets one up."""


class BundleRefused(GatepassError):
    """A bundle that is not to be believed: its signature, its tenant, its gate or its age. The one before it stays."""


class ApiError(GatepassError):
    """The service refused the call. `code` is stable, `detail` is for people and may change.

    `status` is the HTTP status, `request_id` the service's own id of the call, which its log knows. `errors` names the
    fields that were wrong, as `(field, message)`.
    """

    def __init__(
        self, status: int, code: str, detail: str, request_id: str | None, errors: Sequence[tuple[str, str]] = ()
    ) -> None:
        fields = "".join(f"; {field}: {message}" for field, message in errors)
        super().__init__(f"{code}: {detail}{fields}")
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = tuple(errors)


class Invalid(ApiError):
    """400, 413, 415 or 422: the call itself is wrong."""


class Unauthenticated(ApiError):
    """401: the key is unknown, expired or revoked."""


class Forbidden(ApiError):
    """403: the key may not do this, or is bound to another gate."""


class NotFound(ApiError):
    """404: there is no such thing in the key's tenant."""


class Conflict(ApiError):
    """409: it is not in a state for this, or an id was used for something else before."""


class TooManyRequests(ApiError):
    """429: later."""


class ServiceFault(ApiError):
    """5xx: the fault is the service's. Nobody knows whether the call was carried out."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def of_status(status: int) -> type[ApiError]:
    """The exception for an HTTP status of 400 or more."""
    return ServiceFault if status >= 500 else _BY_STATUS.get(status, ApiError)
