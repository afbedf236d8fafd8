"""A real PostgreSQL on a free port of this machine: Debian's programs, or any on the PATH.

`initdb` refuses root, so that as root everything runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.runtime.bus.valkey import free_port

PATIENCE_SECONDS = 30.0
_SOMEBODY = "nobody"


def program(name: str) -> Path:
    """A program of PostgreSQL; skips the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found:
        return found[-1]
    if (on_path := shutil.which(name)) is not None:
        return Path(on_path)
    pytest.skip("PostgreSQL is not installed here: neither in /usr/lib/postgresql nor on the PATH")


class Postgresql:
    """A server with an empty database, which trusts everybody on this machine."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._user: int | None = None
        if os.geteuid() == 0:
            self._user = pwd.getpwnam(_SOMEBODY).pw_uid
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
