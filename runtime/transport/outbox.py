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
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Final, Protocol

from runtime.limits import WireLimits
from runtime.metrics import WireCounters
from runtime.transport.compression import Deflate
from runtime.transport.linger import reset

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
_BYTE: Final = 1 << 40
"""What a byte counts in `Member.fanned`; a message counts 1."""


class Sink(Protocol):
    """Where frames go: a transport."""

    def write(self, data: bytes, /) -> None:
        """Take these bytes; never waits."""


class _Nowhere:
    """Where a connection that has ended writes."""

    __slots__ = ()

    def write(self, data: bytes, /) -> None:
        """Forget them."""


NOWHERE: Final = _Nowhere()


def kernel_queue(transport: asyncio.BaseTransport) -> int:
    """Bytes in the kernel that the other side has not acknowledged; 0 where that cannot be asked."""
    if fcntl is None:
        return 0
    try:
        answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


class Member:
    """What a fan-out touches of a connection.

    Of each of many members all of it is in no cache when its turn comes. So it is little, and it lies together: a
    class's slots come before those of its subclasses. There is no method bound to the transport, and one counter for
    two things.
    """

    __slots__ = ("deflate", "fanned", "pending", "sink")

    sink: Sink
    """Where frames go: the transport, while there is one to write to."""

    def __init__(self) -> None:
        self.sink = NOWHERE
        self.deflate: Deflate | None = None
        """What compresses frames, where that was agreed on."""
        self.pending: bytes | list[bytes] | tuple[bytes, ...] | None = None
        """Frames not yet handed to the transport: one that was sent, or a list; or a tuple of broadcasts, which all
        share who wait for the same ones, and which are counted when they leave it."""
        self.fanned = 0
        """Frames of broadcasts, and, times `_BYTE`, the bytes that fan-outs have handed to the transport."""


class Outbox(Member):
    """The writing half of a connection. `transport` and `sink` are set when it opens."""

    __slots__ = ("_progress_at", "_taken", "corked", "handed", "pending_bytes", "sent", "transport")

    transport: asyncio.Transport

    def __init__(self) -> None:
        super().__init__()
        self.pending_bytes = 0
        """How long pending frames are together, where they are a list."""
        self.corked = False
        self.handed = 0
        """Bytes handed to the transport, but for those in `fanned`."""
        self.sent = 0
        """Frames sent by `send`."""
        self._taken = 0
        self._progress_at = 0.0

    @property
    def queued_bytes(self) -> int:
        """Bytes sent that the kernel has not taken yet."""
        if self.sink is NOWHERE:
            return 0
        pending = self.pending
        waiting = 0 if pending is None else len(pending) if isinstance(pending, bytes) else sum(map(len, pending))
        return self.transport.get_write_buffer_size() + waiting

    @property
    def messages_out(self) -> int:
        """Messages that left for it, by `send` and by broadcasts."""
        broadcasts = self.fanned % _BYTE
        return self.sent + broadcasts + (len(self.pending) if isinstance(self.pending, tuple) else 0)

    @property
    def bytes_out(self) -> int:
        """Bytes handed to the transport."""
        return self.handed + self.fanned // _BYTE

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
                self.sink.write(frame)
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
            return
        if isinstance(pending, tuple):
            self.fanned += len(pending)
            self.pending = [*pending, frame]
            self.pending_bytes = sum(map(len, self.pending))
        else:
            self.pending = [pending, frame]
            self.pending_bytes = len(pending) + len(frame)

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Send these frames, as few writes as possible."""
        if frames and self.corked and self.deflate is None:
            # Answers to one piece of input: joined at once, they are as good as one.
            joined = b"".join(frames)
            self.send(joined)
            self.sent += len(frames) - 1
            if len(joined) > JOINED_BYTES:
                self.flush()
            return
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
            if isinstance(pending, tuple):
                self.fanned += len(pending)
            self.pending = None
            self.handed += len(joined)
            self.sink.write(joined)

    def silence(self) -> None:
        """Write nothing more, ever."""
        self.sink = NOWHERE
        self.pending = None

    def is_stalled(self, now: float, patience: float) -> bool:
        """Whether bytes wait and none was taken for `patience` seconds; to be asked now and then."""
        waiting = self.transport.get_write_buffer_size()
        # The kernel takes megabytes at a time: what a slow reader acknowledges shows earlier in the kernel's queue.
        taken = self.bytes_out - waiting - (kernel_queue(self.transport) if waiting else 0)
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
        self._queue: list[Outbox] = []
        self._scheduled = False

    def publish(self, members: Iterable[Outbox], frame: bytes, exclude: Outbox | None = None) -> int:
        """Send `frame` to each member but `exclude`; return how many those are. `members` is not kept.

        The frame is pending when this returns, so members may come and go at once. Cost: O(members), without a copy.
        """
        plain, alone = frame, (frame,)
        # Members of one channel mostly wait for the same frames: they share one tuple of them.
        before: tuple[bytes, ...] | None = None
        after: tuple[bytes, ...] = ()
        together = 0
        queue = self._queue
        most = self._limits.unsent_bytes
        count = 0
        for member in members:
            if member is exclude:
                continue
            count += 1
            if member.deflate is not None or frame is not plain:
                wanted = plain if member.deflate is None else member.deflate.compressed(plain)
                if wanted is not frame:
                    frame, alone, before = wanted, (wanted,), None
            pending = member.pending
            if pending is None:
                member.pending = alone
                queue.append(member)
            elif pending is before or (isinstance(pending, tuple) and len(pending) < SHARED_FRAMES):
                if pending is not before:
                    before, after = pending, (*pending, frame)
                    together = sum(map(len, after))
                member.pending = after
                if together > most:
                    member.flush()
            else:
                member.collect(frame)
                member.fanned += 1
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
        end = monotonic() + self._limits.fan_out_seconds
        last: tuple[bytes, ...] = ()
        joined = b""
        told = 0
        begin = 0
        while begin < len(queue) and begin < most and (not begin or monotonic() < end):
            share = queue[begin : min(begin + _CLOCK_EVERY, most)]
            begin += len(share)
            for member in share:
                pending = member.pending
                if pending is not last:
                    if not isinstance(pending, tuple):
                        self._flush(member)
                        continue
                    # Those who wait for the same frames share one joined copy.
                    if pending != last:
                        joined = b"".join(pending)
                        told = len(joined) * _BYTE + len(pending)
                    last = pending
                # `flush`, written out.
                member.pending = None
                member.fanned += told
                try:
                    member.sink.write(joined)
                except Exception as exception:
                    self._give_up(member, exception)
        del queue[:begin]
        self._scheduled = bool(queue)
        if queue:
            self._loop.call_soon(self._drain)

    def _flush(self, member: Outbox) -> None:
        """Write what is pending for one who waits for more than broadcasts, if a direct send was not earlier."""
        try:
            member.flush()
        except Exception as exception:
            self._give_up(member, exception)

    def _give_up(self, member: Outbox, exception: Exception) -> None:
        """A write failed, which no transport should let happen: the others go on."""
        member.silence()
        reset(member.transport)
        self._loop.call_exception_handler({"message": "a write failed", "exception": exception})
