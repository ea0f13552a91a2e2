"""The kit as somebody installs it: its wheel and what it depends on, in an environment with nothing else."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
_BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def copy_of_the_sources(folder: Path) -> Path:
    """The kit's sources beside the service's core, as they lie in the repository, links and all."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT / "sdk", folder / "sdk", symlinks=True, ignore=ignored)
    shutil.copytree(ROOT / "app/core", folder / "app/core", ignore=ignored)
    shutil.copy(ROOT / "LICENSE", folder)
    return folder / "sdk"


def build(kind: str, sources: Path, into: Path) -> Path:
    """The `wheel` or the `sdist` of some sources."""
    into.mkdir(exist_ok=True)
    command = [sys.executable, "-c", _BUILD, f"build_{kind}", str(into)]
    subprocess.run(command, cwd=sources, check=True, capture_output=True, timeout=60)
    (built,) = into.iterdir()
    return built


class Environment:
    """A new environment without pip."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
        self.bin = folder / "bin"
        (self._packages,) = folder.glob("lib/python3*/site-packages")

    def install(self, wheel: Path) -> None:
        """Install a wheel and nothing that it asks for."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install", "--quiet"]
        options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--no-compile", str(wheel)]
        subprocess.run([*pip, *options], check=True, capture_output=True, timeout=60)

    def copy_dependencies(self, *names: str) -> set[str]:
        """Copy what is installed here under those names, and whatever that needs. What it was."""
        wanted, done = list(names), set[str]()
        while wanted:
            name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
            if name not in done and self._copy(name, wanted):
                done.add(name)
        return done

    def run(
        self,
        *command: str | Path,
        text: str | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.bin / command[0], *command[1:]],
            input=text,
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
            env={"LANG": "C.UTF-8"},
        )

    def _copy(self, name: str, wanted: list[str]) -> bool:
        try:
            found = distribution(name)
        except PackageNotFoundError:
            return False  # for another platform or version of Python
        asked = map(Requirement, found.requires or ())
        wanted.extend(each.name for each in asked if each.marker is None or each.marker.evaluate({"extra": ""}))
        for file in found.files or ():
            source, target = Path(str(found.locate_file(file))), self._packages / str(file)
            if ".." not in file.parts and source.is_file() and source.suffix != ".pyc":
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        return True
