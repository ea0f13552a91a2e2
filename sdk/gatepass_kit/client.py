"""`GatepassClient`: the service's API, a noun at a time.

    client = GatepassClient("https://gatepass.example.com", api_key)
    visit = client.passes.create(holder="visitor-17", gates=["main-door"])
    token = client.tokens.create(pass_=visit.id, kind="signed", ttl_s=600)
    seen = client.verifications.create(token=token.token, gate="main-door")
    if seen.opens: ...

A call that gets no answer, or a 5xx, is made again, up to `attempts` times in all: a verification under the same
request id, so that it is decided once, and whatever is created under the same `Idempotency-Key`, so that it is created
once. After that `Unreachable` or `ServiceFault` is raised. What the service refuses raises another `ApiError` at once,
with its `code` and its `request_id`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from . import answers
from .answers import read
from .core.decision import UNAVAILABLE
from .errors import ServiceFault
from .machine import new_request_id
from .transport import Transport, tried_again

Value = TypeVar("Value")
TIMEOUT_S = 4.0
"""How long one attempt may take: longer than the service takes to give up by itself."""


class GatepassClient:
    """The service at `url`, called under an API key. Safe to use from any thread; close it, or use it with `with`."""

    def __init__(self, url: str, api_key: str, *, timeout_s: float = TIMEOUT_S, attempts: int = 4) -> None:
        self.transport = Transport(url, api_key, timeout_s)
        calls = _Calls(self.transport, attempts)
        self.gates = Gates(calls)
        self.holders = Holders(calls)
        self.passes = Passes(calls)
        self.tokens = Tokens(calls)
        self.verifications = Verifications(calls)
        self.devices = Devices(calls)
        self.conflicts = Conflicts(calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the service."""
        self.transport.close()


class _Calls:
    """Calls that are made again while nobody knows whether they were carried out."""

    def __init__(self, transport: Transport, attempts: int) -> None:
        self._transport = transport
        self._attempts = attempts

    def again(self, work: Callable[[], Value]) -> Value:
        return tried_again(work, attempts=self._attempts)

    def once(self, method: str, path: str, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
        return self._transport.call(method, path, body, headers=headers).json()

    def send(self, method: str, path: str, body: object = None, *, once_under: str | None = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": once_under} if once_under is not None else None
        return self.again(lambda: self.once(method, path, body, headers))

    def delete(self, path: str) -> None:
        self.again(lambda: self._transport.call("DELETE", path))

    def pages(self, path: str, filters: dict[str, str]) -> Iterator[Any]:
        """The items of a list, page after page."""
        cursor: str | None = None
        while True:
            asked = {**filters, **({"cursor": cursor} if cursor else {})}
            page = self.again(lambda asked=asked: self._transport.call("GET", path, params=asked).json())  # type: ignore[misc]
            yield from page.get("items", ())
            cursor = page.get("next")
            if cursor is None:
                return


class _Noun(Generic[Value]):
    """What can be done with one kind of thing."""

    _path: str
    _kind: type[Value]

    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    def _one(self, method: str, path: str = "", body: object = None, *, once_under: str | None = None) -> Value:
        return read(self._kind, self._calls.send(method, self._path + path, body, once_under=once_under))

    def _create(self, fields: dict[str, object], idempotency_key: str | None) -> Value:
        return self._one("POST", body=_given(fields), once_under=idempotency_key or new_request_id())

    def _all(self, **filters: object) -> Iterator[Value]:
        wanted = {name.rstrip("_"): _text(value) for name, value in filters.items() if value is not None}
        return (read(self._kind, each) for each in self._calls.pages(self._path, wanted))


class Gates(_Noun[answers.Gate]):
    """Check-in points."""

    _path, _kind = "/v1/gates", answers.Gate

    def create(
        self,
        *,
        name: str,
        id: str | None = None,  # noqa: A002  the field's name
        direction: answers.Direction = "entry",
        offline: Literal["refuse", "bound_tokens", "admit_and_reconcile"] | None = None,
        idempotency_key: str | None = None,
        **fields: object,
    ) -> answers.Gate:
        """Make a gate. `fields` are the others of the API: from_zone, into_zone, repeat_window_s, ..."""
        wish = {"id": id, "name": name, "direction": direction, "offline": offline, **fields}
        return self._create(wish, idempotency_key)

    def retrieve(self, gate: str) -> answers.Gate:
        return self._one("GET", f"/{gate}")

    def update(self, gate: str, **changes: object) -> answers.Gate:
        """Change what is named."""
        return self._one("PATCH", f"/{gate}", _jsonable(changes))

    def delete(self, gate: str) -> None:
        self._calls.delete(f"{self._path}/{gate}")

    def list(self) -> Iterator[answers.Gate]:
        """All of them, page after page."""
        return self._all()


class Holders(_Noun[answers.Holder]):
    """People who enter."""

    _path, _kind = "/v1/holders", answers.Holder

    def create(self, *, ref: str, name: str | None = None, idempotency_key: str | None = None) -> answers.Holder:
        """Make a holder. Raises `Conflict` (`holder_exists`)."""
        return self._create({"ref": ref, "name": name}, idempotency_key)

    def retrieve(self, holder: str) -> answers.Holder:
        return self._one("GET", f"/{holder}")

    def list(self, *, ref: str | None = None) -> Iterator[answers.Holder]:
        """All of them, page after page; or the one with that ref."""
        return self._all(ref=ref)


class Passes(_Noun[answers.Pass]):
    """What holders may do."""

    _path, _kind = "/v1/passes", answers.Pass

    def create(
        self,
        *,
        holder: str,
        gates: Sequence[str] | Literal["all"] = (),
        zones: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        max_entries: int | None = None,
        idempotency_key: str | None = None,
        **fields: object,
    ) -> answers.Pass:
        """Make a pass; a holder with a new ref is made on the way. `fields` are the others of the API: schedule, ...

        Times need a time zone. Name gates or zones, or say that it is every gate: `gates="all"`.
        """
        wish = {
            "holder": holder,
            "gates": gates if gates == "all" else list(gates),
            "zones": list(zones),
            "valid_from": valid_from,
            "valid_until": valid_until,
            "max_entries": max_entries,
        }
        return self._create({**wish, **fields}, idempotency_key)

    def retrieve(self, id_: str) -> answers.Pass:
        return self._one("GET", f"/{id_}")

    def list(self, *, holder: str | None = None) -> Iterator[answers.Pass]:
        """All of them, newest first, page after page; or those of the holder with that ref."""
        return self._all(holder=holder)

    def update(self, id_: str, **changes: object) -> answers.Pass:
        """Change what is named; None takes a limit away."""
        return self._one("PATCH", f"/{id_}", _jsonable(changes))

    def revoke(self, id_: str, *, reason: str | None = None) -> answers.Pass:
        """Take it back for good: it is refused from the moment of the answer."""
        return self._one("POST", f"/{id_}/revoke", _given({"reason": reason}))

    def suspend(self, id_: str, *, reason: str | None = None) -> answers.Pass:
        """Refuse it until it is resumed."""
        return self._one("POST", f"/{id_}/suspend", _given({"reason": reason}))

    def resume(self, id_: str, *, reason: str | None = None) -> answers.Pass:
        return self._one("POST", f"/{id_}/resume", _given({"reason": reason}))


class Tokens(_Noun[answers.Token]):
    """Short-lived proofs of passes."""

    _path, _kind = "/v1/tokens", answers.Token

    def create(
        self,
        *,
        pass_: str,
        kind: Literal["signed", "short", "code"] = "signed",
        ttl_s: int | None = None,
        gate: str | None = None,
        reusable: bool = False,
        picture: Literal["png", "svg"] | None = None,
    ) -> answers.Token:
        """Issue a token: `ttl_s` is how long it lives (seconds), `gate` binds it to one, `reusable` makes a badge.

        Without an `Idempotency-Key`: the text of a token is said once, and of one whose answer was lost nobody knows
        it. It expires unused, and the next attempt issues another.
        """
        wish = {"pass": pass_, "kind": kind, "ttl_s": ttl_s, "gate": gate, "reusable": reusable, "picture": picture}
        return self._one("POST", body=_given(wish))

    def revoke(self, id_: str) -> answers.Token:
        """Refuse it from the moment of the answer."""
        return self._one("POST", f"/{id_}/revoke")


class Verifications(_Noun[answers.Verification]):
    """Attempts at gates."""

    _path, _kind = "/v1/verifications", answers.Verification

    def create(
        self,
        *,
        token: str,
        gate: str,
        request_id: str | None = None,
        direction: answers.Side | None = None,
        people: int = 1,
    ) -> answers.Verification:
        """Verify what was shown at a gate. A refusal is an answer, with its reason.

        Without a `request_id` (1 to 64 of `A-Za-z0-9._-`) one is drawn; every attempt of this call has the same.
        `unavailable` says that nobody knows, and is asked again too.
        """
        wish = {"token": token, "gate": gate, "request_id": request_id or new_request_id(), "direction": direction}
        body = _given({**wish, "people": people if people != 1 else None})
        last: list[answers.Verification] = []

        def ask() -> answers.Verification:
            last[:] = [read(self._kind, self._calls.once("POST", self._path, body))]
            if last[0].decision == "deny" and last[0].reason == UNAVAILABLE:
                raise _Unsettled(503, UNAVAILABLE, "Nobody knows how it was decided.", None)
            return last[0]

        try:
            return self._calls.again(ask)
        except _Unsettled:
            return last[0]

    def retrieve(self, id_: str) -> answers.Verification:
        return self._one("GET", f"/{id_}")

    def undo(self, id_: str) -> answers.Verification:
        """Take an admission back, within 15 minutes and with the key that asked for it: the turnstile did not turn."""
        return self._one("POST", f"/{id_}/undo")

    def list(
        self,
        *,
        gate: str | None = None,
        pass_: str | None = None,
        holder: str | None = None,
        decision: answers.Decision | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[answers.Verification]:
        """All of them, newest first, page after page: `since` is included, `until` is not."""
        return self._all(gate=gate, pass_=pass_, holder=holder, decision=decision, since=since, until=until)


class Devices(_Noun[answers.RegisteredDevice]):
    """Kiosks, readers and terminals, as whoever runs them sees them. A device itself is a `gatepass_kit.Device`."""

    _path, _kind = "/v1/devices", answers.RegisteredDevice

    def create(self, *, name: str, gate: str, side: answers.Side | None = None) -> answers.RegisteredDevice:
        """Register a device; `setup.url` is the link that sets it up, once and within 30 minutes.

        Under no `Idempotency-Key`, since the link is said once: after a lost answer there may be a device more.
        """
        return self._one("POST", body=_given({"name": name, "gate": gate, "side": side}))

    def set_up_again(self, id_: str) -> answers.RegisteredDevice:
        """A new link. What the device has is good until the link is used, and is revoked then."""
        return self._one("POST", f"/{id_}/setup")

    def retrieve(self, id_: str) -> answers.RegisteredDevice:
        return self._one("GET", f"/{id_}")

    def list(self) -> Iterator[answers.RegisteredDevice]:
        """All of them, page after page."""
        return self._all()

    def update(self, id_: str, **changes: object) -> answers.RegisteredDevice:
        """Change what is named: its name, its gate, its side."""
        return self._one("PATCH", f"/{id_}", _jsonable(changes))

    def delete(self, id_: str) -> None:
        """Revoke it: it is refused everywhere within 2 s."""
        self._calls.delete(f"{self._path}/{id_}")


class Conflicts(_Noun[answers.Conflict]):
    """Admissions that should not have been."""

    _path, _kind = "/v1/conflicts", answers.Conflict

    def list(self) -> Iterator[answers.Conflict]:
        """All of them, newest first, page after page."""
        return self._all()


class _Unsettled(ServiceFault):
    """An answer that says that nobody knows."""


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    """What was said; the service has its own defaults for what was not."""
    return _jsonable({name: value for name, value in fields.items() if value is not None})


def _jsonable(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name.rstrip("_"): value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()
    }


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
