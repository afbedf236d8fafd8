"""The bus of one node alone: the members are all here, so a frame goes straight to them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from runtime.bus import random_id
from runtime.channels import Hub

Member = TypeVar("Member")


class LocalBus(Generic[Member]):
    """Delivers to the members that the hub knows. `deliver(members, frame, exclude)` writes one frame to many
    connections, never waits, and returns how many take it."""

    __slots__ = ("_deliver", "_hub")

    def __init__(self, hub: Hub[Member], deliver: Callable[[Collection[Member], bytes, Member | None], int]) -> None:
        self._hub = hub
        self._deliver = deliver

    def publish(self, channel: str | None, frame: bytes, exclude: Member | None) -> int:
        """See `Bus.publish`."""
        members = self._hub.everybody() if channel is None else self._hub.members(channel)
        return self._deliver(members, frame, exclude) if members else 0

    def send_to(self, connection_id: str, frame: bytes) -> int:
        """See `Bus.send_to`: there is no other node."""
        return 0

    def new_id(self) -> str:
        """See `Bus.new_id`."""
        return random_id()
