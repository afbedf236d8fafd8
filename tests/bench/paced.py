"""A load of so many messages a second over many connections, each answered by one frame: in this process, on asyncio.

Nothing queues at a server that keeps up, so what it spends on a message is what it spends when it is not hurried.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, cast

from tests.bench.pairs import Spent, spent

STEP: Final = 0.01
"""Seconds between two bursts."""
REST: Final = 0.05
"""Seconds between two looks whether the last answers are there."""
PATIENCE: Final = 5.0
TEXT: Final = b"0123456789abcdef"
FRAME: Final = bytes([0x81, 0x80 | len(TEXT)]) + bytes(4) + TEXT
ANSWER_BYTES: Final = 2 + len(TEXT)


def _ignore(_: int) -> None:
    """Waits for no answer."""


class Client(asyncio.Protocol):
    """One connection that counts the bytes of its answers."""

    def __init__(self, path: str) -> None:
        self.is_open = asyncio.get_running_loop().create_future()
        self.received = 0
        self.heard: Callable[[int], None] = _ignore
        """Called with the number of bytes of answers that came."""
        self._path = path

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the route."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """The answer to the handshake, then those to messages."""
        if self.is_open.done():
            self.received += len(data)
            self.heard(len(data))
        elif data.startswith(b"HTTP/1.1 101"):
            self.is_open.set_result(None)
        else:
            self.is_open.set_exception(ConnectionError(data[:200].decode(errors="replace")))


async def connected(port: int, paths: Iterable[str]) -> list[Client]:
    """A connection to each of these paths. Raises ConnectionError where one is refused."""
    clients = []
    for path in paths:
        _, client = await asyncio.get_running_loop().create_connection(partial(Client, path), "127.0.0.1", port)
        await client.is_open
        clients.append(client)
    return clients


class Turn:
    """What one turn found."""

    def __init__(self, answered: float, seconds: float, cost: Spent) -> None:
        self.rate = answered / seconds
        """Messages answered a second."""
        self.microseconds = cost.ran / answered * 1e6
        """CPU time of the server for one of them."""
        self.busy = cost.ran / seconds
        """Share of a core that the server had."""
        self.disturbed = cost.waited / seconds
        """Share of the time in which the server was kept waiting for its core."""


async def turn(clients: Sequence[Client], process: int, rate: float, seconds: float) -> Turn:
    """Send at this rate for so long, by all clients in turn. Raises AssertionError where answers are missing."""
    heard, before, began = answers(clients), spent(process), time.perf_counter()
    sent, steps = 0, round(seconds / STEP)
    for step in range(1, steps + 1):
        due = int(step * STEP * rate)
        for number in range(sent, due):
            clients[number % len(clients)].transport.write(FRAME)
        sent = due
        await asyncio.sleep(began + step * STEP - time.perf_counter())
    took = time.perf_counter() - began
    await asyncio.sleep(REST)
    while (answered := answers(clients) - heard) < sent:
        if time.perf_counter() - began > seconds + PATIENCE:
            gone = sum(client.transport.is_closing() for client in clients)
            raise AssertionError(f"{sent} messages got {answered:g} answers; {gone} of {len(clients)} clients are gone")
        await asyncio.sleep(REST)
    return Turn(answered, took, spent(process) - before)


def answers(clients: Sequence[Client]) -> float:
    """How many frames they have received."""
    return sum(client.received for client in clients) / ANSWER_BYTES
