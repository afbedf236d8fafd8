"""What commands that serve have in common: signals, a port that is taken, limits that are shown."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from worpen_cli.console import Console, Stop
from worpen_cli.limits import Limits, limit_lines, limit_rows

LIMITS_SCHEMA: Final = "worpen.limits/1"
NEXT_PORTS: Final = 50
"""So many ports are tried to find a free one to suggest."""
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def signals_lead_to(act: Callable[[int], None], numbers: Iterable[int] = STOP_SIGNALS) -> Iterator[None]:
    """Have `act` called on the running loop with the number of each of these signals that comes."""
    loop = asyncio.get_running_loop()
    # Not `loop.add_signal_handler`: that is not to be had on Windows.
    before = {number: signal.signal(number, lambda got, _: loop.call_soon_threadsafe(act, got)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def cannot_listen(command: str, host: str, port: int, error: OSError) -> Stop:
    """The end of a command that found its port taken, or its address impossible."""
    if error.errno == errno.EADDRINUSE:
        free = free_port_after(port)
        return Stop(f"port {port} is in use", help=f"worpen {command} --port {free}" if free else "")
    reason = error.strerror or str(error)
    return Stop(f"cannot listen on {host} port {port}: {reason[:1].lower()}{reason[1:]}")


def free_port_after(port: int) -> int | None:
    """The next port that nobody listens on, if there is one near."""
    for candidate in range(port + 1, min(port + 1 + NEXT_PORTS, 1 << 16)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            return candidate
    return None


def print_limits(limits: Limits, console: Console, *, as_json: bool) -> None:
    """Every limit, its value and who set it."""
    if as_json:
        console.print_document(json.dumps({"schema": LIMITS_SCHEMA, "limits": limit_rows(limits)}, ensure_ascii=False))
        return
    for line in limit_lines(limits):
        console.print_line(line)
