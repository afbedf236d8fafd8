"""What nodes tell each other of who is where: the talk that keeps `presence` true.

A node tells what changed on it since it told last (`CHANGED`), and the number of that with each heartbeat (`BEAT`). Who
finds that it missed something asks (`WANTED`) and is told all (`WHOLE`).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from runtime.bus.envelopes import KeptEnvelope, Kind, decode_changes, decode_whole, encode
from runtime.bus.presence import Changes, Presence
from runtime.channels import Hub

PAUSE_TICKS: Final = 5
"""A node is asked for all it has no more often than this: half as long as between two heartbeats."""


class Tell(Protocol):
    """How a node speaks."""

    def __call__(self, kind: int, amount: int = 0, frame: bytes = b"", to: str = "", previous: int = 0) -> None:
        """Tell all nodes, this one included; or one, `to`."""


class Attendance:
    """A node's part in that talk. Mutable, one owner."""

    def __init__(self, tell: Tell, here: Hub[Any], presence: Presence) -> None:
        """`here`: who is on this node; `presence`: what becomes known of the others."""
        self._tell = tell
        self._here = here
        self._presence = presence
        self.changes = Changes()
        """What changes here, to be told with the next tick."""
        self._asked_at: dict[str, int] = {}
        """The tick at which a node was asked for all it has."""
        self._staleness: asyncio.TimerHandle | None = None

    def rose(self) -> None:
        """The store is there (again)."""
        self.changes.skip()
        self.stop()

    def fell(self, seconds: float) -> None:
        """The store is lost: after so long what is known of the others is too old."""
        self._staleness = asyncio.get_running_loop().call_later(seconds, self._presence.clear)

    def stop(self) -> None:
        """What is known stays as it is."""
        if self._staleness is not None:
            self._staleness.cancel()

    def forget(self, node: str) -> None:
        """A node is gone."""
        self._presence.forget(node)

    def tick(self) -> None:
        """Tell what changed."""
        changes = self.changes.take(len(self._here))
        if changes is not None:
            self._tell(Kind.CHANGED, self.changes.version, encode((len(self._here), changes)))

    def heard(self, envelope: KeptEnvelope, ticks: int) -> None:
        """Another node tells something, now."""
        node, version = envelope.node, envelope.amount
        match envelope.kind:
            case Kind.BEAT if self._presence.version(node) != envelope.previous:
                self._want(node, ticks)
            case Kind.CHANGED:
                if not self._presence.change(node, version, *decode_changes(envelope.frame)):
                    self._want(node, ticks)
            case Kind.WANTED:
                channels = {name: self._here.ids(name) for name, _ in self._here.channels()}
                self._tell(Kind.WHOLE, self.changes.version, encode((len(self._here), channels)), node)
            case Kind.WHOLE:
                self._presence.replace(node, version, *decode_whole(envelope.frame))
            case _:
                pass

    def _want(self, node: str, ticks: int) -> None:
        if ticks - self._asked_at.get(node, -PAUSE_TICKS) >= PAUSE_TICKS:
            self._asked_at[node] = ticks
            self._tell(Kind.WANTED, to=node)
