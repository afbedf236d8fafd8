"""What commands that serve have in common: options, signals, a port that is taken, limits that are shown."""

from __future__ import annotations

import contextlib
import errno
import json
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import click

from runtime.app import runner
from worpen_cli.command import Invocation
from worpen_cli.console import Console, Stop, guarded
from worpen_cli.limits import Limits, limit_lines, limit_rows

LIMITS_SCHEMA: Final = "worpen.limits/1"
NEXT_PORTS: Final = 50
"""So many ports are tried to find a free one to suggest."""
RELOAD_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name))
"""Not to be had on Windows."""


Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--host", default="localhost", show_default=True, help="Name or address to listen on."),
    click.option("--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="0 takes a free one."),
    click.option("--prefix", metavar="PATH", help="Where every route is served as well (default: /api)."),
    click.option("--limit", "limit", metavar="NAME=VALUE", multiple=True, help="Set a limit; repeatable."),
    click.option("--print-limits", is_flag=True, help="List every limit, its value and who set it, and stop."),
    click.option("--compression/--no-compression", default=None, help="permessage-deflate (default: off)."),
)


def run_to_the_end(main: Coroutine[Any, Any, int], invocation: Invocation) -> int:
    """Run a server until all of it is over, and the process with it; the exit code.

    The event loop and the interpreter would wait for their threads, and one of them may hang: in a name that is looked
    up, a lock that is waited for, a file that is read.
    """
    with runner() as running:
        code = guarded(lambda: running.run(main), invocation.console)
        if invocation.leave is not None:
            invocation.leave(code)
    return code


def serving_options(command: Decorated) -> Decorated:
    """The options of every command that serves: where, under which prefix, within which limits, compressed or not."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


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


def show_limits(limits: Limits, console: Console, *, as_json: bool) -> None:
    """Every limit, its value and who set it."""
    if as_json:
        console.print_document(json.dumps({"schema": LIMITS_SCHEMA, "limits": limit_rows(limits)}, ensure_ascii=False))
        return
    for line in limit_lines(limits):
        console.print_line(line)
