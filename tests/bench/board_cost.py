"""What the live board costs the server: CPU time per message with and without it, in one run.

    python tests/bench/board_cost.py [rounds]

One server at a terminal of 80×24 with 1 000 connections takes 5 000 messages a second. Its board is opened and closed
again in turns: two servers would differ by more than the board costs, by where their memory lies. With so many messages
a second nothing queues, so the ratio of CPU times is what the throughput could lose. It is to be under 1.03.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pexpect
import uvloop

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.loader import link
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from worpen_cli.board.desk import Desk, Means
from worpen_cli.journal import Journal

CONNECTIONS = 1_000
RATE = 5_000
SECONDS = 4.0
STEP = 0.01
MOST = 1.03
ROUTE = """\
name: Echo
path: /ws/players/:room
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "{{ message }}"}
"""
HANDSHAKE = (
    b"GET /ws/players/a HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT = b"0123456789abcdef"
FRAME = bytes([0x81, 0x80 | len(TEXT)]) + bytes(4) + TEXT
ANSWER_BYTES = 2 + len(TEXT)


class Client(asyncio.Protocol):
    """One connection that counts the bytes of its answers."""

    def __init__(self) -> None:
        self.is_open = asyncio.get_running_loop().create_future()
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if self.is_open.done():
            self.received += len(data)
        else:
            self.is_open.set_result(None)


async def connected(port: int) -> list[Client]:
    """All connections of one server."""
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", port)
        await client.is_open
        clients.append(client)
    return clients


def cpu_seconds(process: int) -> float:
    """Time that the threads of a process ran, without its children; by the scheduler's clock, since the times of
    `/proc/PID/stat` are counted in ticks, and a load that follows a timer falls together with those."""
    spent = (int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{process}/task").iterdir())
    return sum(spent) / 1e9


async def turn(clients: list[Client], process: int) -> tuple[float, float]:
    """One turn: CPU µs per message, and messages answered a second."""
    before, cpu, began = sum(client.received for client in clients), cpu_seconds(process), time.perf_counter()
    sent = 0
    while (passed := time.perf_counter() - began) < SECONDS:
        due = int(passed * RATE)
        for number in range(sent, due):
            clients[number % CONNECTIONS].transport.write(FRAME)
        sent = due
        await asyncio.sleep(STEP)
    await asyncio.sleep(0.2)
    answered = (sum(client.received for client in clients) - before) / ANSWER_BYTES
    return (cpu_seconds(process) - cpu) / answered * 1e6, answered / (time.perf_counter() - began - 0.2)


async def serve() -> None:
    """Be the server: says its port, then opens or closes its board on each SIGUSR1, until SIGTERM."""
    compilation = compile_source("echo.yaml", ROUTE.encode(), CompilerSettings())
    assert compilation.program is not None
    app, over, toggled = App(Settings(port=0)), asyncio.Event(), asyncio.Event()
    await app.start(entries_of(link(compilation.program, app.context)))
    loop, desk = asyncio.get_running_loop(), None
    loop.add_signal_handler(signal.SIGUSR1, toggled.set)
    print(f"port {app.addresses[0][1]}.", flush=True)
    while True:
        await toggled.wait()
        toggled.clear()
        if desk is not None:
            await desk.close()
            desk = None
            continue
        means = Means(over.set, lambda _: over.set(), over.set, lambda: "ws://localhost")
        desk = Desk(app, Journal(lambda _: None), means, color=True)
        desk.open()


def read_on(process: pexpect.spawn) -> None:
    """Be a terminal that takes all that is written to it."""

    def read() -> None:
        try:
            while True:
                os.read(process.child_fd, 65_536)
        except OSError:
            return

    threading.Thread(target=read, daemon=True).start()


async def measure(rounds: int) -> dict[bool, list[tuple[float, float]]]:
    """The turns, by whether there was a board."""
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    process = pexpect.spawn(sys.executable, [__file__, "serve"], dimensions=(24, 80), timeout=20)
    try:
        process.expect(r"port (\d+)\.")
        read_on(process)
        clients = await connected(int(process.match.group(1)))
        for number in range(2 * rounds):
            await asyncio.sleep(1.5)
            cost = await turn(clients, process.pid)
            if number >= 2:  # until then it warms up
                found[bool(number % 2)].append(cost)
            process.kill(signal.SIGUSR1)
    finally:
        process.close(force=True)
    return found


def main() -> int:
    """Measure and print; 1 where the board costs too much."""
    if sys.argv[1:] == ["serve"]:
        uvloop.run(serve())
        return 0
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    found = uvloop.run(measure(rounds))
    medians = {
        kind: [statistics.median(column) for column in zip(*turns, strict=True)] for kind, turns in found.items()
    }
    for kind, (cpu, rate) in medians.items():
        print(f"{'with' if kind else 'without'} the board: {cpu:.2f} µs of CPU a message at {rate:,.0f} messages/s")
    pairs = zip(found[True], found[False], strict=True)
    ratios = [with_board[0] / without[0] for with_board, without in pairs]
    low, ratio, high = statistics.quantiles(ratios, n=4)
    print(f"ratio {ratio:.3f} (quartiles {low:.3f}, {high:.3f}); rates {medians[True][1] / medians[False][1]:.3f}")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
