"""One call over HTTP: an answer of Gatepass's, or an exception that says which of both sides was at fault.

What does not look like Gatepass (a captive portal's page, a proxy's own error) is no answer: it neither admits nor
revokes anybody, and nobody's clock is set by it. Every answer of Gatepass's has the header Request-Id.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

import httpx
import tenacity

from .core.model import SECOND
from .errors import ApiError, NotSetUp, ServiceFault, TooManyRequests, Unauthenticated, Unreachable, of_status

Result = TypeVar("Result")
_NOT_MODIFIED = 304
_REQUEST_ID = "request-id"
_KEPT_OPEN_S = 60.0
_LONGEST_PAUSE_S = 2.0


class Answer(NamedTuple):
    """A good answer. `at` is the service's clock (microseconds UTC, whole seconds); None where it does not say."""

    status: int
    content: bytes
    headers: httpx.Headers
    at: int | None

    @property
    def unchanged(self) -> bool:
        """Whether what was asked for is as it was when it was asked for last (304)."""
        return self.status == _NOT_MODIFIED

    def json(self) -> dict[str, Any]:
        """The JSON object. Raises `Unreachable` for anything else: that is no answer of Gatepass's."""
        try:
            body = json.loads(self.content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Unreachable("What came back is no answer of Gatepass's.")
        return body


class Transport:
    """Calls to one service under one key. Safe to use from any thread.

    `newest_key` says which key is to be used by now. It is asked once the service refuses the one in use.
    """

    def __init__(
        self, url: str, api_key: str | None, timeout_s: float, newest_key: Callable[[], str | None] | None = None
    ) -> None:
        if not url.startswith(("https://", "http://")):
            raise NotSetUp("The service's address begins with https:// or http://.")
        self.url = url.rstrip("/")
        self._key = api_key
        self._newest_key = newest_key
        self._client = httpx.Client(
            timeout=timeout_s,
            limits=httpx.Limits(keepalive_expiry=_KEPT_OPEN_S),
            verify=_trusted(),
        )

    def use_key(self, api_key: str) -> None:
        """Call under another key from now on."""
        self._key = api_key

    def close(self) -> None:
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """One call. Raises `Unreachable` and, for what the service refuses, `ApiError`."""
        limit = self._client.timeout if timeout_s is None else httpx.Timeout(timeout_s)
        key = self._key

        def once(key: str | None) -> Answer:
            under = {"Authorization": f"Bearer {key}"} if key else {}
            return self._answer(
                method, self.url + path, json=body, params=params, headers={**under, **(headers or {})}, timeout=limit
            )

        try:
            return once(key)
        except Unauthenticated:
            newest = self._newest_key() if self._newest_key else None
            if newest is None or newest == key:
                raise
            self.use_key(newest)
            return once(newest)

    def _answer(self, method: str, url: str, **how: Any) -> Answer:  # noqa: ANN401  as httpx takes it
        try:
            answered = self._client.request(method, url, **how)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise Unreachable(f"No answer: {type(fault).__name__}.") from fault
        if not answered.headers.get(_REQUEST_ID):
            raise Unreachable(f"What came back is no answer of Gatepass's: HTTP {answered.status_code}.")
        if answered.status_code >= 400:
            raise _refused(answered)
        if not (answered.is_success or answered.status_code == _NOT_MODIFIED):
            raise Unreachable(f"What came back is no answer of Gatepass's: HTTP {answered.status_code}.")
        return Answer(answered.status_code, answered.content, answered.headers, _date(answered.headers))


def tried_again(work: Callable[[], Result], *, attempts: int, at_once: bool = False) -> Result:
    """What `work` gives, tried up to `attempts` times while nobody knows whether it was carried out.

    Between attempts are pauses that grow from 0.1 s to 2 s and differ by chance; none where it has to be `at_once`.
    """
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_none() if at_once else tenacity.wait_random_exponential(0.1, _LONGEST_PAUSE_S),
        retry=tenacity.retry_if_exception_type((Unreachable, ServiceFault, TooManyRequests)),
        reraise=True,
    )
    return retrying(work)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificate authorities that are trusted, read once: on a small computer that takes a while."""
    return httpx.create_ssl_context()


def _refused(answered: httpx.Response) -> ApiError | Unreachable:
    try:
        problem = json.loads(answered.content)
        code, detail = problem["code"], problem.get("detail", "")
        errors = [(each["field"], each["message"]) for each in problem.get("errors", ())]
    except (ValueError, TypeError, KeyError, AttributeError):
        return Unreachable(f"What came back is no answer of Gatepass's: HTTP {answered.status_code}.")
    kind = of_status(answered.status_code)
    return kind(answered.status_code, str(code), str(detail), problem.get("request_id"), errors)


def _date(headers: httpx.Headers) -> int | None:
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp()) * SECOND
    except (KeyError, ValueError, OverflowError):
        return None
