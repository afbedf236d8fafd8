"""Messages of channels on their way out, where some client may come back and ask for them.

A node has one `Recall`. It keeps what channels with a history are sent, wraps what goes to clients that speak
`worpen.v1`, and tells them where they stand. Where nothing is kept and nobody speaks it, it is not `busy`, and costs
one look-up a broadcast. A broadcast is encoded at most twice: plain, and wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from runtime import envelope
from runtime.envelope import Position, Wire, Wrapped
from runtime.history import History, Keep

Deliver = Callable[[Collection[Any], bytes, Any], int]
"""Write a frame to many connections but one; how many get it."""

_NOTHING: Final = b""


class Recall:
    """Mutable, one owner."""

    __slots__ = ("_clock", "_frame", "_history", "_most_bytes", "_place", "_wire", "_wrapped", "busy", "wrapped")

    def __init__(
        self, wire: Wire, clock: Callable[[], float], history: History | None, most_bytes: int = 512 * 1024
    ) -> None:
        """`history`: None where nothing is kept; `most_bytes`: what one client that comes back is sent at once."""
        self._wire = wire
        self._clock = clock
        self._history = history
        self._most_bytes = most_bytes
        self.busy = False
        """Whether a channel keeps messages, or a client speaks `worpen.v1`."""
        self.wrapped = 0
        """Connections that speak `worpen.v1`."""
        self._frame = _NOTHING
        """What is being published, plain and wrapped, and its place."""
        self._wrapped = _NOTHING
        self._place: tuple[str | None, int | None] = None, None

    # Clients that speak it.

    def opened(self, connection_id: str, far: Wrapped) -> None:
        """Such a connection is there: the first thing it is told is who it is, and whether messages are kept."""
        self.busy = True
        self.wrapped += 1
        far.tell("welcome", id=connection_id, recovers=self._history is not None)

    def closed(self) -> None:
        """Such a connection is gone."""
        self.wrapped -= 1

    def entered(self, far: Any, channel: str, keep: Keep | None, seen: Position | None) -> None:
        """A connection has joined a channel: tell it where it stands, after what it missed, if it says what it saw."""
        history = self._history
        if history is None or (keep is None and history.ring(channel) is None):
            if seen is not None and isinstance(far, Wrapped):
                far.tell("lost", channel=channel, missed=None)
            return
        self.busy = True
        now = self._clock()
        ring = history.open(channel, keep, now) if keep is not None else history.ring(channel)
        assert ring is not None
        if not isinstance(far, Wrapped):
            return
        if seen is None:
            far.tell("joined", channel=channel, epoch=ring.epoch, offset=ring.offset)
            return
        missed = ring.after(seen.epoch, seen.offset, now, self._most_bytes - far.queued_bytes)
        if missed.lost != 0:
            before = missed.messages[0][0] - 1 if missed.messages else ring.offset
            far.tell("lost", channel=channel, missed=missed.lost, epoch=ring.epoch, offset=before)
        for offset, frame in missed.messages:
            far.end.send(envelope.message(self._wire, frame, channel, offset))
        far.tell("recovered", channel=channel, epoch=ring.epoch, offset=ring.offset, messages=len(missed.messages))

    def left(self, channel: str) -> None:
        """A connection leaves a channel, or ends: from now on the channel's messages count their time."""
        if self._history is not None:
            self._history.touch(channel, self._clock())

    # Messages.

    def publish(self, channel: str, frame: bytes, keep: Keep | None, sender: Any, send: Callable[[], int]) -> int:
        """Keep a message of a channel, and send it by `send`, which calls `deliver`, at once or later.

        `sender` does not get it (None: everybody does); where it speaks `worpen.v1` it is told of its place.
        """
        offset: int | None = None
        history = self._history
        if history is not None and (keep is not None or history.ring(channel) is not None):
            self.busy = True
            now = self._clock()
            if keep is not None:
                history.open(channel, keep, now)
            offset = history.append(channel, frame, now)
        self._frame, self._wrapped, self._place = frame, _NOTHING, (channel, offset)
        try:
            recipients = send()
        finally:
            self._frame = _NOTHING
        if offset is not None and isinstance(sender, Wrapped):
            sender.tell("passed", channel=channel, offset=offset)
        return recipients

    def deliver(self, write: Deliver, members: Collection[Any], frame: bytes, exclude: Any) -> int:
        """Write a frame to these connections, wrapped for those who want that."""
        wrapped = [member.end for member in members if member.__class__ is Wrapped and member is not exclude]
        if not wrapped:
            return write(members, frame, exclude)
        plain = [member for member in members if member.__class__ is not Wrapped]
        count = write(plain, frame, exclude) if plain else 0
        return count + write(wrapped, self._wrap(frame), None)

    def _wrap(self, frame: bytes) -> bytes:
        if frame is not self._frame:
            return envelope.message(self._wire, frame)
        if not self._wrapped:
            self._wrapped = envelope.message(self._wire, frame, *self._place)
        return self._wrapped
