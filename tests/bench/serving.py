"""A worpen server of its own process, for measurements: two echo routes and a room, rates without a limit."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ECHO: Final = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "{{ message }}"}
"""
JSON: Final = """\
name: JSON
path: /ws/json
route_type: WebSocket
codec: json
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "{{ message }}"}
"""
ROOM: Final = """\
name: Room
path: /ws/room
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {command: broadcast, channel: room, message: "{{ message }}"}
"""
ROUTES: Final = "---\n".join((ECHO, JSON, ROOM))
UNLIMITED = ("message_rate=0", "byte_rate=0", "connection_rate=0")
"""A generator sends more than clients do: `runtime.limits` says that 0 is no limit."""


@contextmanager
def routes_file() -> Iterator[Path]:
    """A file with the routes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bench.yaml")
        file.write_text(ROUTES, encoding="utf-8")
        yield file


def command(file: Path, port: str, limits: Sequence[str] = UNLIMITED) -> list[str]:
    """The command line of the server; `port` may be a placeholder."""
    flags = [flag for limit in limits for flag in ("--limit", limit)]
    own = [sys.executable, "-m", "worpen_cli", "dev", str(file), "--no-tui", "--no-watch", "--json", "--port", port]
    return [*own, *flags]


def command_line(file: Path) -> str:
    """The same as one text, with `{port}` in it."""
    return shlex.join(command(file, "{port}")).replace("'{port}'", "{port}")


@contextmanager
def server(
    limits: Sequence[str] = UNLIMITED, routes: Path | None = None, checkout: Path | None = None
) -> Iterator[tuple[int, int]]:
    """A running server, of these routes or those of a file, by the code of this checkout or of another: its port and
    process id."""
    port = free_port()
    with routes_file() as file:
        words = command(routes or file, str(port), limits)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd=checkout)
        try:
            await_listening(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when the process accepts connections. Raises RuntimeError where it ends, or takes too long."""
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("the server ended at once")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server does not listen")
