"""The dialects: each is registered under its own name, and knows nothing of another."""

import ast
import sys
from pathlib import Path

import pytest

import app.faces.compat
import app.faces.readers
from app.faces.dialect import Dialect
from app.faces.dialects import DIALECTS

PACKAGES = (app.faces.compat, app.faces.readers)
FILES = [path for package in PACKAGES for path in sorted(Path(package.__path__[0]).glob("*.py")) if path.stem[0] != "_"]


def defines_a_dialect(path: Path) -> bool:
    """Whether the file makes a `Dialect`: what does not is machinery, or a part of one."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Dialect"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def module_of(path: Path) -> str:
    return f"app.faces.{path.parent.name}.{path.stem}"


DEFINING = [path for path in FILES if defines_a_dialect(path)]


@pytest.mark.parametrize("path", DEFINING, ids=lambda path: path.stem)
def test_every_file_of_a_dialect_is_registered_under_its_own_name(path: Path) -> None:
    registered = sys.modules[f"app.faces.{path.parent.name}"].DIALECTS
    (dialect,) = [each for each in vars(sys.modules[module_of(path)]).values() if isinstance(each, Dialect)]
    assert any(each is dialect for each in registered), "it is missing in __init__.py"
    assert dialect.kind.name == path.stem
    assert DIALECTS[path.stem] is dialect


def test_every_dialect_has_a_file_and_a_name_of_its_own() -> None:
    registered = [dialect.kind.name for package in PACKAGES for dialect in package.DIALECTS]
    assert sorted(registered) == sorted(path.stem for path in DEFINING)
    assert list(DIALECTS) == registered


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dialect_knows_nothing_of_another(path: Path) -> None:
    """A file of a dialect is named like it, with a word more; what is named like none is for all of its kind."""
    here = path.parent
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"app.faces.{here.name}"):
            pytest.fail("files of a room are imported as such: from .name import ...")
        else:
            continue
        for name in names:
            assert _dialect_of(here / f"{name}.py") in (None, _dialect_of(path)), name


def _dialect_of(path: Path) -> str | None:
    names = [each.stem for each in DEFINING if each.parent == path.parent]
    return next((name for name in names if path.stem == name or path.stem.startswith(f"{name}_")), None)
