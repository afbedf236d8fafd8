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
from runtime.history import MESSAGE_BYTES, History, Keep, Missed

Deliver = Callable[[Collection[Any], bytes, Any], int]
"""Write a frame to many connections but one; how many get it."""

MADE_BYTES: Final = 4 * 1024 * 1024
"""Of missed messages so much is kept wrapped, for others who missed the same."""
_NOTHING: Final = b""


class Recall:
    """What one node alone keeps, or nobody. Mutable, one owner."""

    def __init__(
        self,
        wire: Wire,
        clock: Callable[[], float],
        history: History | None,
        most_bytes: int = 512 * 1024,
        recovered: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`history`: None where this node keeps nothing; `most_bytes`: what one client that comes back is sent at
        once; `recovered` is called with how a recovery ended: `complete`, `lost` (something was not kept any more),
        `unknown` (the client saw another epoch, or nothing is kept), `down` (nobody can be asked)."""
        self._wire = wire
        self._clock = clock
        self._history = history
        self._most_bytes = most_bytes
        self._recovered = recovered
        self.busy = False
        """Whether a channel keeps messages, or a client speaks `worpen.v1`."""
        self.wrapped = 0
        """Connections that speak `worpen.v1`."""
        self._frame = _NOTHING
        """What is being published, plain and wrapped, and its place."""
        self._wrapped = _NOTHING
        self._place: tuple[str | None, int | None] = None, None
        self._made: dict[tuple[str, str, int], bytes] = {}
        """Missed messages that were wrapped lately, by channel, epoch and offset."""
        self._made_bytes = 0
        self._begun: str | None = None
        """The epoch that begins with what is being published."""

    @property
    def recovers(self) -> bool:
        """Whether messages are kept."""
        return self._history is not None

    # Clients that speak it.

    def opened(self, connection_id: str, far: Wrapped) -> None:
        """Such a connection is there: the first thing it is told is who it is, and whether messages are kept."""
        self.busy = True
        self.wrapped += 1
        far.tell("welcome", id=connection_id, recovers=self.recovers)

    def closed(self) -> None:
        """Such a connection is gone."""
        self.wrapped -= 1

    def entered(self, far: Any, channel: str, keep: Keep | None, seen: Position | None) -> None:
        """A connection has joined a channel: tell it where it stands, after what it missed, if it says what it saw."""
        history = self._history
        if history is None or (keep is None and history.ring(channel) is None):
            if seen is not None and isinstance(far, Wrapped):
                self._tell_unknown(far, channel)
            return
        self.busy = True
        now = self._clock()
        ring = history.open(channel, keep, now) if keep is not None else history.ring(channel)
        assert ring is not None
        if not isinstance(far, Wrapped):
            return
        at = Position(ring.epoch, ring.offset)
        if seen is None:
            tell_joined(far, channel, at)
        else:
            missed = ring.after(seen.epoch, seen.offset, now, self._most_bytes - far.queued_bytes)
            self._tell_missed(far, channel, at, missed)

    def _tell_missed(self, far: Wrapped, channel: str, at: Position, missed: Missed) -> None:
        """Hand a client that came back what it missed."""
        if missed.lost != 0:
            tell_lost(far, channel, at, missed)
        if missed.messages:
            far.end.send_all([self._made_once(channel, at.epoch, *each) for each in missed.messages])
        tell_recovered(far, channel, at, len(missed.messages))
        self._recovered("unknown" if missed.lost is None else "lost" if missed.lost else "complete")

    def _made_once(self, channel: str, epoch: str, offset: int, frame: bytes) -> bytes:
        """A missed message, wrapped: often many come back at once."""
        key = channel, epoch, offset
        made = self._made.get(key)
        if made is None:
            if self._made_bytes > MADE_BYTES:
                self._made, self._made_bytes = {}, 0
            made = self._made[key] = envelope.message(self._wire, frame, channel, offset)
            self._made_bytes += len(made) + MESSAGE_BYTES
        return made

    def _tell_unknown(self, far: Wrapped, channel: str, result: str = "unknown") -> None:
        """Tell a client that came back that nobody knows what it missed."""
        far.tell("lost", channel=channel, missed=None)
        self._recovered(result)

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
        if history is not None:
            known = history.ring(channel)
            if keep is not None or known is not None:
                self.busy = True
                now = self._clock()
                ring = history.open(channel, keep, now) if keep is not None else known
                assert ring is not None
                # Who is in the channel already, and stands in an epoch that is over, must hear of the new one.
                self._begun = ring.epoch if ring is not known else None
                offset = history.append(channel, frame, now)
        recipients = self.placed(channel, offset, frame, send)
        if offset is not None and isinstance(sender, Wrapped):
            sender.tell("passed", channel=channel, offset=offset)
        return recipients

    def placed(self, channel: str, offset: int | None, frame: bytes, send: Callable[[], int]) -> int:
        """Send a message by `send`, which calls `deliver`; who speaks `worpen.v1` is told of its place."""
        self._frame, self._wrapped, self._place = frame, _NOTHING, (channel, offset)
        try:
            return send()
        finally:
            self._frame = _NOTHING
            self._place = None, None
            self._begun = None

    def deliver(self, write: Deliver, members: Collection[Any], frame: bytes, exclude: Any) -> int:
        """Write a frame to these connections, wrapped for those who want that."""
        if self._begun is not None:
            channel, offset = self._place
            assert channel is not None
            assert offset is not None
            for member in members:
                if isinstance(member, Wrapped):
                    tell_joined(member, channel, Position(self._begun, offset - 1))
            self._begun = None
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


def tell_joined(far: Wrapped, channel: str, at: Position) -> None:
    """Tell a client where it stands in a channel."""
    far.tell("joined", channel=channel, epoch=at.epoch, offset=at.offset)


def tell_lost(far: Wrapped, channel: str, at: Position, missed: Missed) -> None:
    """Tell a client what is not kept any more; what is follows."""
    before = missed.messages[0][0] - 1 if missed.messages else at.offset
    far.tell("lost", channel=channel, missed=missed.lost, epoch=at.epoch, offset=before)


def tell_recovered(far: Wrapped, channel: str, at: Position, messages: int) -> None:
    """Tell a client where it stands, after so many messages that it missed."""
    far.tell("recovered", channel=channel, epoch=at.epoch, offset=at.offset, messages=messages)
