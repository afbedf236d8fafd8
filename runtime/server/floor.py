"""What all links of a server share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from runtime.host import Node
from runtime.limits import ServerLimits
from runtime.metrics import ServerCounters
from runtime.server.admission import Gate

if TYPE_CHECKING:
    from runtime.server.link import Link


@dataclass(slots=True)
class Floor:
    """The node, its limits and counters, and every connection. Mutable, one owner."""

    node: Node
    limits: ServerLimits
    counters: ServerCounters
    gate: Gate
    reached: Callable[[str], None]
    """Counts the name of a limit that was reached."""
    links: dict[str, Link] = field(default_factory=dict)
    """Every connection whose life is not complete, by id."""
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while there is none."""
    lives: Lives | None = None
    """Who sees to it that every `on_disconnect` runs, also if this node is killed; None where it is alone."""

    def __post_init__(self) -> None:
        self.node.events.on_turn(self.turn)

    def enter(self, link: Link) -> None:
        """A connection's life begins here."""
        self.links[link.session.id] = link
        self.emptied.clear()
        self.turn(link.session.id)

    def leave(self, link: Link) -> None:
        """A connection's life is complete."""
        self.links.pop(link.session.id, None)
        if not self.links:
            self.emptied.set()

    def turn(self, connection_id: str | None) -> None:
        """Have a link, or all (None), know whether somebody follows it."""
        found = self.links.values() if connection_id is None else (self.links.get(connection_id),)
        for link in found:
            if link is not None:
                link.followed = self.node.events.is_followed(link.session.id)


class Lives(Protocol):
    """Who is told of connections, so that another node can end them."""

    def opened(self, link: Link) -> None:
        """A connection is there; its `on_connect` is about to run."""

    def gone(self, link: Link, code: int, reason: str) -> None:
        """A connection is gone: call `Session.gone` when this node may run its `on_disconnect`."""

    def over(self, link: Link) -> None:
        """A connection's life is complete."""
