"""Where a server listens, and how fast it takes who comes.

A connection that is taken costs a handshake, or its refusal: tens of microseconds of the only thread. Thousands who
come at once would keep everybody else waiting, so beyond a burst they are taken at a pace. Until then they wait in the
kernel's queue, where they cost nothing; when that is full, the kernel has them try again after a second.

Event loops cannot be asked to stop accepting, so for a pause the loop's server is closed. The sockets themselves stay,
and with them their queues: the loop only ever has duplicates. asyncio's own loop loses connections by that, and takes
all who come.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from runtime.transport.handshake import Handshake
from runtime.transport.rates import Bucket
from runtime.transport.wire import Wire

BACKLOG: Final = 2048
"""Connections that wait in the kernel's queue, as far as the system allows."""
TAKEN_PER_ACCEPTED: Final = 1.25
"""So many connections are taken for each handshake that may be accepted: the others are for probes, and for who has to
be told to come back later."""
LEAST_TAKEN: Final = 200
"""So many are taken a second, and at once, however few may be accepted: it is not them who make others wait."""
PAUSE_SECONDS: Final = 0.002
"""At the pace's limit: long enough for a token, so that others have their turn between any two connections."""
TRY_AGAIN_SECONDS: Final = 0.1


class Acceptor:
    """The listening sockets of a server. Mutable, one owner, belongs to one running loop."""

    def __init__(self, wire: Wire, rate: float = 0.0, burst: int = 0) -> None:
        """`rate`, `burst`: handshakes that may be accepted a second, and at once; a rate of 0 takes all who come."""
        self._wire = wire
        is_paced = rate > 0 and not isinstance(wire.loop, asyncio.BaseEventLoop)
        pace = max(rate * TAKEN_PER_ACCEPTED, LEAST_TAKEN) if is_paced else 0.0
        self._bucket = Bucket(pace, max(burst, LEAST_TAKEN), wire.loop.time())
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._resuming: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each socket."""
        return tuple((str(name[0]), int(name[1])) for name in (each.getsockname() for each in self._sockets))

    @property
    def is_paused(self) -> bool:
        """Whether who comes has to wait."""
        return self._timer is not None

    async def open(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen on all addresses of a host as well; port 0 is a free one. Raises OSError."""
        server = await self._wire.loop.create_server(
            self._greet, host, port, backlog=BACKLOG, reuse_port=reuse_port or None
        )
        self._servers.append(server)
        self._sockets += [socket.fromfd(each.fileno(), each.family, each.type) for each in server.sockets]

    def close(self) -> None:
        """Listen no longer; who waits in the kernel's queues is refused by it."""
        for waiting in (self._timer, self._resuming):
            if waiting is not None:
                waiting.cancel()
        self._timer = None
        self._stop_taking()
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    def _greet(self) -> Handshake:
        loop = self._wire.loop
        if not self._bucket.take(loop.time()) and self._timer is None:
            self._timer = loop.call_later(PAUSE_SECONDS, self._resume)
            loop.call_soon(self._stop_taking)  # not before the connection that is being taken has been
        return Handshake(self._wire)

    def _stop_taking(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _resume(self) -> None:
        self._timer = None
        self._resuming = self._wire.loop.create_task(self._take_again())

    async def _take_again(self) -> None:
        self._stop_taking()  # what a pause came too late for that began while this waited
        for each in self._sockets:
            try:
                server = await self._wire.loop.create_server(self._greet, sock=each.dup(), backlog=BACKLOG)
            except OSError:  # no file can be opened now
                self._timer = self._timer or self._wire.loop.call_later(TRY_AGAIN_SECONDS, self._resume)
                return
            self._servers.append(server)
