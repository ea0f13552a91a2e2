"""The documentation: what it names exists, what it shows runs, and what it lists is complete."""

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import typer

from app.cli import cli
from app.core.decision import REASONS
from app.core.rules import RULES
from app.faces.dialects import DIALECTS
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
ADDRESS = "127.0.0.1:8000"
UP_WITHIN_S = 20.0
RUN_WITHIN_S = 30.0

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^<!-- run -->\n```sh\n(.*?)^```\n+```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^```http\n(.*?)^```\n(?:\n```json\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
KEPT_IDS = {"pass": "PASS", "hold": "HOLDER", "ver": "VERIFICATION", "cred": "CREDENTIAL"}
WORD = re.compile(rf"\b(?:{'|'.join((*KEPT_IDS.values(), 'TOKEN', 'CODE', 'SETUP'))})\b")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
FUNCTION = re.compile(r"(?:([A-Z]\w*)\.)?(\w+)\(\)")
CLASS = re.compile(r"[A-Z][a-z]\w*")
CONSTANT = re.compile(r"[A-Z][A-Z_]+")
SAME_VALUES = (
    "decision",
    "reason",
    "flags",
    "gate",
    "direction",
    "kind",
    "token_kind",
    "repeated",
    "request_id",
    "status",
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


# The tour


def names_in_the_tour() -> list[str]:
    return sorted(set(re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of("docs/tour.md")))))


@lru_cache
def defined_in_the_files_of_the_tour() -> set[str]:
    """Functions and methods as `name` and `Class.name`, classes and constants as `Name`."""
    defined: set[str] = set()
    for path in (ROOT / name for name in names_in_the_tour() if name.endswith(".py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                members = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
                defined |= {node.name, *(f"{node.name}.{each.name}" for each in members)}
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                defined.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                defined |= {each.id for each in targets if isinstance(each, ast.Name)}
    return defined


def test_the_tour_names_the_four_files_in_order() -> None:
    four = (
        "app/faces/http/verifications.py",
        "app/services/verify.py",
        "app/core/decision.py",
        "app/storage/ledger.py",
    )
    headings = [line for line in text_of("docs/tour.md").splitlines() if line.startswith("## ") and "`" in line]
    assert headings == [f"## {number}. `{name}`" for number, name in enumerate(four, 1)]


@pytest.mark.parametrize("name", names_in_the_tour())
def test_every_name_in_the_tour_exists(name: str) -> None:
    if "/" in name and " " not in name and not name.startswith("/"):
        path = ROOT / name
        assert path.is_dir() if name.endswith("/") else path.is_file()
    elif found := FUNCTION.fullmatch(name):
        assert ".".join(filter(None, found.groups())) in defined_in_the_files_of_the_tour()
    elif CLASS.fullmatch(name) or CONSTANT.fullmatch(name):
        assert name in defined_in_the_files_of_the_tour()


# The commands of the READMEs


def environment() -> dict[str, str]:
    """Nothing of the settings and proxies around the tests."""
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, port: int) -> Iterator[None]:
    """What `make run` starts, in `folder` and on `port`."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_it_is_up(process, port)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_it_is_up(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the service did not start")


def run(commands: list[str], folder: Path, port: int) -> list[Any]:
    """The answers to some blocks of commands, run in one shell; each has to print one JSON value."""
    here = f"{sys.executable} -m app.cli"
    separator = "--- next ---"
    script = f"\necho; echo '{separator}'\n".join(commands)
    script = script.replace(ADDRESS, f"127.0.0.1:{port}").replace(".venv/bin/gatepass", here)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "exec 2>&1\n" + script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_WITHIN_S,
    )
    assert done.returncode == 0, done.stdout
    return [json.loads(printed) for printed in done.stdout.split(separator)]


def assert_same_shape(shown: Any, answered: Any) -> None:
    assert shown.keys() == answered.keys()
    for name, value in shown.items():
        assert type(value) is type(answered[name]), name
        if isinstance(value, dict):
            assert_same_shape(value, answered[name])
        elif name in SAME_VALUES:
            assert value == answered[name], name


def test_the_commands_of_the_readme_give_the_answers_that_it_shows(tmp_path: Path) -> None:
    blocks = RUN.findall(text_of("README.md"))
    assert len(blocks) == text_of("README.md").count("<!-- run -->") == 6
    port = free_port()
    with served(tmp_path, port):
        answers = run([commands for commands, _ in blocks], tmp_path, port)
    for (_, shown), answered in zip(blocks, answers, strict=True):
        assert_same_shape(json.loads(shown), answered)


# The examples of the rules


def kept(answer: dict[str, Any]) -> dict[str, str]:
    """What the words in capitals stand for after an answer, which is a resource or a list of one."""
    for each in answer.get("items", [answer]):
        if each.get("setup"):
            return {"SETUP": each["setup"]["token"]}
        if each.get("token"):
            return {"CODE" if each["kind"] == "code" else "TOKEN": each["token"]}
        name = KEPT_IDS.get(str(each.get("id")).partition("_")[0])
        if name is not None:
            return {name: each["id"]}
    return {}


def answer_to(client: httpx.Client, call: str, values: dict[str, str]) -> Any:
    """The answer to a call: a line with its method and path, and perhaps JSON. Words in it have their `values`."""
    asked, _, body = WORD.sub(lambda word: values[word[0]], call).partition("\n")
    answered = client.request(*asked.split(), json=json.loads(body) if body else None)
    assert answered.is_success, f"{call}: {answered.text}"
    values.update(kept(answered.json()))
    return answered.json()


def assert_shows_part_of(shown: Any, answered: Any, where: str) -> None:
    """`...` at the end of a text stands for any text, and what is not shown may be anything."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answered, f"{where}: {name}"
            assert_shows_part_of(value, answered[name], where)
    elif isinstance(shown, list) and isinstance(answered, list) and len(shown) == len(answered):
        for each, other in zip(shown, answered, strict=True):
            assert_shows_part_of(each, other, where)
    elif isinstance(shown, str) and shown.endswith("..."):
        assert isinstance(answered, str), where
    else:
        assert shown == answered, where


def test_the_examples_of_the_rules_are_answered_as_they_show(tmp_path: Path) -> None:
    examples = EXAMPLE.findall(text_of("docs/rules.md"))
    assert len(examples) == text_of("docs/rules.md").count("```http") > 20
    port, values = free_port(), dict[str, str]()
    with served(tmp_path, port):
        (tenant,) = run([".venv/bin/gatepass init --json"], tmp_path, port)
        headers = {"Authorization": f"Bearer {tenant['api_key']}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=10) as client:
            for calls, shown in examples:
                answers = [answer_to(client, call, values) for call in calls.strip().split("\n\n")]
                assert_shows_part_of(json.loads(shown or "{}"), answers[-1], calls)


@pytest.mark.parametrize(("heading", "count"), [("Connections", 2), ("Devices", 3)])
def test_the_examples_of_what_connects_are_answered_as_they_show(tmp_path: Path, heading: str, count: int) -> None:
    section = text_of("docs/api.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    examples = EXAMPLE.findall(section)
    assert len(examples) == section.count("```http") == count
    port, values = free_port(), dict[str, str]()
    with served(tmp_path, port):
        (tenant,) = run([".venv/bin/gatepass init --json"], tmp_path, port)
        headers = {"Authorization": f"Bearer {tenant['api_key']}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=10) as client:
            assert client.post("/v1/gates", json={"id": "main-door", "name": "Main door"}).is_success
            for call, shown in examples:
                assert_shows_part_of(json.loads(shown), answer_to(client, call, values), call)


def test_both_readmes_have_the_same_commands_and_answers() -> None:
    english, chinese = (FENCE.findall(text_of(name)) for name in READMES)
    assert english == chinese


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {
        name for path in PAGES for name in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= named <= targets


def test_every_kind_of_connection_is_in_the_guide_to_the_api() -> None:
    (row,) = re.findall(r"^\| `kind` \| what the client speaks: (.*) \|$", text_of("docs/api.md"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(DIALECTS)


# Links


def slugs(path: Path) -> set[str]:
    """The fragments by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    found = LINK.findall(FENCE.sub("", path.read_text("utf-8")))
    return [link for pair in found for link in pair if link and not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    for link in links(page):
        name, _, fragment = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if fragment and target.suffix == ".md":
            assert fragment in slugs(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_the_code_that_is_named_is_there(page: Path) -> None:
    for name in re.findall(r"`((?:app|bench|migrations|tests)/[^`\s]+)`", page.read_text("utf-8")):
        assert (ROOT / name).exists(), name


def test_every_decision_is_listed() -> None:
    records = {path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md")}
    assert records == set(links(ROOT / "docs/decisions/README.md"))


# Completeness


def test_every_setting_is_in_the_operations_guide_with_its_default() -> None:
    page = text_of("docs/operations.md")
    rows = dict(re.findall(r"^\| `(GATEPASS_\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    defaults = {
        f"GATEPASS_{name.upper()}": f"`{field.default}`" if field.default else "none"
        for name, field in Settings.model_fields.items()
    }
    assert rows == defaults
    assert set(re.findall(r"GATEPASS_\w+", page)) == defaults.keys()


def test_every_reason_is_in_the_guide_to_the_api() -> None:
    table = text_of("docs/api.md").partition("\n## Reasons\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == REASONS


def test_every_rule_is_in_the_guide_to_the_rules_in_order() -> None:
    table = text_of("docs/rules.md").partition("\n## All rules")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [rule.code for rule in RULES]


def commands(group: click.Command, words: str) -> Iterator[str]:
    members: dict[str, click.Command] = getattr(group, "commands", {})
    if not members:
        yield words
    for name, member in members.items():
        yield from commands(member, f"{words} {name}")


def test_every_command_is_documented() -> None:
    pages = text_of("docs/operations.md") + text_of("docs/api.md")
    every = list(commands(typer.main.get_command(cli), "gatepass"))
    assert len(every) > 5
    assert [command for command in every if f"`{command}" not in pages] == []
