"""`http`: one HTTP call opens the gate, as many relays on a local network have it."""

import httpx

from gatepass_kit.result import Result
from gatepass_kit.turnstile import StayedShut

_HEADER = "header."
_REFUSED = range(400, 500)


class HttpRelay:
    """Calls `url`.

    `method` is POST by default, `body` what is sent. Options that begin with `header.` are headers:
    `header.Authorization=...`. `timeout_s` is how long the call may take (2 s). Proxies of the environment are not
    used: a relay is near.
    """

    def __init__(
        self, url: str, method: str = "POST", body: str | None = None, timeout_s: str = "2", **headers: str
    ) -> None:
        unknown = [name for name in headers if not name.startswith(_HEADER)]
        if unknown:
            raise ValueError(f"there is no option {', '.join(unknown)}")
        if not url.startswith(("http://", "https://")):
            raise ValueError("url begins with http:// or https://")
        self._request = (method.upper(), url)
        self._body = body
        self._client = httpx.Client(
            timeout=float(timeout_s),
            headers={name.removeprefix(_HEADER): value for name, value in headers.items()},
            trust_env=False,
        )

    def open(self, result: Result) -> None:  # noqa: ARG002  a relay opens for everybody alike
        """Call. It surely stays shut where it cannot be connected to, or answers 4xx; else nobody knows."""
        method, url = self._request
        try:
            answered = self._client.request(method, url, content=self._body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            raise StayedShut(f"no connection: {type(fault).__name__}") from fault
        if answered.status_code in _REFUSED:
            raise StayedShut(f"it answered {answered.status_code}")
        if not answered.is_success:
            raise RuntimeError(f"it answered {answered.status_code}")

    def close(self) -> None:
        self._client.close()
