"""Outgoing HTTP: devices that have to be called with what they wait for.

A device is called under its IP address, and only in a network that the operator has allowed. It may be slow, dead, or
not the device at all: a call has a time by which it is over, little of an answer is read and nothing of it is kept, and
neither redirects nor proxies are followed. A dead device takes its own few places, and nobody else's.
"""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, NamedTuple

import httpx
import structlog
from tenacity import AsyncRetrying, retry_if_result, stop_after_attempt, wait_fixed

WINDOW_S = 4.5
"""How long after a device has asked it is worth answering: it waits for about 5 seconds."""

MAX_IN_FLIGHT = 64
MAX_PER_DEVICE = 4
TRIES = 3
LONGEST_ANSWER = 16 * 1024

_PAUSE_S = 0.3
_TIMEOUT = httpx.Timeout(1.0, read=2.0)
_HEADERS = {"accept-encoding": "identity", "user-agent": "gatepass"}
_LEFT_OUT = (b"set-cookie", b"content-encoding")
_STALE = re.compile(r'\bstale="?true\b', re.IGNORECASE)
_ADDRESS = re.compile(r"(https?)://(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?/?")
_LAST_PORT = 65_535
_UNSENT = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_log = structlog.get_logger()


class Delivery(StrEnum):
    """What became of a message to a device. Where it was not delivered, the device surely did nothing about it."""

    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    UNKNOWN = "unknown"


class Message(NamedTuple):
    """JSON that is PUT to a device, which knows Gatepass by a name and a password (HTTP Digest, RFC 7616).

    `url` is `http://` or `https://` and an IP address. `taken` says of the body of a 2xx answer what became of the
    message.
    """

    url: str
    path: str
    body: bytes
    username: str
    password: str
    taken: Callable[[bytes], Delivery]


class Address(NamedTuple):
    """Where a device is. `url` is written from what was understood of an address, and has nothing else in it."""

    url: str
    ip: IPv4Address | IPv6Address


def read_address(url: str) -> Address:
    """The address of a device: `http://` or `https://`, an IP address and perhaps a port. Raises ValueError else."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        raise ValueError("This is no address of a device.")
    scheme, six, four, port = found.groups()
    ip = IPv6Address(six) if six else IPv4Address(four)
    if port is not None and not 0 < int(port) <= _LAST_PORT:
        raise ValueError("There is no such port.")
    host = f"[{ip}]" if six else str(ip)
    return Address(f"{scheme}://{host}" + (f":{int(port)}" if port else ""), ip)


class Devices:
    """Calls devices. One event loop uses it; `close` ends what is under way."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        """`networks` are those in which devices may be called."""
        self._networks = tuple(networks)
        self._client = _client() if networks else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self._closed = False

    def may_call(self, url: str) -> bool:
        """Whether the address is in one of the networks. A name never is."""
        try:
            ip = read_address(url).ip
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def start(self, url: str, work: Callable[[float], Coroutine[Any, Any, None]]) -> bool:
        """Begin work that ends in a call of the device, beside the requests that are answered.

        `work` is given the time of the loop at which the device no longer waits. False where nothing was begun: the
        device may not be called, or too much is under way with it, or with all.
        """
        crowded = self._under_way[url] >= MAX_PER_DEVICE or len(self._tasks) >= MAX_IN_FLIGHT
        if self._closed or crowded or not self.may_call(url):
            return False
        task = asyncio.create_task(work(asyncio.get_running_loop().time() + WINDOW_S))
        self._tasks.add(task)
        self._under_way[url] += 1
        task.add_done_callback(partial(self._done, url))
        return True

    async def put(self, message: Message, until: float) -> Delivery:
        """Give the device the message, before the loop's time `until`; several times if need be.

        The message has to be one that a device may get twice.
        """
        loop, outcomes = asyncio.get_running_loop(), list[Delivery]()
        auth = httpx.DigestAuth(message.username, message.password)

        async def once(client: httpx.AsyncClient) -> bool:
            outcomes.append(Delivery.UNKNOWN)  # which it is for as long as it takes
            outcomes[-1], again = await _put(client, message, auth)
            return again

        if self._client is not None and self.may_call(message.url) and loop.time() < until:
            tries = AsyncRetrying(
                retry=retry_if_result(bool),
                stop=stop_after_attempt(TRIES),
                wait=wait_fixed(_PAUSE_S),
                retry_error_callback=lambda _state: None,
            )
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await tries(once, self._client)
        for outcome in (Delivery.DELIVERED, Delivery.UNKNOWN):
            if outcome in outcomes:
                return outcome
        return Delivery.NOT_DELIVERED

    async def close(self) -> None:
        """Begin nothing more, wait for what is under way as long as a device waits, and end what is left."""
        self._closed = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=WINDOW_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _done(self, url: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._under_way[url] -= 1
        if not self._under_way[url]:
            del self._under_way[url]
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("fault", exc_info=fault)


def _client() -> httpx.AsyncClient:
    """A client without redirects, proxies of the environment, cookies or compression.

    The certificate of an `https://` device has to be one that the machine trusts.
    """
    limits = httpx.Limits(max_connections=MAX_IN_FLIGHT)
    transport = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), trust_env=False, limits=limits)
    return httpx.AsyncClient(transport=_Wary(transport), trust_env=False, timeout=_TIMEOUT, headers=_HEADERS)


async def _put(client: httpx.AsyncClient, message: Message, auth: httpx.DigestAuth) -> tuple[Delivery, bool]:
    """What became of one try, and whether another one makes sense."""
    url, headers = message.url.rstrip("/") + message.path, {"content-type": "application/json"}
    try:
        answer = await client.put(url, content=message.body, headers=headers, auth=auth)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        return Delivery.NOT_DELIVERED, True
    except httpx.HTTPError as fault:
        return (Delivery.NOT_DELIVERED, False) if isinstance(fault, _UNSENT) else (Delivery.UNKNOWN, True)
    except (httpx.InvalidURL, KeyError, ValueError, NotImplementedError):
        # httpx, of an address or a challenge that it can do nothing with: nothing was done.
        return Delivery.NOT_DELIVERED, False
    if answer.status_code == 401:
        # With a wrong password there is no second try: devices lock out who tries too often.
        return Delivery.NOT_DELIVERED, _STALE.search(answer.headers.get("www-authenticate", "")) is not None
    if answer.is_server_error:
        return Delivery.UNKNOWN, True
    return message.taken(answer.content) if answer.is_success else Delivery.NOT_DELIVERED, False


class _Wary(httpx.AsyncBaseTransport):
    """A transport that lets through so much of an answer, and neither its cookies nor its compression."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _LEFT_OUT]
        stream = _Capped(response.stream) if isinstance(response.stream, httpx.AsyncByteStream) else None
        return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Capped(httpx.AsyncByteStream):
    """The beginning of a stream; a longer one is an error."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > LONGEST_ANSWER:
                raise httpx.RemoteProtocolError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
