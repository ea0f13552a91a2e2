"""The environment of the oracle: a CWT library that wants an older cbor2 than Gatepass runs on."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / ".venv-oracle"
REQUIREMENTS = ROOT / "requirements" / "oracle.txt"


@pytest.fixture(scope="session")
def oracle_python() -> Path:
    """The interpreter of that environment, which is made where it is missing or out of date, by one process at a time."""
    ENVIRONMENT.mkdir(exist_ok=True)
    python, mark = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "made-from"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with (ENVIRONMENT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
            subprocess.run([python, *install, "-r", REQUIREMENTS], check=True)
            mark.write_text(wanted)
    return python
