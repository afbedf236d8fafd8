"""What it costs that clients come back: `python -m tests.bench.recovery [CLIENTS] [MISSED]`.

A room keeps MISSED messages of 64 bytes; CLIENTS come back to one node at once and want all of them, once on a node
without a bus and once on one of two nodes with it, in turn. Beside them as many that say nothing of what they saw, so
that what connecting costs can be taken away. Printed: CPU of the node and of the store for each client and for each
message that it missed, and how long it took until the last of them had everything.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from contextlib import ExitStack
from urllib.parse import quote

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.bench.cluster import PAYLOAD_BYTES, cpu_seconds, node
from tests.runtime.bus.valkey import valkey

ROUNDS = 3
AT_ONCE = 100
"""Connections that are opened before the next ones are."""


class Back(asyncio.Protocol):
    """A client that comes back; `done` when it was told where it stands."""

    def __init__(self, query: str) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._query = query
        self._tail = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            f"GET /ws/room/bench{self._query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: worpen.v1\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._tail = self._tail[-64:] + data
        if not self.done.done() and (b'"recovered"' in self._tail or b'"joined"' in self._tail):
            self.done.set_result(None)


async def come(port: int, clients: int, query: str) -> float:
    """Have clients come, and leave when all were told; seconds from the first to the last."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    came: list[Back] = []
    for first in range(0, clients, AT_ONCE):
        number = min(AT_ONCE, clients - first)
        pairs = [loop.create_connection(lambda: Back(query), "127.0.0.1", port) for _ in range(number)]
        came += [client for _, client in await asyncio.gather(*pairs)]
    await asyncio.gather(*(client.done for client in came))
    seconds = time.perf_counter() - began
    for client in came:
        assert client.transport is not None
        client.transport.abort()
    return seconds


async def fill(port: int, messages: int) -> str:
    """Have a room keep messages; the epoch."""
    url = f"ws://127.0.0.1:{port}/ws/room/bench"
    async with connect(url, subprotocols=[Subprotocol("worpen.v1")], max_queue=None, compression=None) as speaker:
        await speaker.recv()
        epoch = str(json.loads(await speaker.recv())["epoch"])
        for _ in range(messages):
            await speaker.send("x" * PAYLOAD_BYTES)
            await speaker.recv()
        return epoch


async def measure(port: int, processes: list[int], clients: int, missed: int) -> list[float]:
    """Processor seconds of these processes for coming alone and for coming back, and how long that took."""
    epoch = await fill(port, missed)
    recover = "?recover=" + quote(json.dumps({"bench": [epoch, 0]}))
    found: list[float] = []
    for query in ("", recover):
        before = [cpu_seconds(process) for process in processes]
        seconds = await come(port, clients, query)
        await asyncio.sleep(0.3)
        found += [after - first for after, first in zip(map(cpu_seconds, processes), before, strict=True)]
        found.append(seconds)
    return found


def main() -> None:
    """Measure and print."""
    given = [int(argument) for argument in sys.argv[1:]]
    clients, missed = [*given, *[500, 200][len(given) :]]
    rows: dict[str, list[list[float]]] = {"1 node": [], "2 nodes, bus": []}
    with valkey() as store:
        for _ in range(ROUNDS):
            for name, found in rows.items():
                url, count = ("", 1) if name == "1 node" else (store.url, 2)
                with ExitStack() as stack:
                    nodes = [stack.enter_context(node(url, missed)) for _ in range(count)]
                    processes = [nodes[0][1], store.process_id]
                    found.append(asyncio.run(measure(nodes[0][0], processes, clients, missed)))
    print(f"{clients} clients come back at once and missed {missed} messages each; {ROUNDS} rounds, medians")
    heads = ("node µs/client", 16), ("µs/message", 12), ("store µs/client", 17), ("all back in s", 15), ("without", 10)
    print(f"{'setup':14}" + "".join(f"{head:>{width}}" for head, width in heads))
    for name, found in rows.items():
        come_node, come_store, come_s, back_node, back_store, back_s = (
            statistics.median(values) for values in zip(*found, strict=True)
        )
        node_us = (back_node - come_node) / clients * 1e6
        store_us = (back_store - come_store) / clients * 1e6
        print(f"{name:14}{node_us:16.0f}{node_us / missed:12.2f}{store_us:17.0f}{back_s:15.2f}{come_s:10.2f}")


if __name__ == "__main__":
    main()
