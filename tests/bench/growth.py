"""What grows with the number of connections, members and channels: `python -m tests.bench.growth`.

Memory: resident memory of a server of its own process, before and after 10 000 clients of the guide's chat route came,
each with its membership and variables; and what Python's part of it is, from a server in this process. Deliveries: see
`deliveries`. Channels: joining, leaving and leaving all of three channels, by the number of channels that there are.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App, run
from runtime.channels import Hub
from runtime.loader import link
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from tests.bench import deliveries
from tests.bench.serving import UNLIMITED, server

PROJECT: Final = Path(__file__).parents[2]
CHAT: Final = PROJECT / "examples" / "chat.yaml"
REQUEST: Final = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
WARM: Final = 200
"""Connections before memory is measured."""
IDLE: Final = 10_000
CHANNELS: Final = (10, 1_000, 10_000)
PATIENCE_SECONDS: Final = 30.0
SETTLING_SECONDS: Final = 1.5


def connected(port: int, path: str, number: int) -> list[socket.socket]:
    """So many clients whose handshake is answered; nothing they get later is read."""
    clients: list[socket.socket] = []
    request = REQUEST.format(path).encode()
    for _ in range(number):
        client = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        client.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        clients.append(client)
    return clients


@contextmanager
def closed_after(clients: list[socket.socket]) -> Iterator[list[socket.socket]]:
    """Close them all in the end."""
    with ExitStack() as stack:
        for client in clients:
            stack.enter_context(closing(client))
        yield clients


# Memory.


def resident_bytes(process: int) -> int:
    """Memory of a process that is in RAM."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()


def idle_bytes() -> float:
    """Resident memory that an idle connection of the chat route costs the server."""
    with server(UNLIMITED, CHAT) as (port, process), closed_after(connected(port, "/ws/chat", WARM)):
        time.sleep(SETTLING_SECONDS)
        before = resident_bytes(process)
        with closed_after(connected(port, "/ws/chat", IDLE)):
            time.sleep(SETTLING_SECONDS)
            return (resident_bytes(process) - before) / IDLE


OWNERS: Final = (
    ("runtime/transport/", "the wire: connection, reader, place in the timer's wheel, texts of the request's head"),
    ("runtime/server/", "the link: limits, clocks, variables of the handshake"),
    ("runtime/session.py", "the session: state, inputs, variables"),
    ("runtime/channels.py", "channels: two entries for each membership, one by id"),
    ("runtime/", "the rest of Python's part: id, effects, address"),
)
"""Who made the objects, by the beginning of the file's name; the first that fits."""


async def owned_bytes() -> dict[str, float]:
    """Python's memory of an idle connection of the chat route, by what it is for."""
    compilation = compile_source(CHAT.name, CHAT.read_bytes(), CompilerSettings())
    assert compilation.program is not None
    app = App(Settings(port=0))
    await app.start(entries_of(link(compilation.program, app.context)))
    port, loop = app.addresses[0][1], asyncio.get_running_loop()
    number = WARM * 2
    with closed_after(await loop.run_in_executor(None, connected, port, "/ws/chat", WARM // 2)):
        tracemalloc.start(1)
        gc.collect()
        before = tracemalloc.take_snapshot()
        with closed_after(await loop.run_in_executor(None, connected, port, "/ws/chat", number)):
            await asyncio.sleep(SETTLING_SECONDS)
            gc.collect()
            changes = tracemalloc.take_snapshot().compare_to(before, "filename")
        tracemalloc.stop()
    await app.drain()
    found = dict.fromkeys((what for _, what in OWNERS), 0.0)
    for change in changes:
        name = change.traceback[0].filename.removeprefix(f"{PROJECT}/")
        for beginning, what in OWNERS:
            if name.startswith(beginning):
                found[what] += change.size_diff / number
                break
    return found


# Channels.


def channel_seconds(channels: int) -> dict[str, float]:
    """Time to join, to leave and to be gone from three channels, where there are so many in all."""
    hub: Hub[int] = Hub(128)
    for channel in range(channels):
        hub.join(f"c{channel}", -1 - channel, f"channel {channel}")
    own = [f"channel {number * channels // 3}" for number in range(3)]

    def join() -> None:
        for name in own:
            hub.join("me", 0, name)

    def leave() -> None:
        for name in own:
            hub.leave(0, name)

    def gone() -> None:
        hub.exit("me", 0)

    return {
        "join": _best(join, leave),
        "leave": _best(leave, join, prepared=join),
        "disconnect": _best(gone, join, prepared=join),
    }


def _best(action: Callable[[], None], undo: Callable[[], None], prepared: Callable[[], Any] = lambda: None) -> float:
    prepared()
    best = float("inf")
    for _ in range(2_000):
        before = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - before)
        undo()
    return best


# The report.


def report() -> str:
    """All of it, as Markdown."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return "\n\n".join((_memory(), deliveries.report(), _channels())) + "\n"


def _memory() -> str:
    whole, parts = idle_bytes(), run(owned_bytes())
    rest = whole - sum(parts.values())
    rows = [f"| {what} | {number:,.0f} |" for what, number in parts.items()]
    return "\n".join(
        (
            f"An idle connection of the chat route, {IDLE:,} open: **{whole / 1024:.2f} KiB** (at most 4: "
            f"{_holds(whole, 4096)}).",
            "",
            "| what the bytes are | bytes |",
            "| --- | --: |",
            *rows,
            f"| what Python does not see: uvloop's transport, libuv's handle, room between objects | {rest:,.0f} |",
        )
    )


def _channels() -> str:
    costs = {channels: channel_seconds(channels) for channels in CHANNELS}
    rows = [
        f"| {what} | " + " | ".join(f"{costs[channels][what] * 1e6:.2f} µs" for channels in CHANNELS) + " |"
        for what in ("join", "leave", "disconnect")
    ]
    return "\n".join(
        (
            f"| three channels of | {' | '.join(f'{channels:,}' for channels in CHANNELS)} |",
            "| --- " + "| --: " * len(CHANNELS) + "|",
            *rows,
        )
    )


def _holds(value: float, most: float) -> str:
    return "holds" if value <= most else "does not hold"


if __name__ == "__main__":
    sys.stdout.write(report())
