"""`docs/migrate.md`: its commands run, one after another, and give what it shows."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.faces.dialects import DIALECTS
from tests.services.serving import environment, served

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs/migrate.md").read_text("utf-8")
BLOCK = re.compile(r"^<!-- run -->\n```sh\n(.*?)^```\n+```(json|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8000"
NEXT = "--- next ---"
READER_PORT = 8805


def printed_by(blocks: list[str], folder: Path, url: str, database_url: str) -> list[str]:
    """What each of the blocks prints, run in one shell."""
    script = f"\necho; echo '{NEXT}'\n".join(blocks).replace(ADDRESS, url)
    script = script.replace(".venv/bin/gatepass", f"{sys.executable} -m app.cli")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(database_url, PYTHONPATH=str(ROOT), LANG="C.UTF-8"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(NEXT)


def assert_shows_part_of(shown: Any, answered: Any, where: str) -> None:
    """`...` stands for any text, and what is not shown may be anything; but lists are shown whole."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answered, f"{where}: {name} is not in {answered}"
            assert_shows_part_of(value, answered[name], f"{where}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(answered), f"{where}: {answered}"
        for number, value in enumerate(shown):
            assert_shows_part_of(value, answered[number], f"{where}[{number}]")
    elif shown == "...":
        assert isinstance(answered, str), where
    else:
        assert shown == answered, where


def test_the_commands_of_the_guide_give_the_answers_that_it_shows(sqlite_url: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall(GUIDE)
    assert len(blocks) == GUIDE.count("<!-- run -->") >= 15
    with served(sqlite_url, tmp_path) as serving:
        printed = printed_by([commands for commands, _, _ in blocks], tmp_path, serving.url, sqlite_url)
    for (commands, form, shown), answered in zip(blocks, printed, strict=True):
        if form == "json":
            shown = shown.replace(ADDRESS, serving.url)  # noqa: PLW2901  the address of this run
            assert_shows_part_of(json.loads(shown), json.loads(answered), commands)
        else:
            assert shown.split() == answered.split(), commands


def test_every_kind_of_connection_is_in_the_guide_and_is_made_there() -> None:
    made = set(re.findall(r'"kind": "(\w+)"', GUIDE))
    assert set(DIALECTS) <= made


def test_every_reader_is_said_not_to_be_proved_on_hardware() -> None:
    readers = GUIDE.partition("\n# Readers and terminals\n")[2]
    sections = re.split(r"^## ", readers, flags=re.MULTILINE)[1:]
    assert len(sections) == 5
    assert all("ot proved on hardware" in section for section in sections)
