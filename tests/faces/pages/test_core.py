"""The decision core in JavaScript, which the kiosk's page runs: node runs its tests, and it is held against the Python original."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import app.faces
from app.core.keys import Ed25519Key, key_id
from app.core.model import Claims, Presented, Refused
from app.core.rules import RULES
from app.core.token_format import Keyring
from app.core.tokens import recognise
from tests.clients.client import ENVIRONMENT
from tests.faces.pages.core.fuzz import texts
from tests.vectors.parts import PRIVATE, TENANT, public_of

TESTS = Path(__file__).parent / "core"
CORE = Path(app.faces.__path__[0]) / "pages" / "kiosk" / "core"
OFFLINE = [rule for rule in RULES if rule.offline]
AT_LEAST = 700
"""Tests that node runs: a vector is one. Fewer mean that a file was not found."""

SEED, COUNT = 20_261_122, 20_000
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
    for line in path.read_text("utf-8").splitlines():
        if " from " in line and line.startswith(("import", "export")):
            imported = line.rsplit('"', 2)[1]
            assert imported.startswith(("./", "../"))
            assert (path.parent / imported).resolve().is_relative_to(CORE)
            assert (path.parent / imported).is_file()


def test_both_decoders_agree_on_whatever_is_shown() -> None:
    public = public_of(PRIVATE)
    shown = texts(COUNT, SEED)
    setting = {"tenant": TENANT, "keys": {key_id(public).hex(): public.hex()}}
    ran = node(TESTS / "open_lines.mjs", stdin="".join(json.dumps(each) + "\n" for each in (setting, *shown)))
    assert ran.returncode == 0, ran.stderr
    keyring = Keyring({key_id(public): Ed25519Key(public)})
    expected = [as_json(recognise(text, TENANT, keyring)) for text in shown]
    opened = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(opened) == COUNT
    assert [each for each in zip(shown, opened, expected, strict=True) if each[1] != each[2]] == []
    outcomes = Counter(each.get("refused", "claims") for each in expected)
    assert outcomes["claims"] >= COUNT // 10
    assert outcomes["malformed"] >= COUNT // 4
    assert min(outcomes[reason] for reason in ("unrecognised", "unknown", "bad_signature")) >= COUNT // 200


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
