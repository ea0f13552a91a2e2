"""What the core promises of itself: everything is registered, and it can be shipped on its own."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import app.core
from app.core.decision import REASONS
from app.core.rule import Rule
from app.core.rules import RULES
from app.core.tokens import FORMATS
from tests.vectors.signed import signed

CORE = Path(app.core.__path__[0])
FILES = sorted(CORE.rglob("*.py"))
MAY_BE_IMPORTED = {*sys.stdlib_module_names, "cryptography", "cbor2"}
NOT_IN_THE_CORE = {  # clocks, dice, files, sockets, and what starts them
    *("asyncio", "datetime", "glob", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket"),
    *("sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "zoneinfo"),
}
TESTS = Path(__file__).parent
VECTORS = TESTS.parent / "vectors" / "rules"


def names_in(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def test_every_file_of_a_rule_is_registered_under_its_own_name() -> None:
    assert sorted(rule.code for rule in RULES) == names_in(CORE / "rules")
    for rule in RULES:
        module = sys.modules[f"app.core.rules.{rule.code}"]
        assert getattr(module, rule.code) is rule
        assert rule.refuses.__module__ == module.__name__


def test_every_file_of_a_token_format_is_registered_under_its_own_name() -> None:
    assert sorted(token_format.kind for token_format in FORMATS) == names_in(CORE / "tokens")
    for token_format in FORMATS:
        assert type(token_format).__module__ == f"app.core.tokens.{token_format.kind}"


def test_no_two_rules_own_one_reason() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert set(codes) < set(REASONS)


def test_every_rule_says_what_it_needs_and_what_it_refuses() -> None:
    for rule in RULES:
        assert rule.needs
        assert rule.refuses.__doc__
        module = sys.modules[f"app.core.rules.{rule.code}"]
        assert (module.__doc__ or "").startswith(f"`{rule.code}`: ")


@pytest.mark.parametrize("folder", ["rules", "tokens"])
def test_every_rule_and_format_has_a_file_of_tests(folder: str) -> None:
    tested = {path.stem.removeprefix("test_") for path in (TESTS / folder).glob("test_*.py")}
    assert set(names_in(CORE / folder)) <= tested


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_that_is_asked_offline_has_at_least_ten_shared_vectors(rule: Rule) -> None:
    content = json.loads((VECTORS / f"{rule.code}.json").read_text("ascii"))
    assert content["of"] == rule.code
    assert len(content["vectors"]) >= (10 if rule.offline else 8)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_only_the_standard_library_cryptography_and_cbor2_are_imported(path: Path) -> None:
    """Everything of the core itself by relative imports, so that it works under another name."""
    depth = len(path.relative_to(CORE).parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            roots = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert node.level <= depth, "reaches out of the core"
            continue
        elif isinstance(node, ast.ImportFrom):
            roots = {(node.module or "").partition(".")[0]}
        else:
            continue
        assert roots <= MAY_BE_IMPORTED
        assert roots.isdisjoint(NOT_IN_THE_CORE)


ALONE = """
import importlib, importlib.abc, json, pkgutil, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"app", "tests", "fastapi", "starlette", "sqlalchemy", "pydantic", "nacl", "uvicorn"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
sys.path.insert(0, sys.argv[1])
import shipped
for module in pkgutil.walk_packages(shipped.__path__, "shipped."):
    importlib.import_module(module.name)
keys = importlib.import_module("shipped.keys")
token_format = importlib.import_module("shipped.token_format")
recognise = importlib.import_module("shipped.tokens").recognise
vectors = json.load(sys.stdin)
keyring = token_format.Keyring(
    {bytes.fromhex(vectors["keys"]["kid"]): keys.Ed25519Key(bytes.fromhex(vectors["keys"]["public"]))}
)
for entry in vectors["good"]:
    assert recognise(entry["text"], vectors["tenant"], keyring).idx == entry["claims"]["idx"]
for entry in vectors["bad"]:
    assert recognise(entry["text"], vectors["tenant"], keyring).reason == entry["reason"]
print(len([name for name in sys.modules if name.startswith("shipped.")]))
"""


def test_the_core_works_alone_and_under_another_name(tmp_path: Path) -> None:
    shutil.copytree(CORE, tmp_path / "shipped", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", ALONE, tmp_path],
        input=json.dumps(signed()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert int(done.stdout) == len(FILES) - 1
