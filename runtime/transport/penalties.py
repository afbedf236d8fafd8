"""Bad news for those at fault: told at once as long as it is seldom, later when it is not.

Who breaks the protocol or a limit is told so and ended. Attackers who are ended at once come back at once, with a
handshake and a new allowance of messages, thousands of times a second. So when there are more of them than honest
mistakes make, the last words wait, the socket is not read meanwhile, and each attacker waits with it. The server is
done with such a connection: it is in no channel, and its `on_disconnect` has run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from runtime.transport.linger import part_with
from runtime.transport.rates import Bucket

if TYPE_CHECKING:
    from runtime.transport.wire import Wire

TOGETHER_SECONDS: Final = 0.005
"""Who is due within so much time is ended together: one timer for many."""


class Penalties:
    """Ends of a server's connections that are the other sides' fault. Mutable, one owner."""

    __slots__ = ("_bucket", "_timer", "_waiting", "_wire")

    def __init__(self, wire: Wire) -> None:
        limits = wire.limits
        self._wire = wire
        self._bucket = Bucket(limits.penalty_rate, limits.penalty_burst, wire.loop.time())
        self._waiting: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Connections that wait for their end."""
        return len(self._waiting)

    def postpone(self, transport: asyncio.Transport, last: bytes) -> bool:
        """Whether there are too many of them now. If so, the last words wait; its protocol hears nothing more."""
        wire = self._wire
        now = wire.loop.time()
        if self._bucket.take(now):
            return False
        wire.counters.reached("penalty_rate")
        if len(self._waiting) >= wire.limits.penalties:
            self._waiting.popleft().end(wire)
        self._waiting.append(_Waiting(transport, last, now + wire.limits.penalty_seconds))
        self._watch(now)
        return True

    def end_all(self) -> None:
        """Say all last words now."""
        while self._waiting:
            self._waiting.popleft().end(self._wire)

    def _watch(self, now: float) -> None:
        if self._timer is None and self._waiting:
            self._timer = self._wire.loop.call_later(self._waiting[0].until - now, self._end_due)

    def _end_due(self) -> None:
        self._timer = None
        now = self._wire.loop.time()
        while self._waiting and self._waiting[0].until <= now + TOGETHER_SECONDS:
            self._waiting.popleft().end(self._wire)
        self._watch(now)


class _Waiting(asyncio.Protocol):
    """A connection until its last words."""

    __slots__ = ("_last", "_transport", "until")

    def __init__(self, transport: asyncio.Transport, last: bytes, until: float) -> None:
        self._transport = transport
        self._last = last
        self.until = until
        transport.set_protocol(self)
        if transport.is_reading():
            transport.pause_reading()

    def end(self, wire: Wire) -> None:
        part_with(wire, self._transport, self._last)

    def pause_writing(self) -> None:
        """What is unsent may exceed the limit; how long that may stay is limited."""
