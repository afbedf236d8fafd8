"""Channels: who is in which (language section 8).

Membership is kept twice, once per channel and once per member, so that leaving everything costs the
number of that member's channels and never a look at all of them. Both are ordered: members of a channel
come in the order in which they joined. A channel exists while somebody is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Generic, Protocol, TypeVar

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from runtime.memory import pack

Member = TypeVar("Member")


class Watcher(Protocol):
    """Who is told of members. `size`: how many the channel has then."""

    def joined(self, channel: str, connection_id: str, size: int) -> None:
        """A connection is in a channel now."""

    def left(self, channel: str, connection_id: str, size: int) -> None:
        """A connection is no more in a channel."""


class Hub(Generic[Member]):
    """All channels of a node, and all connections by id. Members are compared by identity or equality."""

    __slots__ = ("_channels", "_everybody", "_full", "_joined", "_limit", "_watcher", "changes")

    def __init__(self, channels_per_member: int, full: Callable[[], None] = lambda: None) -> None:
        """`full` is called whenever a member is kept out because it is in so many channels."""
        self._limit = channels_per_member
        self._full = full
        self.changes = 0
        """How often somebody has joined or left a channel: while it is the same, so are the channels."""
        self._watcher: Watcher | None = None
        self._channels: dict[str, dict[Member, str]] = {}
        self._joined: dict[Member, dict[str, None]] = {}
        self._everybody: dict[str, Member] = {}

    def watch(self, watcher: Watcher) -> None:
        """Tell this watcher of everybody who joins and leaves a channel."""
        self._watcher = watcher

    # Connections. A channel's dictionary holds each member's connection id as its value.

    def enter(self, connection_id: str, member: Member) -> None:
        """A connection is there: it counts, and broadcasts to all reach it."""
        self._everybody[connection_id] = member

    def exit(self, connection_id: str, member: Member) -> None:
        """A connection is gone: it leaves its channels and counts no more. Does nothing a second time."""
        self._everybody.pop(connection_id, None)
        for channel in self._joined.pop(member, ()):
            self._remove(channel, member)

    def find(self, connection_id: str) -> Member | None:
        """The connection with this id, if it is there."""
        return self._everybody.get(connection_id)

    def everybody(self) -> Collection[Member]:
        """All connections, in the order in which they came."""
        return self._everybody.values()

    def __len__(self) -> int:
        return len(self._everybody)

    def pack(self) -> None:
        """Keep no room for those who have left."""
        for table in (self._everybody, self._joined, self._channels):
            pack(table)

    # Channels.

    def join(self, connection_id: str, member: Member, channel: str) -> bool:
        """Enter a channel; False where the member was in it. Raises Fault channel-limit."""
        joined = self._joined.get(member)
        if joined is None:
            joined = self._joined[member] = {}
        if channel in joined:
            return False
        if len(joined) >= self._limit:
            self._full()
            raise Fault(codes.CHANNEL_LIMIT, f"one connection can be in {self._limit} channels", channel)
        joined[channel] = None
        members = self._channels.setdefault(channel, {})
        members[member] = connection_id
        self.changes += 1
        if self._watcher is not None:
            self._watcher.joined(channel, connection_id, len(members))
        return True

    def leave(self, member: Member, channel: str) -> bool:
        """Leave a channel; False where the member was not in it."""
        joined = self._joined.get(member)
        if joined is None or channel not in joined:
            return False
        del joined[channel]
        if not joined:
            del self._joined[member]
        self._remove(channel, member)
        return True

    def _remove(self, channel: str, member: Member) -> None:
        members = self._channels[channel]
        connection_id = members.pop(member)
        self.changes += 1
        if not members:
            del self._channels[channel]
        if self._watcher is not None:
            self._watcher.left(channel, connection_id, len(members))

    def members(self, channel: str) -> Collection[Member]:
        """Who is in a channel, in the order of joining. A live view: copy it to change membership meanwhile."""
        return self._channels.get(channel, {}).keys()

    def ids(self, channel: str) -> list[str]:
        """The ids of the connections in a channel, in the order of joining."""
        return list(self._channels.get(channel, {}).values())

    def size(self, channel: str) -> int:
        """How many are in a channel."""
        members = self._channels.get(channel)
        return 0 if members is None else len(members)

    def channels_of(self, member: Member) -> tuple[str, ...]:
        """The channels a member is in, in the order of joining."""
        return tuple(self._joined.get(member, ()))

    def channels(self) -> Iterator[tuple[str, int]]:
        """Every channel with its number of members."""
        return ((name, len(members)) for name, members in self._channels.items())
