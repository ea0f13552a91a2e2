"""The kit is installed cleanly: with the core's own files in it, and without the service's frameworks."""

import json
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from .conftest import Site
from .installed import ROOT, Environment, build, copy_of_the_sources

DEPENDENCIES = ("httpx", "cryptography", "cbor2", "tenacity")
FRAMEWORKS = ("fastapi", "sqlalchemy", "starlette", "pydantic", "uvicorn", "app")
PLUG_IN = {
    "pyproject.toml": """
        [build-system]
        requires = ["setuptools"]
        build-backend = "setuptools.build_meta"
        [project]
        name = "my-barrier"
        version = "1"
        [project.entry-points."gatepass_kit.relays"]
        barrier = "my_barrier:Barrier"
        [tool.setuptools]
        py-modules = ["my_barrier"]
    """,
    "my_barrier.py": """
class Barrier:
    def __init__(self, file: str) -> None:
        self._file = file

    def open(self, result) -> None:
        with open(self._file, "a") as file:
            print(result.decision, result.request_id, file=file)
""",
}


class Built:
    """The kit's sdist and wheels, and an environment with the wheel."""

    def __init__(self, folder: Path) -> None:
        sources = copy_of_the_sources(folder)
        self.wheel = build("wheel", sources, folder / "wheel")
        self.sdist = build("sdist", sources, folder / "sdist")
        with tarfile.open(self.sdist) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        (unpacked,) = (folder / "unpacked").iterdir()
        self.wheel_of_sdist = build("wheel", unpacked, folder / "wheel-of-sdist")
        (folder / "plug-in").mkdir()
        for name, content in PLUG_IN.items():
            (folder / "plug-in" / name).write_text(textwrap.dedent(content))
        self.environment = Environment(folder / "environment")
        self.copied = self.environment.copy_dependencies(*DEPENDENCIES)
        self.environment.install(self.wheel)
        self.environment.install(build("wheel", folder / "plug-in", folder / "plug-in-wheel"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("built"))


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_the_files_of_the_core_and_so_has_one_of_the_sdist(built: Built) -> None:
    core = {f"gatepass_kit/core/{path.relative_to(ROOT / 'app/core')}" for path in (ROOT / "app/core").rglob("*.py")}
    names = names_in(built.wheel)
    assert core < names
    assert {"gatepass_kit/core/rules/expired.py", "gatepass_kit/core/tokens/signed.py", "gatepass_kit/py.typed"} < names
    assert names_in(built.wheel_of_sdist) == names
    with zipfile.ZipFile(built.wheel) as archive:
        assert archive.read("gatepass_kit/core/decision.py") == (ROOT / "app/core/decision.py").read_bytes()


LOADED = """
import importlib.util, json, sys
import gatepass_kit, gatepass_kit.kiosk.cli, gatepass_kit.core.decision, gatepass_kit.core.offline
names = sys.argv[1:]
there = [name for name in names if importlib.util.find_spec(name)]
print(json.dumps([there, [name for name in names if name in sys.modules], gatepass_kit.__file__]))
"""


def test_it_is_imported_without_the_services_frameworks(built: Built) -> None:
    there, loaded, file = json.loads(built.environment.run("python", "-P", "-c", LOADED, *FRAMEWORKS).stdout)
    assert (there, loaded) == ([], [])
    assert file.startswith(str(built.environment.bin.parent))
    assert set(DEPENDENCIES) <= built.copied
    assert built.copied.isdisjoint(FRAMEWORKS)


def test_a_kiosk_is_set_up_and_runs_with_a_relay_of_somebody_elses(built: Built, site: Site) -> None:
    site.open_gate(offline="admit_and_reconcile")
    texts = [site.text() for _ in range(2)]
    registered = site.register()
    assert registered.setup is not None
    folder = ("--folder", str(site.folder))
    run = built.environment.run
    said = run("gatepass-kiosk", "set-up", registered.setup.url, *folder, "--name", "North door").stdout
    assert f"{registered.id} at {site.gate}; offline admit_and_reconcile until" in said
    opened = site.folder / "opened"
    command = ("gatepass-kiosk", "run", "--scanner", "stdin", "--relay", "barrier", "--relay-option", f"file={opened}")
    with site.line.down():
        offline = run(*command, *folder, text=f"{texts[0]}\n{texts[0]}\n")
    online = run(*command, *folder, text=f"\\000026{texts[1]}\r\nhello\n")
    assert offline.stdout.splitlines() == ["ADMIT ok offline", "DENY already_used offline"]
    assert online.stdout.splitlines() == ["ADMIT ok", "DENY unrecognised"]
    assert texts[0] not in offline.stderr
    assert sorted(opened.read_text().split()[1::2]) == sorted(str(each) for each in site.admitted())
    status = json.loads(run("gatepass-kiosk", "status", "--json", *folder).stdout)
    assert (status["gate"], status["waiting"], status["revoked"]) == (site.gate, 0, False)


def test_what_goes_wrong_is_said_in_one_sentence(built: Built, site: Site) -> None:
    folder = ("--folder", str(site.folder))
    for words, why in (
        (("status",), "No device is set up"),
        (("set-up", "https://example.com/"), "no link"),
        (("run", "--scanner", "camera"), "A scanner is"),
        (("run", "--scanner", "serial:/dev/ttyUSB0"), "pip install 'gatepass-kit[serial]'"),
        (("run", "--scanner", "stdin", "--relay", "mqtt"), "pip install 'gatepass-kit[mqtt]'"),
        (("run", "--scanner", "stdin", "--relay", "lever"), "barrier, gpio, http, mqtt, none"),
        (("run", "--scanner", "stdin", "--relay", "barrier", "--relay-option", "file"), "name=value"),
    ):
        done = built.environment.run("gatepass-kiosk", *words, *folder, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert why in done.stderr
