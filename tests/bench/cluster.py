"""What the bus adds: `python -m tests.bench.cluster [ROUNDS [SECONDS]]`.

One room, one speaker, many listeners: on one node without a bus, on one with it, on two, and on two where the room
keeps its messages (`history`). Nodes and store are pinned to one core, the clients to another one. Setups alternate
within a round, and a ratio is the median of the rounds' own ratios, so that other work on the machine weighs on both
sides. Printed for each room: CPU µs of the nodes and of the store for one delivery, what they are beside one node, and
how long a message takes back to the speaker and to the last node. Then the same with a speaker that waits for nothing:
how many deliveries a second were made, and how many one core makes.
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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT
from tests.runtime.bus.valkey import Valkey, valkey

PAYLOAD_BYTES = 64
FRAME_BYTES = PAYLOAD_BYTES + 2
SETUPS = {
    "1 node": (1, False, 0),
    "1 node, bus": (1, True, 0),
    "2 nodes, bus": (2, True, 0),
    "2 nodes, history": (2, True, 100),
}
"""Nodes, whether there is a bus, messages that a room keeps."""
ROOMS = {20: 100.0, 200: 50.0, 1000: 10.0}
"""Members, and messages a second."""
BUSY_ROOM = 200
IN_FLIGHT = (1, 32)
"""Messages that a speaker in a hurry has under way: alone, and so many that they are joined."""
SETTLE_SECONDS = 0.5
HANDSHAKE = (
    "GET /ws/room/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(slots=True)
class Found:
    """What one round of one setup took: CPU µs for a delivery, milliseconds, and deliveries a second."""

    node_us: float
    store_us: float
    back_ms: float
    far_ms: float
    rate: float


def cpu_seconds(process_id: int) -> float:
    """Processor time that a process has used, all its threads together, by the scheduler's own clock."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


CORES = sorted(os.sched_getaffinity(0))


def pin(process_id: int, core: int) -> None:
    """Keep a process on one of the cores, where there are so many."""
    os.sched_setaffinity(process_id, {CORES[core % len(CORES)]})


class Listener(asyncio.Protocol):
    """Counts what comes, without looking at it; `arrived` has the moments, where they are wanted."""

    def __init__(self, is_timed: bool = False) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = 0
        self.is_timed = is_timed
        self.is_hurried = False
        """Whether each message that comes is answered by the next."""
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
        came = self.received // FRAME_BYTES - before
        if self.is_timed:
            self.arrived += [time.perf_counter()] * came
        if self.is_hurried:
            self.say(came)

    def say(self, messages: int = 1) -> None:
        """Send messages."""
        assert self.transport is not None
        key = random.randbytes(4)
        masked = bytes(byte ^ key[place % 4] for place, byte in enumerate(b"x" * PAYLOAD_BYTES))
        self.transport.write((bytes((0x81, 0x80 | PAYLOAD_BYTES)) + key + masked) * messages)


@contextmanager
def node(url: str, size: int = 0, core: int | None = None) -> Iterator[tuple[int, int]]:
    """A node's port and process id. `size`: messages that its rooms keep; `core`: the one it is kept on."""
    with tempfile.TemporaryDirectory() as folder:
        events = str(Path(folder, "events"))
        command = [sys.executable, "-m", "tests.e2e.cluster.node", url, events, "15", "", str(size)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        assert process.stdout is not None
        try:
            if core is not None:
                pin(process.pid, core)
            yield int(process.stdout.readline().split()[0]), process.pid
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@dataclass(frozen=True, slots=True)
class Load:
    """A room, and how its speaker talks: so many messages a second, or always so many under way."""

    members: int
    seconds: float
    rate: float = 0.0
    in_flight: int = 0

    def __str__(self) -> str:
        often = f"{self.rate:g} messages/s" if self.rate else f"always {self.in_flight} under way"
        return f"{self.members} members, {often}"


async def talk(speaker: Listener, load: Load) -> list[float]:
    """Say something so often, for so long; when each message of a given rate left."""
    loop = asyncio.get_running_loop()
    spoken: list[float] = []
    if load.in_flight:
        speaker.is_hurried = True
        speaker.say(load.in_flight)
        await asyncio.sleep(load.seconds)
        speaker.is_hurried = False
    end = loop.time() + load.seconds
    while load.rate and loop.time() < end:
        spoken.append(time.perf_counter())
        speaker.say()
        await asyncio.sleep(1 / load.rate)
    return spoken


async def quiet(listeners: Sequence[Listener]) -> None:
    """Return when nothing has come for a while."""
    before = -1
    while before != (now := sum(listener.received for listener in listeners)):
        before = now
        await asyncio.sleep(SETTLE_SECONDS)


async def measure(ports: Sequence[int], processes: Sequence[int], store: int, load: Load) -> Found:
    """One round of one setup."""
    loop, members, rate = asyncio.get_running_loop(), load.members, load.rate
    listeners: list[Listener] = []
    for number in range(members):
        port = ports[number % len(ports)]
        listener = Listener(bool(rate) and number in (0, members - 1))
        await loop.create_connection(lambda one=listener: one, "127.0.0.1", port)  # type: ignore[misc]
        await listener.opened
        listeners.append(listener)
    await asyncio.sleep(SETTLE_SECONDS)
    for listener in listeners:
        listener.received = 0
        listener.arrived.clear()
    before, began = [sum(map(cpu_seconds, processes)), cpu_seconds(store)], loop.time()
    spoken = await talk(listeners[0], load)
    took = loop.time() - began
    await quiet(listeners)
    after = [sum(map(cpu_seconds, processes)), cpu_seconds(store)]
    received = [listener.received // FRAME_BYTES for listener in listeners]
    assert len(set(received)) == 1, f"a delivery is missing: {sorted(set(received))}"
    assert not rate or received[0] == len(spoken), "a message is missing"
    for listener in listeners:
        assert listener.transport is not None
        listener.transport.abort()
    deliveries = sum(received)
    delays = ([b - a for a, b in zip(spoken, listeners[n].arrived, strict=True)] for n in (0, members - 1))
    back, far = (statistics.median(delay) * 1e3 if delay else 0.0 for delay in delays)
    node_us, store_us = ((b - a) / deliveries * 1e6 for a, b in zip(before, after, strict=True))
    return Found(node_us, store_us, back, far, deliveries / took)


def run(store: Valkey, rounds: int, load: Load) -> dict[str, list[Found]]:
    """All rounds of all setups, which take turns in beginning."""
    found: dict[str, list[Found]] = {name: [] for name in SETUPS}
    names = list(SETUPS)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            count, has_bus, size = SETUPS[name]
            with ExitStack() as stack:
                nodes = [stack.enter_context(node(store.url if has_bus else "", size, 1)) for _ in range(count)]
                ports, processes = [port for port, _ in nodes], [process for _, process in nodes]
                values = asyncio.run(measure(ports, processes, store.process_id, load))
            found[name].append(values)
    return found


def ratio(ones: Sequence[float], others: Sequence[float]) -> str:
    """Median of the rounds' ratios, and the least and the most of them."""
    each = [one / other for one, other in zip(ones, others, strict=True)]
    return f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})"


def show(found: dict[str, list[Found]], *, is_hurried: bool) -> None:
    """A line for each setup."""
    base = [one.node_us for one in found["1 node"]]
    heads = ("node µs", 9), ("store µs", 10), ("ratio", 20), ("with the store", 20)
    rest = (("deliveries/s", 14), ("of one core", 13)) if is_hurried else (("back ms", 9), ("far ms", 8))
    print(f"{'':18}" + "".join(f"{head:>{width}}" for head, width in (*heads, *rest)))
    for name, ones in found.items():
        node_us, store_us, back, far, rate = (
            statistics.median([getattr(one, field) for one in ones]) for field in Found.__dataclass_fields__
        )
        nodes = [one.node_us for one in ones]
        # What the store does for nobody is not what the bus costs.
        both = [one.node_us + one.store_us - idle.store_us for one, idle in zip(ones, found["1 node"], strict=True)]
        line = f"{name:18}{node_us:9.2f}{store_us:10.2f}{ratio(nodes, base):>20}{ratio(both, base):>20}"
        print(line + (f"{rate:14,.0f}{1e6 / node_us:13,.0f}" if is_hurried else f"{back:9.2f}{far:8.2f}"), flush=True)


def main() -> None:
    """Measure and print."""
    given = [float(argument) for argument in sys.argv[1:]] + [5, 4.0][len(sys.argv) - 1 :]
    rounds, seconds = int(given[0]), given[1]
    pin(0, 0)
    loads = [Load(members, seconds, rate) for members, rate in ROOMS.items()]
    loads += [Load(BUSY_ROOM, seconds, in_flight=number) for number in IN_FLIGHT]
    with valkey() as store:
        pin(store.process_id, 1)
        for load in loads:
            print(f"\n{load}; {rounds} rounds of {seconds:g} s, medians (least-most)")
            show(run(store, rounds, load), is_hurried=not load.rate)


if __name__ == "__main__":
    main()
