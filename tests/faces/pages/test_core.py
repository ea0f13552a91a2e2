"""The decision core in JavaScript, which the kiosk's page runs: node runs its tests, and it is held against the Python original."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import app.faces
from app.core.bundle import (
    Bundle,
    Manifest,
    UnknownKey,
    open_manifest,
    sign_manifest,
    status_of,
    unpack_passes,
    unpack_refused,
    unpack_statuses,
)
from app.core.decision import decide
from app.core.keys import Ed25519Key
from app.core.model import Claims, Presented, Refused
from app.core.offline import offline_facts
from app.core.rules import RULES
from app.core.token_format import Keyring
from app.core.tokens import recognise
from tests.clients.client import ENVIRONMENT
from tests.faces.pages.core.bundle_fuzz import parts
from tests.faces.pages.core.fuzz import texts
from tests.faces.pages.core.offline_fuzz import Signer, a_world
from tests.vectors.parts import KID, PRIVATE, TENANT, public_of
from tests.vectors.rules import BASE, decision_json, facts_json

TESTS = Path(__file__).parent / "core"
CORE = Path(app.faces.__path__[0]) / "pages" / "kiosk" / "core"
OFFLINE = [rule for rule in RULES if rule.offline]
AT_LEAST = 900
"""Tests that node runs: a vector is one. Fewer mean that a file was not found."""

SEED, COUNT = 20_261_122, 10_000
WORLDS, ATTEMPTS = 40, 100
PARTS = 6_000
Json = Any


def node(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """What node says. It is the one of `make setup-clients`, or else the machine's."""
    own = ENVIRONMENT / "bin" / "node"
    found = own if own.exists() else shutil.which("node")
    assert found is not None, "node is missing: make setup-clients"
    command = [found, "--no-warnings", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, encoding="utf-8", env={}, cwd=TESTS, timeout=120, check=False
    )


def test_everything_that_node_tests_passes_and_nothing_is_left_out() -> None:
    files = sorted(TESTS.glob("*.test.mjs"))
    ran = node("--test", "--test-reporter=tap", *files)
    failed = [line for line in ran.stdout.splitlines() if line.lstrip().startswith("not ok")]
    said = dict(
        line[2:].split(" ", 1) for line in ran.stdout.splitlines() if line.startswith(("# pass", "# skip", "# todo"))
    )
    assert ran.returncode == 0, "\n".join(failed) or ran.stdout[-2000:] + ran.stderr
    assert int(said["pass"]) >= AT_LEAST
    assert (said["skipped"], said["todo"]) == ("0", "0")


def test_every_rule_that_is_asked_offline_has_its_twin_in_the_same_place_and_no_other_is_there() -> None:
    assert sorted(rule.code for rule in OFFLINE) == sorted(
        path.stem for path in (CORE / "rules").glob("*.js") if path.stem != "index"
    )
    program = (
        f"import {{ RULES }} from {json.dumps((CORE / 'rules' / 'index.js').as_uri())};"
        "console.log(JSON.stringify(RULES.map((rule) => [rule.code, rule.endsRepeat ?? false, rule.overridable ?? true,"
        " rule.room !== undefined, rule.notBefore !== undefined])));"
    )
    ran = node("--input-type=module", "-e", program)
    assert ran.returncode == 0, ran.stderr
    assert [tuple(each) for each in json.loads(ran.stdout)] == [
        (
            rule.code,
            rule.ends_repeat,
            rule.overridable,
            rule.room.__name__ != "unknown",
            rule.not_before.__name__ != "unknown",
        )
        for rule in OFFLINE
    ]


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.js")), ids=lambda path: str(path.relative_to(CORE)))
def test_a_file_of_the_core_imports_the_core_only(path: Path) -> None:
    for imported in re.findall(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)""", path.read_text("utf-8")):
        assert imported.startswith(("./", "../"))
        assert (path.parent / imported).resolve().is_relative_to(CORE)
        assert (path.parent / imported).is_file()


def test_both_decoders_agree_on_whatever_is_shown() -> None:
    public = public_of(PRIVATE)
    shown = texts(COUNT, SEED)
    setting = {"tenant": TENANT, "keys": {KID.hex(): public.hex()}}
    ran = node(TESTS / "open_lines.mjs", stdin="".join(json.dumps(each) + "\n" for each in (setting, *shown)))
    assert ran.returncode == 0, ran.stderr
    keyring = Keyring({KID: Ed25519Key(public)})
    expected = [as_json(recognise(text, TENANT, keyring)) for text in shown]
    opened = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(opened) == COUNT
    assert [each for each in zip(shown, opened, expected, strict=True) if each[1] != each[2]] == []
    outcomes = Counter(each.get("refused", "claims") for each in expected)
    assert outcomes["claims"] >= COUNT // 10
    assert outcomes["malformed"] >= COUNT // 4
    assert min(outcomes[reason] for reason in ("unrecognised", "unknown", "bad_signature")) >= COUNT // 200


def test_both_decide_alike_by_the_same_bundle() -> None:
    public = public_of(PRIVATE)
    key = Ed25519Key(public)
    worlds = [a_world(SEED + place, ATTEMPTS) for place in range(WORLDS)]
    expected, lines = [], []
    for world in worlds:
        body = sign_manifest(world.manifest, Signer())
        assert open_manifest(body, {KID: key}) == world.manifest
        bundle = Bundle(world.manifest, world.chunks)
        decisions = []
        for text, seen in world.attempts:
            presented = recognise(text, TENANT, Keyring({KID: key}))
            decisions.append(of_the_twin(decision_json(decide(offline_facts(bundle, presented, **seen)))))
        passes = [pass_ and facts_json(BASE._replace(pass_=pass_))["pass"] for pass_ in map(bundle.pass_, world.places)]
        expected.append({"decisions": decisions, "passes": passes})
        lines.append(
            {
                "tenant": TENANT,
                "keys": {KID.hex(): public.hex()},
                "manifest": body.hex(),
                "chunks": [chunk.hex() for chunk in world.chunks.values()],
                "attempts": [{"text": text, "seen": seen_json(seen)} for text, seen in world.attempts],
                "passes": world.places,
            }
        )
    ran = node(TESTS / "decide_lines.mjs", stdin="".join(json.dumps(each) + "\n" for each in lines))
    assert ran.returncode == 0, ran.stderr
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    for world, answer, wanted in zip(worlds, answers, expected, strict=True):
        assert answer["passes"] == wanted["passes"]
        for attempt, decided, other in zip(world.attempts, answer["decisions"], wanted["decisions"], strict=True):
            assert decided == other, attempt
    decided = [each for wanted in expected for each in wanted["decisions"]]
    reasons = Counter(code for each in decided for code in (each["reason"], *each["flags"]))
    assert {rule.code for rule in OFFLINE} - {"token_blocked"} <= reasons.keys()  # of a bundle such are revoked
    assert reasons["ok"] >= len(decided) // 5
    assert sum(each["repeats"] is not None for each in decided) >= 10


def test_both_read_the_parts_of_a_bundle_alike() -> None:
    given = parts(PARTS, SEED)
    pinned = {KID.hex(): public_of(PRIVATE).hex()}
    lines = [pinned, *([what, data.hex()] for what, data in given)]
    ran = node(TESTS / "read_lines.mjs", stdin="".join(json.dumps(each) + "\n" for each in lines))
    assert ran.returncode == 0, ran.stderr
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    expected = [read_json(what, data) for what, data in given]
    assert [each for each in zip(given, answers, expected, strict=True) if each[1] != each[2]] == []
    for what in ("manifest", "passes", "refused", "statuses"):
        refused = Counter(type(said) is str for (kind, _), said in zip(given, expected, strict=True) if kind == what)
        assert min(refused.values()) >= sum(refused.values()) // 10
    assert expected.count("UnknownKey") >= 10


def read_json(what: str, data: bytes) -> Json:
    """What the JavaScript core is to read."""
    try:
        if what == "passes":
            return [[idx, number_json(pass_._asdict(), "idx")] for idx, pass_ in unpack_passes(0, data).items()]
        if what == "refused":
            return sorted(id_.hex() for id_ in unpack_refused(data))
        if what == "statuses":
            array = unpack_statuses(data)
            return [status_of(array, place) for place in range(100)]
        return manifest_json(open_manifest(data, {KID: Ed25519Key(public_of(PRIVATE))}))
    except UnknownKey:
        return "UnknownKey"
    except ValueError:
        return "Malformed"


def manifest_json(manifest: Manifest) -> Json:
    gate = number_json(manifest.gate._asdict())
    return manifest._asdict() | {
        "max_stale": float(manifest.max_stale),
        "keys": [[kid.hex(), public.hex()] for kid, public in manifest.keys.items()],
        "gate": gate | {"from_zones": [], "into_zones": []},
        "schedules": [[[float(at) for at in interval] for interval in each] for each in manifest.schedules],
        "passes": [[block, hash_.hex()] for block, hash_ in manifest.passes.items()],
        "statuses": [[segment, hash_.hex()] for segment, hash_ in manifest.statuses.items()],
        "refused": manifest.refused and manifest.refused.hex(),
    }


def number_json(values: dict[str, Any], *without: str) -> Json:
    """Numbers as JavaScript has them."""
    named = {name: value for name, value in values.items() if name not in without}
    return {name: float(value) if type(value) is int else value for name, value in named.items()}


def of_the_twin(decision: Json) -> Json:
    """What the JavaScript core says too: it keeps no counters."""
    return decision | {"changes": [change for change in decision["changes"] if change["type"] == "redeem"]}


def seen_json(seen: dict[str, Any]) -> Json:
    use = seen["last_use"]
    return {
        "now": seen["now"],
        "direction": seen["direction"],
        "exitBound": seen["exit_bound"],
        "lastUse": use and facts_json(BASE._replace(last_use=use))["last_use"],
        "entriesSince": seen["entries_since"],
        "lastGood": seen["last_good"],
        "credential": seen["credential"].hex(),
        "verification": seen["verification"].hex(),
        "people": seen["people"],
    }


def as_json(presented: Presented) -> Json:
    """What `recognise` of the JavaScript core is to give. Its times are Numbers."""
    if isinstance(presented, Refused):
        return {"refused": presented.reason}
    assert isinstance(presented, Claims)
    token = presented.token and {
        **presented.token._asdict(),
        "id": presented.token.id.hex(),
        "issued_at": float(presented.token.issued_at),
        "expires_at": float(presented.token.expires_at),
    }
    return {"claims": {"kind": presented.kind, "token": token, "idx": presented.idx, "number": presented.number}}
