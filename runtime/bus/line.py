"""The way to the store and back: commands leave in order, those of one turn of the loop in one write.

What comes is handed on where it arrives, without a task that wakes up for it: where messages come one by one, that is
most of what they cost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from redis.asyncio.connection import Connection

from runtime.bus.resp import Decoder

Then: TypeAlias = "int | Callable[[Any], None]"
"""What is done with an answer: see `Line.asked`."""


class Line(asyncio.Protocol):
    """One connection, which the library has opened and this takes over."""

    def __init__(self, hear: Callable[[bytes, bytes], None], answered: Callable[[Then, Any], None]) -> None:
        """`hear` takes the topic and the content of each message, `answered` what was asked and each answer, in the
        order in which they come. What they raise ends the line."""
        self.asked: deque[Then] = deque()
        """For each command without an answer: the number of the message that it publishes, 0 for another one, or what
        takes the answer, None where the store refuses."""
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Raises what ended it."""
        self._hear = hear
        self._answered = answered
        self._decoder = Decoder()
        self._queue: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def take_over(self, connection: Connection) -> None:
        """Speak on this connection. The library needs longer for a message than all the rest of a node."""
        streams: Any = connection
        self._transport = streams._writer.transport
        assert self._transport is not None
        self._transport.set_protocol(self)
        if early := bytes(streams._reader._buffer):
            self.data_received(early)
        if streams._reader.at_eof():
            self.connection_lost(None)
        if streams._reader._paused:
            self._transport.resume_reading()

    def command(self, then: Then, *parts: bytes) -> None:
        """Give a command."""
        self.asked.append(then)
        if not self._queue:
            self._loop.call_soon(self.flush)
        self._queue.append(b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]))

    def end(self, reason: str) -> None:
        """Write nothing more, and hear nothing."""
        self._fail(ConnectionError(reason))

    def _fail(self, problem: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(problem)

    def flush(self) -> None:
        """Have all commands leave now, before anything else happens here."""
        queue, self._queue = self._queue, []
        if queue and self._transport is not None and not self.ended.done():
            self._transport.write(b"".join(queue))

    # What the transport tells.

    def data_received(self, data: bytes) -> None:
        """Something came."""
        try:
            for answer in self._decoder.feed(data):
                if self.ended.done():
                    return
                if answer.__class__ is list and answer[0] == b"message":
                    self._hear(answer[1], answer[2])
                else:
                    self._answered(self.asked.popleft(), answer)
        except Exception as problem:
            self._fail(problem)

    def connection_lost(self, exc: Exception | None) -> None:
        """The store is gone, or we left."""
        self._fail(exc or ConnectionError("it closed the connection"))
