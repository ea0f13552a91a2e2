"""The dialects: each is a file or a folder, registered under its name. That none knows another is import-linter's part."""

import ast
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

import app.faces.compat
import app.faces.readers
from app.faces.dialect import Dialect
from app.faces.dialects import DIALECTS

PACKAGES = (app.faces.compat, app.faces.readers)


def makes_a_dialect(package: ModuleType, name: str) -> bool:
    """Whether there is a `Dialect` made in the file or folder: what makes none is machinery."""
    place = Path(package.__path__[0]) / name
    files = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Dialect"
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


MAKING = [
    (package, module.name)
    for package in PACKAGES
    for module in pkgutil.iter_modules(package.__path__)
    if makes_a_dialect(package, module.name)
]


@pytest.mark.parametrize(("package", "name"), MAKING, ids=[name for _, name in MAKING])
def test_every_dialect_is_registered_under_its_own_name(package: ModuleType, name: str) -> None:
    module = sys.modules.get(f"{package.__name__}.{name}")
    assert module is not None, "it is missing in __init__.py"
    (dialect,) = [each for each in vars(module).values() if isinstance(each, Dialect)]
    assert any(each is dialect for each in package.DIALECTS), "it is missing in __init__.py"
    assert DIALECTS[name] is dialect
    assert dialect.kind.name == name


def test_there_is_no_other_dialect() -> None:
    assert sorted(DIALECTS) == sorted(name for _, name in MAKING)
    assert len(DIALECTS) == sum(len(package.DIALECTS) for package in PACKAGES)
