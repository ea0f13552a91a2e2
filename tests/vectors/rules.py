"""Facts and decisions as plain JSON: what the vectors of the rules are written in.

Ids are hexadecimal, times whole microseconds since 1970-01-01 UTC, sets sorted lists. Of an attempt only what differs
from the base attempt is written: in its objects (`gate`, `token`, `pass`, `presented`) member by member, elsewhere as a
whole.
"""

import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from app.core.changes import Change
from app.core.decision import Decision
from app.core.model import BudgetKey, Claims, CountKey, Facts, Pass, Refused
from tests.core.facts import TODAY, a_zone, facts

Json = Any
BASE = facts(site_day=TODAY, zones={"hq": a_zone()})
"""The base attempt: it is admitted."""

_READ_BY_NO_RULE = ("lookups", "token", "cards")


class _Keyed(NamedTuple):
    """How a mapping is a list: the names that make up the key of each."""

    names: tuple[str, ...]
    key: type | None = None


_MAPPINGS = {
    "budgets": _Keyed(("tenant", "kind", "name"), BudgetKey),
    "zones": _Keyed(()),
    "inside": _Keyed(("zone",)),
    "counts": _Keyed(("pass", "zone"), CountKey),
}


def facts_json(value: Facts) -> dict[str, Json]:
    """All of the facts, as JSON."""
    return {name.rstrip("_"): _fact_json(name, part) for name, part in value._asdict().items()}


def difference(value: Facts) -> dict[str, Json]:
    """What differs from the base attempt."""
    return _less(facts_json(value), facts_json(BASE))


def facts_of(differs: dict[str, Json]) -> Facts:
    """The facts that differ so from the base attempt."""
    whole = _merged(facts_json(BASE), differs)
    parts = {name: _part(name, kind, whole[name.rstrip("_")]) for name, kind in typing.get_type_hints(Facts).items()}
    return Facts(**parts)


def decision_json(decision: Decision) -> dict[str, Json]:
    """What was decided. The pass is not said again."""
    return {
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "flags": list(decision.flags),
        "overridden": decision.overridden,
        "people_left": decision.people_left,
        "not_before": decision.not_before,
        "repeats": _json(decision.repeats),
        "changes": [change_json(change) for change in decision.changes],
    }


def change_json(change: Change) -> dict[str, Json]:
    return {"type": type_of(change), **_json(change)}


def type_of(change: Change) -> str:
    """`Redeem` is "redeem", `CountEntry` is "count_entry"."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(change).__name__)[1:]


def _fact_json(name: str, value: Any) -> Json:
    if name == "presented":
        if isinstance(value, Refused):
            return {"refused": value.reason}
        return {key: each for key, each in _json(value).items() if key not in _READ_BY_NO_RULE}
    if name in _MAPPINGS:
        keyed = _MAPPINGS[name]
        keys = [key if isinstance(key, tuple) else (key,) for key in value]
        return [
            dict(zip(keyed.names, map(_json, key), strict=False)) | _json(each)
            for key, each in zip(keys, value.values(), strict=True)
        ]
    return _json(value)


def _json(value: Any) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(value)
    if hasattr(value, "_asdict"):
        return {name.rstrip("_"): _json(each) for name, each in value._asdict().items()}
    if isinstance(value, tuple):
        return [_json(each) for each in value]
    return value


def _part(name: str, kind: Any, value: Json) -> Any:
    if name == "presented":
        if "refused" in value:
            return Refused(value["refused"])
        return Claims(lookups=(), **value)
    if name in _MAPPINGS:
        keyed = _MAPPINGS[name]
        _, of = typing.get_args(kind)
        found = {}
        for each in value:
            names = keyed.names or ("id",)
            own = {key: part for key, part in each.items() if not keyed.names or key not in keyed.names}
            key = [bytes.fromhex(each[part]) if part == "pass" else each[part] for part in names]
            found[keyed.key(*key) if keyed.key else key[0]] = _value(of, own)
        return found
    if name == "other_passes":
        base = facts_json(BASE)["pass"]
        return tuple(_value(Pass, _merged(base, each)) for each in value)
    return _value(kind, value)


def _value(kind: Any, value: Json) -> Any:
    if typing.get_origin(kind) in {types.UnionType, typing.Union}:
        if value is None:
            return None
        (kind,) = [each for each in typing.get_args(kind) if each is not type(None)]
    if kind is bytes:
        return bytes.fromhex(value)
    if typing.get_origin(kind) is frozenset:
        return frozenset(value)
    if typing.get_origin(kind) is tuple:
        of = typing.get_args(kind)
        return tuple(_value(of[0] if of[-1] is ... else of[n], each) for n, each in enumerate(value))
    if hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _value(hints[name], value[name.rstrip("_")]) for name in kind._fields})
    return kind(value) if isinstance(kind, type) and issubclass(kind, StrEnum) else value


def _less(value: Mapping[str, Json], base: Mapping[str, Json]) -> dict[str, Json]:
    differs: dict[str, Json] = {}
    for name, part in value.items():
        if name == "other_passes":
            if part:
                differs[name] = [_less(each, base["pass"]) for each in part]
        elif name == "presented" and set(part) != set(base[name]):
            differs[name] = part
        elif isinstance(part, dict) and isinstance(base[name], dict):
            if inner := _less(part, base[name]):
                differs[name] = inner
        elif part != base[name]:
            differs[name] = part
    return differs


def _merged(base: dict[str, Json], differs: dict[str, Json]) -> dict[str, Json]:
    merged = dict(base)
    for name, part in differs.items():
        if name == "presented" and "refused" in part:
            merged[name] = part
        elif isinstance(part, dict) and isinstance(base[name], dict):
            merged[name] = _merged(base[name], part)
        else:
            merged[name] = part
    return merged
