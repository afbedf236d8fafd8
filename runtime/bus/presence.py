"""Who is on the other nodes, as far as this one knows: pure, no I/O and no clock.

Every node tells what changes with it, numbered, some times a second, and its number with each heartbeat. Who finds
that number different from what it knows asks for the whole. So a change that was missed heals with the next heartbeat,
and what is known of a node is as old as its last one. A node that is not heard any more takes along what is known of
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

Change: TypeAlias = tuple[bool, str, str]
"""Whether a connection joined or left, the channel, and its id."""


@dataclass(slots=True)
class _Far:
    version: int = 0
    connections: int = 0
    channels: dict[str, set[str]] = field(default_factory=dict)


class Presence:
    """The connections of other nodes. Mutable, one owner."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Far] = {}
        self._channels: dict[str, dict[str, None]] = {}

    # What functions ask.

    def connections(self) -> int:
        """How many connections the other nodes have."""
        return sum(far.connections for far in self._nodes.values())

    def members(self, channel: str) -> list[str]:
        """The ids of connections of other nodes in a channel, as they became known."""
        return list(self._channels.get(channel, ()))

    def size(self, channel: str) -> int:
        """How many those are."""
        return len(self._channels.get(channel, ()))

    # What other nodes tell.

    def version(self, node: str) -> int:
        """The number of the last change known of a node; 0 where nothing is."""
        far = self._nodes.get(node)
        return 0 if far is None else far.version

    def change(self, node: str, version: int, connections: int, changes: Iterable[Change]) -> bool:
        """A node tells what changed since the version before; False where that one is not known."""
        far = self._nodes.get(node)
        if far is None or version > far.version + 1:
            return False
        if version <= far.version:
            return True
        far.version, far.connections = version, connections
        for is_in, channel, connection_id in changes:
            if is_in:
                self._add(far, channel, connection_id)
            else:
                self._remove(far, channel, connection_id)
        return True

    def replace(self, node: str, version: int, connections: int, channels: dict[str, list[str]]) -> None:
        """A node tells all there is."""
        self.forget(node)
        far = self._nodes[node] = _Far(version, connections)
        for channel, ids in channels.items():
            for connection_id in ids:
                self._add(far, channel, connection_id)

    def forget(self, node: str) -> None:
        """A node is gone."""
        far = self._nodes.pop(node, None)
        if far is not None:
            for channel, ids in list(far.channels.items()):
                for connection_id in list(ids):
                    self._remove(far, channel, connection_id)

    def clear(self) -> None:
        """Nothing is known any more."""
        self._nodes.clear()
        self._channels.clear()

    def _add(self, far: _Far, channel: str, connection_id: str) -> None:
        far.channels.setdefault(channel, set()).add(connection_id)
        self._channels.setdefault(channel, {})[connection_id] = None

    def _remove(self, far: _Far, channel: str, connection_id: str) -> None:
        ids = far.channels.get(channel)
        if ids is None or connection_id not in ids:
            return
        ids.remove(connection_id)
        members = self._channels[channel]
        del members[connection_id]
        if not ids:
            del far.channels[channel]
        if not members:
            del self._channels[channel]


class Changes:
    """What changes on this node, until it is told. Mutable, one owner."""

    def __init__(self) -> None:
        self.version = 1
        self._connections = 0
        self._pending: list[Change] = []

    def note(self, is_in: bool, channel: str, connection_id: str) -> None:
        """A connection joined or left a channel."""
        self._pending.append((is_in, channel, connection_id))

    def take(self, connections: int) -> list[Change] | None:
        """What is to be told as the next version; None where nothing changed."""
        if not self._pending and connections == self._connections:
            return None
        taken, self._pending = self._pending, []
        self._connections = connections
        self.version += 1
        return taken

    def skip(self) -> None:
        """What changed is not told: others will find that the version is another one, and ask."""
        self._pending = []
        self.version += 1
