"""The last act of a TCP connection: let the last bytes leave, and discard what still comes.

A socket that is closed while input waits in the kernel sends a reset, and a reset can destroy bytes on their way: the
close frame, or the page with the refusal, would not arrive. So only our half is closed at first, and input is read
and thrown away until the other side ends too, or until its time is over.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Final

from runtime.transport.wheel import Spoke

if TYPE_CHECKING:
    from runtime.transport.wire import Wire

_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""`struct linger`: close by a reset, and wait for nothing."""


class Linger(asyncio.Protocol):
    """Takes over a transport whose last bytes are written."""

    __slots__ = ("_deadline", "_lane", "_spoke", "_transport")

    def __init__(self, wire: Wire, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._deadline = wire.loop.time() + wire.limits.close_seconds
        self._lane = wire.lane
        self._spoke: Spoke = wire.wheel.add(self)

    def tick(self, now: float) -> None:
        """Drop the connection when its time is over."""
        if now >= self._deadline:
            reset(self._transport)

    def settle(self) -> None:
        """Nothing is counted here."""

    def data_received(self, data: bytes) -> None:
        """Discard it, and read on when others have had their turn: a flood goes on when its sender was ended."""
        self._transport.pause_reading()
        self._lane.add(self._read_on)

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """The last bytes may exceed the limit; the deadline bounds them."""

    def connection_lost(self, exc: Exception | None) -> None:
        """All has left, or never will."""
        self._spoke.discard(self)


def reset(transport: asyncio.Transport) -> None:
    """End a TCP connection without a word. What it has not taken is thrown away, by the kernel too.

    The kernel would try for minutes to deliver what a client that reads nothing has left there, megabytes of it, and
    nobody counts those. `abort` alone only drops what the transport has.
    """
    socket = transport.get_extra_info("socket")
    if socket is not None and not transport.is_closing():
        with suppress(OSError):
            socket.setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)
    transport.abort()


def part_with(wire: Wire, transport: asyncio.Transport, last: bytes = b"", *, at_fault: bool = False) -> None:
    """Say the last words and end a connection in good order; its protocol hears nothing more.

    Where the other side is at fault that may be later: see `Penalties`.
    """
    if transport.is_closing() or (at_fault and wire.penalties.postpone(transport, last)):
        return
    if last:
        transport.write(last)
        if transport.is_closing():  # that failed, or was too much
            return
    transport.set_protocol(Linger(wire, transport))
    if not transport.can_write_eof():  # TLS
        transport.close()
        return
    try:
        transport.write_eof()
    except OSError:  # the other side is gone, and asyncio's own loop has not noticed yet
        transport.abort()
        return
    if not transport.is_reading():
        transport.resume_reading()
