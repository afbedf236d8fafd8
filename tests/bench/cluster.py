"""What the bus adds: `python -m tests.bench.cluster [MEMBERS] [MESSAGES_A_SECOND] [SECONDS]`.

One room, one speaker, many listeners: on one node without a bus, on one with it, on two, and on two where the room
keeps its messages (`history`). Rounds alternate. Printed for each: CPU µs of the nodes and of the store for one
delivery, and how long a message takes from the speaker back to the speaker and to a listener of the last node.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import PROJECT
from tests.runtime.bus.valkey import Valkey, valkey

PAYLOAD_BYTES = 64
FRAME_BYTES = PAYLOAD_BYTES + 2
ROUNDS = 3
SETUPS = {
    "1 node": (1, False, 0),
    "1 node, bus": (1, True, 0),
    "2 nodes, bus": (2, True, 0),
    "2 nodes, history": (2, True, 100),
}
"""Nodes, whether there is a bus, messages that a room keeps."""
HANDSHAKE = (
    "GET /ws/room/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(slots=True)
class Found:
    """Of one setup, one value a round."""

    node_us: list[float] = field(default_factory=list)
    store_us: list[float] = field(default_factory=list)
    back_ms: list[float] = field(default_factory=list)
    far_ms: list[float] = field(default_factory=list)
    far_p99_ms: list[float] = field(default_factory=list)


def cpu_seconds(process_id: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Listener(asyncio.Protocol):
    """Counts what comes, without looking at it; `arrived` has the moments, where they are wanted."""

    def __init__(self, is_timed: bool = False) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = 0
        self.is_timed = is_timed
        self.arrived: list[float] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(HANDSHAKE.encode())

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            _, _, data = data.partition(b"\r\n\r\n")
            self.opened.set_result(None)
        before, self.received = self.received // FRAME_BYTES, self.received + len(data)
        if self.is_timed:
            self.arrived += [time.perf_counter()] * (self.received // FRAME_BYTES - before)

    def say(self) -> None:
        """Send one message."""
        assert self.transport is not None
        key = random.randbytes(4)
        masked = bytes(byte ^ key[place % 4] for place, byte in enumerate(b"x" * PAYLOAD_BYTES))
        self.transport.write(bytes((0x81, 0x80 | PAYLOAD_BYTES)) + key + masked)


@contextmanager
def node(url: str, size: int = 0) -> Iterator[tuple[int, int]]:
    """A node's port and process id. `size`: messages that its rooms keep."""
    with tempfile.TemporaryDirectory() as folder:
        events = str(Path(folder, "events"))
        command = [sys.executable, "-m", "tests.e2e.cluster.node", url, events, "15", "", str(size)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().split()[0]), process.pid
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


async def measure(ports: list[int], processes: list[int], store: int, load: tuple[int, float, float]) -> list[float]:
    """One round: µs of nodes and store for a delivery, ms back to the speaker, ms to the last node: median and p99."""
    members, rate, seconds = load
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    for number in range(members):
        port = ports[number % len(ports)]
        listener = Listener(number in (0, members - 1))
        await loop.create_connection(lambda one=listener: one, "127.0.0.1", port)  # type: ignore[misc]
        await listener.opened
        listeners.append(listener)
    await asyncio.sleep(0.5)
    for listener in listeners:
        listener.received = 0
        listener.arrived.clear()
    before = [sum(map(cpu_seconds, processes)), cpu_seconds(store)]
    spoken: list[float] = []
    end = loop.time() + seconds
    while loop.time() < end:
        spoken.append(time.perf_counter())
        listeners[0].say()
        await asyncio.sleep(1 / rate)
    await asyncio.sleep(0.5)
    after = [sum(map(cpu_seconds, processes)), cpu_seconds(store)]
    deliveries = sum(listener.received // FRAME_BYTES for listener in listeners)
    assert deliveries == len(spoken) * members, "a delivery is missing"
    for listener in listeners:
        assert listener.transport is not None
        listener.transport.abort()
    back, far = ([b - a for a, b in zip(spoken, listeners[n].arrived, strict=True)] for n in (0, members - 1))
    p99 = sorted(far)[int(len(far) * 0.99)]
    used = [(b - a) / deliveries * 1e6 for a, b in zip(before, after, strict=True)]
    return [*used, statistics.median(back) * 1e3, statistics.median(far) * 1e3, p99 * 1e3]


def run(store: Valkey, load: tuple[int, float, float]) -> dict[str, Found]:
    """All rounds of all setups."""
    found = {name: Found() for name in SETUPS}
    for _ in range(ROUNDS):
        for name, (count, has_bus, size) in SETUPS.items():
            with ExitStack() as stack:
                nodes = [stack.enter_context(node(store.url if has_bus else "", size)) for _ in range(count)]
                ports, processes = [port for port, _ in nodes], [process for _, process in nodes]
                values = asyncio.run(measure(ports, processes, store.process_id, load))
            for row, value in zip(found[name].__dataclass_fields__, values, strict=True):
                getattr(found[name], row).append(value)
    return found


def main() -> None:
    """Measure and print."""
    given = [float(argument) for argument in sys.argv[1:]] + [200.0, 50.0, 4.0][len(sys.argv) - 1 :]
    load = int(given[0]), given[1], given[2]
    with valkey() as store:
        found = run(store, load)
    print(f"{load[0]} members, {load[1]:g} messages/s, {load[2]:g} s, {ROUNDS} rounds, medians (node CPU: least-most)")
    base = statistics.median(found["1 node"].node_us)
    heads = ("ratio", 7), ("spread", 14), ("store µs", 10), ("back ms", 9), ("far ms", 8), ("p99 ms", 8)
    print(f"{'setup':18}{'node CPU µs':>12}" + "".join(f"{head:>{width}}" for head, width in heads))
    for name, one in found.items():
        cpu, spread = statistics.median(one.node_us), f"{min(one.node_us):.1f}-{max(one.node_us):.1f}"
        rest = [statistics.median(values) for values in (one.store_us, one.back_ms, one.far_ms, one.far_p99_ms)]
        print(f"{name:18}{cpu:12.2f}{cpu / base:7.2f}{spread:>14}" + "{:10.2f}{:9.2f}{:8.2f}{:8.2f}".format(*rest))


if __name__ == "__main__":
    main()
