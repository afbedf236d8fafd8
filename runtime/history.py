"""What channels keep for clients that come back (language section 8). Pure: time is passed in, in seconds.

A channel of a route with `history` has a *ring*: its last `size` messages, none older than `ttl`. Each message has the
next *offset*, from 1. A ring has an *epoch*, a text like no other: offsets of one epoch are one unbroken row, so
whoever knows epoch and offset of the last message that it saw can be told exactly what it missed.

A ring stays `ttl` seconds after its channel was used last, also without members. Then, or where all rings together hold
more than they may, it is given up; the channel's next ring has another epoch.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from compiler.language.values import Value

RING_BYTES: Final = 512
"""What a ring costs beside its messages."""
MESSAGE_BYTES: Final = 96
"""What a message costs beside its bytes."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much a channel keeps: a number of messages, and for how many seconds."""

    size: int
    ttl: float


@dataclass(frozen=True, slots=True)
class Missed:
    """What came after an offset. `lost`: how many are not kept any more; None where that cannot be known."""

    lost: int | None
    messages: tuple[tuple[int, bytes], ...]
    """Offset and frame of those that are kept, in order."""


def missed_after(seen: int | None, last: int, newest_first: Iterable[bytes], most_bytes: int) -> Missed:
    """What came after an offset: of the frames kept, the one of `last` first, those that have room in so many bytes.

    `seen`: None where it is of another epoch."""
    found: list[tuple[int, bytes]] = []
    number = last
    for frame in newest_first:
        most_bytes -= len(frame) + MESSAGE_BYTES
        if (seen is not None and number <= seen) or most_bytes < 0:
            break
        found.append((number, frame))
        number -= 1
    lost = None if seen is None else max(0, number - seen)
    return Missed(lost, tuple(reversed(found)))


def new_epoch() -> str:
    """A text like no other, on any server."""
    return uuid4().hex[:16]


def keep_of(options: Mapping[str, Value]) -> Keep | None:
    """What channels keep of a route with these options; None where it has no `history`."""
    written = options.get("history")
    if not isinstance(written, dict):
        return None
    size, ttl = written["size"], written["ttl"]
    assert isinstance(size, int)
    assert isinstance(ttl, int | float)
    return Keep(size, ttl)


class Ring:
    """The messages that one channel keeps. Mutable, one owner."""

    __slots__ = ("_messages", "epoch", "held_bytes", "keep", "offset", "used_at")

    def __init__(self, epoch: str, keep: Keep, now: float) -> None:
        self.epoch = epoch
        self.keep = keep
        self.offset = 0
        """Of the last message; 0 before the first."""
        self.used_at = now
        self.held_bytes = RING_BYTES
        self._messages: deque[tuple[float, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def append(self, frame: bytes, now: float) -> int:
        """Keep one more message; its offset."""
        self.offset += 1
        self.used_at = now
        self._messages.append((now, frame))
        self.held_bytes += MESSAGE_BYTES + len(frame)
        while len(self._messages) > self.keep.size:
            self.drop()
        self.expire(now)
        return self.offset

    def drop(self) -> None:
        """Keep the oldest message no more."""
        _, frame = self._messages.popleft()
        self.held_bytes -= MESSAGE_BYTES + len(frame)

    def expire(self, now: float) -> None:
        """Keep nothing that is older than it may be."""
        oldest = now - self.keep.ttl
        while self._messages and self._messages[0][0] < oldest:
            self.drop()

    def after(self, epoch: str, offset: int, now: float, most_bytes: int) -> Missed:
        """What came after an offset of an epoch: the newest of it, of at most so many bytes.

        In another epoch nothing is known of what came before this one, and all that is kept is new.
        """
        self.expire(now)
        known = offset if epoch == self.epoch and 0 <= offset <= self.offset else None
        return missed_after(known, self.offset, (frame for _, frame in reversed(self._messages)), most_bytes)


class History:
    """The rings of all channels of a node. Mutable, one owner."""

    __slots__ = ("_bytes", "_full", "_most_bytes", "_new_epoch", "_rings")

    def __init__(self, most_bytes: int, new_epoch: Callable[[], str], full: Callable[[], None] = lambda: None) -> None:
        """`most_bytes`: all rings together hold no more; `new_epoch` makes a text like no other, on any server; `full`
        is called whenever something is dropped because of `most_bytes`."""
        self._full = full
        self._most_bytes = most_bytes
        self._new_epoch = new_epoch
        self._rings: OrderedDict[str, Ring] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._rings)

    @property
    def held_bytes(self) -> int:
        """What all rings together hold."""
        return self._bytes

    def ring(self, channel: str) -> Ring | None:
        """The ring that a channel has."""
        return self._rings.get(channel)

    def open(self, channel: str, keep: Keep, now: float) -> Ring:
        """The ring of a channel, a new one where it has none. The channel is used."""
        ring = self._rings.get(channel)
        if ring is None:
            self._sweep(now)
            ring = self._rings[channel] = Ring(self._new_epoch(), keep, now)
            self._bytes += ring.held_bytes
            self._shrink()
        elif keep is not ring.keep and keep != ring.keep:
            # Where routes ask for different terms, the larger hold.
            ring.keep = Keep(max(keep.size, ring.keep.size), max(keep.ttl, ring.keep.ttl))
        self.touch(channel, now)
        return ring

    def append(self, channel: str, frame: bytes, now: float) -> int:
        """Keep a message of a channel that has a ring; its offset."""
        ring = self._rings[channel]
        before = ring.held_bytes
        offset = ring.append(frame, now)
        self._rings.move_to_end(channel)
        self._bytes += ring.held_bytes - before
        if self._bytes > self._most_bytes:
            self._shrink()
        return offset

    def touch(self, channel: str, now: float) -> None:
        """A channel is used: somebody is in it, or leaves it."""
        ring = self._rings.get(channel)
        if ring is not None:
            ring.used_at = now
            self._rings.move_to_end(channel)

    def _sweep(self, now: float) -> None:
        """Give up rings that nobody used for their time, the longest unused first."""
        while self._rings:
            channel, ring = next(iter(self._rings.items()))
            if ring.used_at + ring.keep.ttl >= now:
                return
            self._give_up(channel)

    def _shrink(self) -> None:
        """Drop the oldest messages of the channels that are longest unused, and their rings when they are empty.

        The ring that is in use now stays."""
        if self._bytes > self._most_bytes:
            self._full()
        while self._bytes > self._most_bytes and self._rings:
            channel, ring = next(iter(self._rings.items()))
            before = ring.held_bytes
            while self._bytes - (before - ring.held_bytes) > self._most_bytes and len(ring):
                ring.drop()
            self._bytes -= before - ring.held_bytes
            if len(self._rings) == 1:
                return
            if self._bytes > self._most_bytes:
                self._give_up(channel)

    def _give_up(self, channel: str) -> None:
        self._bytes -= self._rings.pop(channel).held_bytes
