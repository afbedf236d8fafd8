"""What leaves a connection: order, joining, and what becomes of a connection that does not take it.

A frame is written at once, unless the connection is *corked* (its input is being parsed: all answers leave in one write
afterwards) or a broadcast of this turn of the loop still waits for it (then the frame joins it). So a connection's
frames keep the order in which they were sent, whoever sent them, and each turn costs a connection one write.

    send, uncorked, nothing pending      → written
    send, corked                         → pending, written by `flush` at the end of the piece of input
    send, uncorked, something pending    → joined to it, written
    publish                              → pending, written by FanOut on the next turn, some members at a time

Nobody ever waits: what the kernel does not take is buffered by the transport up to a limit, and beyond it the
connection is aborted (`pause_writing` fires inside `write`, perhaps amid a fan-out, so nothing else is done there).
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from runtime.limits import WireLimits
from runtime.metrics import WireCounters
from runtime.transport.compression import Deflate

try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

JOINED_BYTES: Final = 64 * 1024
"""Pending answers of a corked connection are written when they are more than this."""
SHARED_FRAMES: Final = 32
"""Longer tuples are not shared but kept as lists, which grow without a copy."""
_CLOCK_EVERY: Final = 16
"""Writes of a fan-out between two looks at the clock."""


def nowhere(_: bytes) -> None:
    """Where a connection that has ended writes."""


def kernel_queue(transport: asyncio.BaseTransport) -> int:
    """Bytes in the kernel that the other side has not acknowledged; 0 where that cannot be asked."""
    if fcntl is None:
        return 0
    try:
        answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


class Outbox:
    """The writing half of a connection. `transport` and `write` are set when it opens."""

    __slots__ = (
        "_progress_at",
        "_taken",
        "corked",
        "deflate",
        "handed",
        "pending",
        "pending_bytes",
        "published",
        "sent",
        "transport",
        "write",
    )

    transport: asyncio.Transport
    write: Callable[[bytes], None]

    def __init__(self) -> None:
        self.write = nowhere
        self.pending: bytes | list[bytes] | tuple[bytes, ...] | None = None
        """Frames not yet handed to the transport: mostly one. A tuple is shared by all who wait for the same
        broadcasts."""
        self.pending_bytes = 0
        """How long they are together, where they are more than one."""
        self.corked = False
        self.deflate: Deflate | None = None
        """What compresses frames, where that was agreed on."""
        self.handed = 0
        """Bytes handed to the transport."""
        self.sent = 0
        """Frames sent by `send`."""
        self.published = 0
        """Frames of broadcasts to it."""
        self._taken = 0
        self._progress_at = 0.0

    @property
    def queued_bytes(self) -> int:
        """Bytes sent that the kernel has not taken yet."""
        if self.write is nowhere:
            return 0
        pending = self.pending
        waiting = 0 if pending is None else len(pending) if isinstance(pending, bytes) else self.pending_bytes
        return self.transport.get_write_buffer_size() + waiting

    def send(self, frame: bytes) -> None:
        """Write an encoded frame after all that was sent or published before."""
        self.sent += 1
        if self.deflate is not None:
            frame = self.deflate.compressed(frame)
        pending = self.pending
        if pending is None:
            if self.corked:
                self.pending = frame
            else:
                self.handed += len(frame)
                write = self.write
                write(frame)
            return
        if pending.__class__ is list:  # `collect`, written out: most of many answers to one piece of input
            pending.append(frame)
            self.pending_bytes += len(frame)
        else:
            self.collect(frame)
        if self.pending_bytes > JOINED_BYTES or not self.corked:
            self.flush()

    def collect(self, frame: bytes) -> None:
        """Put a frame behind those that are pending, in a list of its own."""
        pending = self.pending
        assert pending is not None
        if isinstance(pending, list):
            pending.append(frame)
            self.pending_bytes += len(frame)
        else:
            self.pending = [pending, frame] if isinstance(pending, bytes) else [*pending, frame]
            self.pending_bytes = sum(map(len, self.pending))

    def send_all(self, frames: Iterable[bytes]) -> None:
        """Send these frames, as few writes as possible."""
        was_corked, self.corked = self.corked, True
        for frame in frames:
            self.send(frame)
        self.corked = was_corked
        if not was_corked:
            self.flush()

    def flush(self) -> None:
        """Write what is pending, as one."""
        pending = self.pending
        if pending is not None:
            joined = pending if isinstance(pending, bytes) else b"".join(pending)
            self.pending = None
            self.handed += len(joined)
            self.write(joined)

    def silence(self) -> None:
        """Write nothing more, ever."""
        self.write = nowhere
        self.pending = None

    def is_stalled(self, now: float, patience: float) -> bool:
        """Whether bytes wait and none was taken for `patience` seconds; to be asked now and then."""
        waiting = self.transport.get_write_buffer_size()
        # The kernel takes megabytes at a time: what a slow reader acknowledges shows earlier in the kernel's queue.
        taken = self.handed - waiting - (kernel_queue(self.transport) if waiting else 0)
        if not waiting or taken != self._taken:
            self._taken = taken
            self._progress_at = now
        return now - self._progress_at > patience


class FanOut:
    """Sends one frame to many. Frames of one turn of the loop to a connection leave in one write."""

    __slots__ = ("_counters", "_limits", "_loop", "_queue", "_scheduled")

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: WireLimits, counters: WireCounters) -> None:
        self._loop = loop
        self._limits = limits
        self._counters = counters
        self._queue: deque[Outbox] = deque()
        self._scheduled = False

    def publish(self, members: Iterable[Outbox], frame: bytes, exclude: Outbox | None = None) -> int:
        """Send `frame` to each member but `exclude`; return how many those are. `members` is not kept.

        The frame is pending when this returns, so members may come and go at once. Cost: O(members), without a copy.
        """
        plain = frame
        # Members of one channel mostly wait for the same frames: they share one tuple of them.
        before: bytes | tuple[bytes, ...] | None = None
        after: tuple[bytes, ...] = ()
        together = 0
        queue = self._queue
        most = self._limits.unsent_bytes
        count = 0
        for member in members:
            if member is exclude:
                continue
            count += 1
            member.published += 1
            wanted = plain if member.deflate is None else member.deflate.compressed(plain)
            if wanted is not frame:
                frame, before = wanted, None
            pending = member.pending
            if pending is None:
                member.pending = frame
                queue.append(member)
                continue
            if pending is before:
                member.pending = after
                member.pending_bytes = together
            elif isinstance(pending, list) or (isinstance(pending, tuple) and len(pending) >= SHARED_FRAMES):
                member.collect(frame)
            else:
                before = pending
                member.pending = after = (pending, frame) if isinstance(pending, bytes) else (*pending, frame)
                member.pending_bytes = together = sum(map(len, after))
            if member.pending_bytes > most:
                member.flush()
        if queue and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._drain)
        self._counters.deliveries += count
        return count

    def _drain(self) -> None:
        """Write to those who have something pending, until a turn's share of members or time is used up."""
        queue = self._queue
        most = self._limits.fan_out_members
        written = 0
        end = monotonic() + self._limits.fan_out_seconds
        last: bytes | list[bytes] | tuple[bytes, ...] = b""
        joined = b""
        while queue and written < most and (not written or written % _CLOCK_EVERY or monotonic() < end):
            member = queue.popleft()
            pending = member.pending
            if pending is None:
                continue  # a direct send, or the end of its own input, was earlier
            written += 1
            # Those who wait for the same frames share one joined copy.
            if pending is not last and pending != last:
                last = pending
                joined = pending if isinstance(pending, bytes) else b"".join(pending)
            # `flush`, written out.
            member.pending = None
            member.handed += len(joined)
            try:
                write = member.write
                write(joined)
            except Exception as exception:
                self._give_up(member, exception)
        self._scheduled = bool(queue)
        if queue:
            self._loop.call_soon(self._drain)

    def _give_up(self, member: Outbox, exception: Exception) -> None:
        """A write failed, which no transport should let happen: the others go on."""
        member.silence()
        member.transport.abort()
        self._loop.call_exception_handler({"message": "a write failed", "exception": exception})
