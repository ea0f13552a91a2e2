"""What every answer has to be like."""

import re
from typing import Any

import httpx

TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")
TIME_US = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")

_MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
_CODES = {400: "malformed_body", 401: "unauthenticated", 403: "forbidden", 404: "not_found"} | {
    405: "method_not_allowed", 408: "timeout", 413: "too_large", 415: "unsupported_media_type", 422: "invalid",
    429: "too_many_requests", 503: "unavailable",
}  # fmt: skip


def shown_id(prefix: str) -> re.Pattern[str]:
    return re.compile(prefix + "_[0-9A-Za-z]{22}")


def assert_problem(
    answer: httpx.Response, status: int, code: str | None = None, *, field: str | None = None
) -> dict[str, Any]:
    """The answer is a problem as RFC 9457 has it, with this status and code, and names `field` as what is wrong."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) == (_MEMBERS | {"errors"} if status == 422 else _MEMBERS)
    assert problem["status"] == status
    assert problem["code"] == (code or _CODES[status])
    assert all(isinstance(problem[each], str) and problem[each] for each in _MEMBERS - {"status"})
    assert re.fullmatch("req_[0-9A-Za-z]{20,}", problem["request_id"])
    assert problem["request_id"] == answer.headers["request-id"]
    for error in problem.get("errors", ()):
        assert set(error) == {"field", "message"}
        assert error["message"]
    if field is not None:
        assert [error["field"] for error in problem["errors"]] == [field]
    return problem
