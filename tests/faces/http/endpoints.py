"""Every endpoint under `/v1`: how it is called, and what a key needs for it. What holds everywhere is tested with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy

from app.services.credentials import hash_secret
from app.storage.tables import api_keys, devices, metadata
from tests.service import Service


@dataclass(frozen=True)
class Endpoint:
    """One method of one path. Names in braces, in the path and in the body's values, stand for what `seed` made."""

    method: str
    path: str
    scope: str | None
    """None where it is called without a key."""
    body: Mapping[str, Any] | None = None
    status: int = 200
    foreign: tuple[str, ...] = ()
    """The names that another tenant's must not be accepted for."""
    own: bool = False
    """Whether only the key that made it may."""
    by_device: bool = False
    """Whether only a device may, with its own key."""

    @property
    def template(self) -> str:
        """The path as `openapi.yaml` has it."""
        return re.sub(r"\{[a-z_]+\}", "{id}", self.path.partition("?")[0])

    def key(self, made: Mapping[str, str]) -> str | None:
        """The key that it takes, None where an admin's will do."""
        return made["device_key"] if self.by_device else None

    def at(self, made: Mapping[str, str]) -> str:
        return self.path.format_map(made)

    def filled(self, made: Mapping[str, str]) -> Any:
        return _filled(self.body, made)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _filled(value: Any, made: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return value.format_map(made)
    if isinstance(value, list):
        return [_filled(each, made) for each in value]
    if isinstance(value, Mapping):
        return {name: _filled(each, made) for name, each in value.items()}
    return value


ENDPOINTS = (
    Endpoint("POST", "/v1/zones", "gates:write", {"name": "A zone", "within": "{zone}"}, 201, ("zone",)),
    Endpoint("GET", "/v1/zones", "gates:read"),
    Endpoint("GET", "/v1/zones/{zone}", "gates:read", foreign=("zone",)),
    Endpoint("PATCH", "/v1/zones/{zone}", "gates:write", {"name": "Renamed", "capacity": 500}, foreign=("zone",)),
    Endpoint("GET", "/v1/zones/{zone}/occupancy", "occupancy:read", foreign=("zone",)),
    Endpoint(
        "POST",
        "/v1/zones/{zone}/occupancy",
        "occupancy:write",
        {"people": 42, "reason": "counted at 14:00"},
        foreign=("zone",),
    ),
    Endpoint(
        "POST",
        "/v1/gates",
        "gates:write",
        {"name": "A gate", "from_zone": "{zone}", "into_zone": "{zone}"},
        201,
        ("zone",),
    ),
    Endpoint("GET", "/v1/gates", "gates:read"),
    Endpoint("GET", "/v1/gates/{gate}", "gates:read", foreign=("gate",)),
    Endpoint(
        "PATCH", "/v1/gates/{gate}", "gates:write", {"name": "Renamed", "into_zone": "{zone}"}, foreign=("gate", "zone")
    ),
    Endpoint("DELETE", "/v1/gates/{spare_gate}", "gates:write", status=204, foreign=("spare_gate",)),
    Endpoint("GET", "/v1/gates/{gate}/bundle", "bundles:read", foreign=("gate",)),
    Endpoint(
        "GET", "/v1/gates/{gate}/bundle/chunks?of=00112233445566778899aabbccddeeff", "bundles:read", foreign=("gate",)
    ),
    Endpoint("POST", "/v1/holders", "holders:write", {"ref": "another"}, 201),
    Endpoint("GET", "/v1/holders", "holders:read"),
    Endpoint("GET", "/v1/holders/{holder}", "holders:read", foreign=("holder",)),
    Endpoint("POST", "/v1/holders/{holder}/clear-budget", "holders:write", foreign=("holder",)),
    Endpoint("POST", "/v1/holders/{holder}/block", "holders:write", {"reason": "lost badge"}, foreign=("holder",)),
    Endpoint("POST", "/v1/holders/{holder}/unblock", "holders:write", foreign=("holder",)),
    Endpoint(
        "POST",
        "/v1/holders/{holder}/reset-anti-passback",
        "occupancy:write",
        {"reason": "left by the back door"},
        foreign=("holder",),
    ),
    Endpoint(
        "POST",
        "/v1/holders/{holder}/credentials",
        "holders:write",
        {"value": "40 06381 33393 1", "kind": "barcode"},
        201,
        ("holder",),
    ),
    Endpoint("GET", "/v1/holders/{holder}/credentials", "holders:read", foreign=("holder",)),
    Endpoint(
        "POST", "/v1/credentials/{credential}/block", "holders:write", {"reason": "lost"}, foreign=("credential",)
    ),
    Endpoint("POST", "/v1/credentials/{credential}/unblock", "holders:write", foreign=("credential",)),
    Endpoint(
        "DELETE", "/v1/credentials/{spare_credential}", "holders:write", status=204, foreign=("spare_credential",)
    ),
    Endpoint(
        "POST",
        "/v1/passes",
        "passes:write",
        {
            "holder": "emp-1042",
            "gates": ["{gate}"],
            "zones": ["{zone}"],
            "schedule": "{schedule}",
            "zone_limits": [{"zone": "{zone}", "max_entries": 10}],
        },
        201,
        ("gate", "zone", "schedule"),
    ),
    Endpoint("GET", "/v1/passes", "passes:read"),
    Endpoint("GET", "/v1/passes/{pass_}", "passes:read", foreign=("pass_",)),
    Endpoint(
        "PATCH",
        "/v1/passes/{pass_}",
        "passes:write",
        {"gates": ["{gate}"], "zones": ["{zone}"], "schedule": "{schedule}", "max_entries_per_day": 2},
        foreign=("pass_", "gate", "zone", "schedule"),
    ),
    Endpoint("POST", "/v1/passes/{pass_}/suspend", "passes:write", {"reason": "lost badge"}, foreign=("pass_",)),
    Endpoint("POST", "/v1/passes/{pass_}/resume", "passes:write", {"reason": "found it"}, foreign=("pass_",)),
    Endpoint("POST", "/v1/passes/{spare_pass}/revoke", "passes:write", {"reason": "left"}, foreign=("spare_pass",)),
    Endpoint(
        "POST",
        "/v1/schedules",
        "passes:write",
        {
            "name": "Office hours",
            "weekly": [{"days": ["mon", "tue"], "from": "00:00", "until": "24:00"}],
            "holidays": ["2026-12-25"],
            "on_holidays": [{"from": "10:00", "until": "12:00"}],
            "exceptions": [{"date": "2026-12-24", "windows": [{"from": "08:00", "until": "12:00"}]}],
            "early_s": 600,
        },
        201,
    ),
    Endpoint("GET", "/v1/schedules", "passes:read"),
    Endpoint("GET", "/v1/schedules/{schedule}", "passes:read", foreign=("schedule",)),
    Endpoint("PATCH", "/v1/schedules/{schedule}", "passes:write", {"name": "Renamed"}, foreign=("schedule",)),
    Endpoint("DELETE", "/v1/schedules/{spare_schedule}", "passes:write", status=204, foreign=("spare_schedule",)),
    Endpoint(
        "POST",
        "/v1/tokens",
        "tokens:issue",
        {"pass": "{pass_}", "kind": "short", "gate": "{gate}"},
        201,
        ("pass_", "gate"),
    ),
    Endpoint("POST", "/v1/tokens/{spare_token}/revoke", "tokens:issue", foreign=("spare_token",)),
    Endpoint("POST", "/v1/tokens/{spare_token}/block", "tokens:issue", {"reason": "lost"}, foreign=("spare_token",)),
    Endpoint("POST", "/v1/tokens/{spare_token}/unblock", "tokens:issue", foreign=("spare_token",)),
    Endpoint(
        "POST", "/v1/verifications", "verifications:create", {"gate": "{gate}", "token": "{text}"}, foreign=("gate",)
    ),
    Endpoint("GET", "/v1/verifications", "verifications:read"),
    Endpoint("GET", "/v1/verifications/{verification}", "verifications:read", foreign=("verification",)),
    Endpoint(
        "POST",
        "/v1/verifications/{verification}/undo",
        "verifications:create",
        foreign=("verification",),
        own=True,
    ),
    Endpoint(
        "POST",
        "/v1/verifications/simulate",
        "verifications:simulate",
        {"gate": "{gate}", "pass": "{pass_}"},
        foreign=("gate", "pass_"),
    ),
    Endpoint(
        "POST",
        "/v1/verifications/sync",
        "verifications:sync",
        {
            "verifications": [
                {
                    "request_id": "k-0001",
                    "gate": "{gate}",
                    "at": "2026-11-22T09:30:00Z",
                    "decision": "deny",
                    "reason": "expired",
                    "token": "{text}",
                }
            ]
        },
    ),
    Endpoint("GET", "/v1/conflicts", "conflicts:read"),
    Endpoint("GET", "/v1/audit-events", "audit:read"),
    Endpoint(
        "POST",
        "/v1/api-keys",
        "admin",
        {"name": "A key", "scopes": ["verifications:create"], "gate": "{gate}"},
        201,
        ("gate",),
    ),
    Endpoint("GET", "/v1/api-keys", "admin"),
    Endpoint("DELETE", "/v1/api-keys/{spare_key}", "admin", status=204, foreign=("spare_key",)),
    Endpoint(
        "POST",
        "/v1/connections",
        "admin",
        {"gate": "{gate}", "kind": "compreface", "pass_template": {"gates": ["{gate}"], "schedule": "{schedule}"}},
        201,
        ("gate", "schedule"),
    ),
    Endpoint("GET", "/v1/connections", "admin"),
    Endpoint("GET", "/v1/connections/{connection}", "admin", foreign=("connection",)),
    Endpoint("DELETE", "/v1/connections/{spare_connection}", "admin", status=204, foreign=("spare_connection",)),
    Endpoint("POST", "/v1/devices", "devices:write", {"name": "A tablet", "gate": "{gate}"}, 201, ("gate",)),
    Endpoint("GET", "/v1/devices", "devices:read"),
    Endpoint("GET", "/v1/devices/{device}", "devices:read", foreign=("device",)),
    Endpoint(
        "PATCH",
        "/v1/devices/{device}",
        "devices:write",
        {"name": "Renamed", "gate": "{gate}"},
        foreign=("device", "gate"),
    ),
    Endpoint("DELETE", "/v1/devices/{spare_device}", "devices:write", status=204, foreign=("spare_device",)),
    Endpoint("POST", "/v1/devices/{device}/setup", "devices:write", status=201, foreign=("device",)),
    Endpoint("POST", "/v1/devices/initialize", None, {"handshake_version": 1, "token": "{setup}"}),
    Endpoint("POST", "/v1/devices/report", "devices:report", {"software": "kiosk 1", "battery": 80}, by_device=True),
    Endpoint("POST", "/v1/devices/roll", "devices:report", by_device=True),
)


async def seed(service: Service) -> dict[str, str]:
    """One thing of each kind, by the names that the endpoints use."""
    zone = await service.create("/v1/zones", name="Headquarters", counted=True)
    gate = await service.create("/v1/gates", name="Main door")
    spare_gate = await service.create("/v1/gates", name="Spare")
    always = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "until": "24:00"}
    schedule = await service.create("/v1/schedules", name="Always", weekly=[always])
    spare_schedule = await service.create("/v1/schedules", name="Never")
    pass_ = await service.pass_()
    spare_pass = await service.pass_()
    (holder,) = (await service.call("GET", "/v1/holders")).json()["items"]
    token = await service.token(pass_)
    spare_token = await service.token(pass_, "short")
    cards = [
        await service.create(f"/v1/holders/{holder['id']}/credentials", kind="barcode", value=value)
        for value in ("4006381333931", "4006381333948")
    ]
    key = await service.create("/v1/api-keys", name="spare", scopes=["gates:read"])
    connections = [await service.create("/v1/connections", kind="compreface", gate=gate["id"]) for _ in range(2)]
    device, spare_device, waiting = [
        await service.create("/v1/devices", name="A kiosk", gate=gate["id"]) for _ in range(3)
    ]
    shown = {"handshake_version": 1, "token": device["setup"]["token"]}
    device_key = (await service.http.post("/v1/devices/initialize", json=shown)).json()["api_key"]
    verification = await service.verify((await service.token(pass_))["token"], gate["id"])
    return {
        "zone": zone["id"],
        "gate": gate["id"],
        "spare_gate": spare_gate["id"],
        "schedule": schedule["id"],
        "spare_schedule": spare_schedule["id"],
        "pass_": pass_["id"],
        "spare_pass": spare_pass["id"],
        "holder": holder["id"],
        "text": token["token"],
        "verification": verification["id"],
        "spare_token": spare_token["id"],
        "credential": cards[0]["id"],
        "spare_credential": cards[1]["id"],
        "spare_key": key["id"],
        "connection": connections[0]["id"],
        "spare_connection": connections[1]["id"],
        "device": device["id"],
        "spare_device": spare_device["id"],
        "setup": waiting["setup"]["token"],
        "device_key": device_key,
    }


def stored(service: Service) -> dict[str, list[str]]:
    """Every row of the service's tenant in every table, to see that nothing was stored.

    When a device called last is left out: that is stored with whatever it asks.
    """
    database: sqlalchemy.Engine = service.context.store._database  # type: ignore[attr-defined]
    with database.connect().execution_options(read_only=True) as connection:
        key = sqlalchemy.select(api_keys.c.tenant).where(api_keys.c.hash == hash_secret(service.key))
        tenant = connection.scalar(key)
        assert tenant is not None
        return {
            table.name: sorted(
                map(
                    repr,
                    connection.execute(
                        sqlalchemy.select(*(each for each in table.c if each is not devices.c.last_seen_at)).where(
                            table.c.get("tenant", table.c[0]) == tenant
                        )
                    ),
                )
            )
            for table in metadata.sorted_tables
            if "tenant" in table.c or table.name == "tenants"
        }
