"""`Device`: what this machine is to the service, kept in a folder of its own.

`device.json` has the address, the gate and the key, `state.db` the bundle and the queue. Both have mode 0600, the
folder 0700. The key may verify at its gate, fetch its bundle, send and report, and nothing else; it can be revoked at
any time.
"""

import base64
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from . import answers
from .answers import read
from .core.keys import key_id
from .errors import GatepassError, NotSetUp, Unreachable
from .state import State, learn
from .transport import Transport, tried_again
from .version import SOFTWARE

HANDSHAKE = 1
_FILE, _STATE = "device.json", "state.db"
_PAGE = "/kiosk"
_TIMEOUT_S = 10.0
_ATTEMPTS = 3
_LEARNED_ANEW = ("tenant", "seq", "manifest", "revoked", "last_good", "service_time")


class Device:
    """A device that was set up. `side` is the side it is bound to, None where it says the direction each time."""

    def __init__(
        self, folder: Path, *, url: str, id_: str, gate: str, api_key: str, side: answers.Side | None = None
    ) -> None:
        self.folder = folder
        self.url = url
        self.id = id_
        self.gate = gate
        self.side = side
        self.api_key = api_key
        self.transport = Transport(url, api_key, _TIMEOUT_S, self._newest_key)
        self.state = State(folder / _STATE)

    def __repr__(self) -> str:
        """Without its key, which has no place in a log."""
        return f"Device(id={self.id!r}, gate={self.gate!r}, url={self.url!r})"

    @classmethod
    def set_up(cls, link: str, folder: Path | str, *, name: str | None = None) -> Self:
        """Exchange the link of `POST /v1/devices` for a key of the device's own, and keep it in `folder`.

        The link works once, within 30 minutes. The folder is made, and the service's public keys are fetched, before it
        is used up. Raises `NotSetUp` for what is no such link; `NotFound` for one that the service does not know (or no
        longer: a newer one was made), `Conflict` with the code `setup_used`, `setup_expired` or `handshake_too_new`;
        `Unreachable`: if the answer was lost, another link is needed.

        The side that the device is bound to is asked for at once; if that fails, it is known from its first report on.

        A folder in which a device is set up already is set up anew. What the same device has in its queue stays there;
        another device's state is laid aside as `state-<its id>.db`. What time it is, it learns anew.
        """
        url, token, version = _parts(link)
        folder = Path(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / "writable", "")
        (folder / "writable").unlink()
        transport = Transport(url, None, _TIMEOUT_S)
        try:
            keys = tried_again(lambda: published_keys(transport), attempts=_ATTEMPTS)
            wish = {"handshake_version": version, "token": token, "software": SOFTWARE}
            given = transport.call(
                "POST", "/v1/devices/initialize", {**wish, **({"name": name} if name else {})}
            ).json()
            id_, gate, api_key = (str(given[name]) for name in ("device", "gate", "api_key"))
        except (KeyError, TypeError, ValueError) as fault:
            raise Unreachable("What came back is no answer of Gatepass's.") from fault
        finally:
            transport.close()
        _lay_aside(folder, id_)
        device = cls(folder, url=url, id_=id_, gate=gate, api_key=api_key)
        with device.state.transaction() as tx:
            device._keep()
            learn(tx, "keys", json.dumps({kid.hex(): public.hex() for kid, public in keys.items()}))
            for name_ in _LEARNED_ANEW:
                learn(tx, name_, None)
        with suppress(GatepassError):
            tried_again(device.report, attempts=_ATTEMPTS)
        return device

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """The device of a folder. Raises `NotSetUp`."""
        folder = Path(folder)
        try:
            kept = json.loads((folder / _FILE).read_text("utf-8"))
            return cls(
                folder,
                url=kept["url"],
                id_=kept["device"],
                gate=kept["gate"],
                api_key=kept["api_key"],
                side=kept["side"],
            )
        except FileNotFoundError:
            raise NotSetUp(f"No device is set up in {folder}.") from None
        except (ValueError, KeyError, TypeError):
            raise NotSetUp(f"{folder / _FILE} is damaged: set the device up again.") from None

    def report(self, battery: int | None = None) -> answers.RegisteredDevice:
        """Say that the device is there, and learn whether it was moved. `battery` is in percent.

        Raises `Unauthenticated` once it was revoked, `NotFound` while its gate is gone.
        """
        said = {"software": SOFTWARE, **({"battery": battery} if battery is not None else {})}
        told = read(answers.RegisteredDevice, self.transport.call("POST", "/v1/devices/report", said).json())
        if (told.gate, told.side) != (self.gate, self.side):
            self.gate, self.side = told.gate, told.side
            with self.state.transaction():  # so that no other program writes the file meanwhile
                self.api_key = self._newest_key() or self.api_key
                self._keep()
        return told

    def roll_key(self) -> None:
        """Take a new key in place of the one there is, which the service refuses once the new one was used."""
        new = str(self.transport.call("POST", "/v1/devices/roll").json()["api_key"])
        with self.state.transaction():
            self.api_key = new
            self._keep()
        self.transport.use_key(new)

    def close(self) -> None:
        """Close the state file and the connections."""
        self.transport.close()
        self.state.close()

    def _newest_key(self) -> str | None:
        """The device's key in its folder, where another program may have put a new one; None where it has none."""
        try:
            kept = json.loads((self.folder / _FILE).read_text("utf-8"))
            return str(kept["api_key"]) if (kept["device"], kept["url"]) == (self.id, self.url) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self) -> None:
        kept = {"url": self.url, "device": self.id, "gate": self.gate, "side": self.side, "api_key": self.api_key}
        _write(self.folder / _FILE, json.dumps(kept, indent=1))


def _parts(link: str) -> tuple[str, str, int]:
    """The service's address, the token and the handshake's version in a link."""
    parts = urlsplit(link.strip())
    said = parse_qs(parts.fragment)
    token, version = said.get("setup", [""])[0], said.get("v", ["1"])[0]
    if (
        parts.scheme not in ("https", "http")
        or not parts.netloc
        or not token
        or not re.fullmatch("[0-9]{1,6}", version)
    ):
        raise NotSetUp("That is no link that sets up a device: it ends in /kiosk#setup=...&v=1.")
    path = parts.path.rstrip("/").removesuffix(_PAGE)
    return f"{parts.scheme}://{parts.netloc}{path}", token, int(version)


def published_keys(transport: Transport) -> dict[bytes, bytes]:
    """The Ed25519 keys that the service publishes, by the `kid` that each has by its own thumbprint (RFC 9679).

    Raises `Unreachable`, and KeyError, TypeError or ValueError for what is no key set.
    """
    jwks = transport.call("GET", "/.well-known/jwks.json").json()
    found = [_raw(each["x"]) for each in jwks.get("keys", ()) if each.get("crv") == "Ed25519"]
    return {key_id(public): public for public in found}


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _lay_aside(folder: Path, device: str) -> None:
    """Move the state of another device out of the way: its queue is nobody else's."""
    try:
        before = str(json.loads((folder / _FILE).read_text("utf-8"))["device"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if before == device:
        return
    for end in ("", "-wal", "-shm"):
        path = folder / (_STATE + end)
        if path.exists():
            path.rename(folder / f"state-{before}.db{end}")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, for nobody else to read."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
