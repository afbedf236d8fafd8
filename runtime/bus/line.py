"""The way to the store: commands leave in order, those of one turn of the loop in one write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from redis.asyncio.connection import Connection

Then: TypeAlias = "int | Callable[[Any], None]"
"""What is done with an answer: see `Line.asked`."""


class Line:
    """The commands of one connection, in order, those of one turn of the loop in one write."""

    def __init__(self, connection: Connection) -> None:
        self.asked: deque[Then] = deque()
        """For each command without an answer: the number of the message that it publishes, 0 for another one, or what
        takes the answer, None where the store refuses."""
        self._connection = connection
        self._queue: list[bytes] = []
        self._wake = asyncio.Event()
        self._ended = ""

    def command(self, then: Then, *parts: bytes) -> None:
        """Give a command."""
        self.asked.append(then)
        self._queue.append(b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]))
        self._wake.set()

    def end(self, reason: str) -> None:
        """Write nothing more."""
        self._ended = reason
        self._wake.set()

    async def write(self) -> None:
        """Write commands as they come. Raises ConnectionError at the end."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._ended:
                raise ConnectionError(self._ended)
            queue, self._queue = self._queue, []
            await self._connection.send_packed_command(b"".join(queue), check_health=False)
