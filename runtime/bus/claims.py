"""What a node leaves behind when it is killed, and how one other node, and only one, settles it.

A node keeps the records of its connections in the store, under its name, and its name among the nodes. Whoever finds a
name there of which nothing is heard for a lease claims it, for a while and renewed while it goes on: one claim is in
force at a time. Before anything is settled, a fence is put up that stays. The node asks for its fence with every
heartbeat and before it rises; one that finds it was taken for dead, drops its connections and settles nothing. A record
is removed when its `on_disconnect` has run; who dies before that leaves it to the next, after its claim.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

CLAIM_SECONDS: Final = 20
FENCE_SECONDS: Final = 24 * 3600
RECORD_SECONDS: Final = 24 * 3600
"""Records of nodes that nobody survived are forgotten then."""
PAGE: Final = 100


class Keeper(Protocol):
    """Who knows the connections of this node."""

    def risen(self) -> None:
        """The store is there (again), and may know nothing."""

    def tick(self) -> None:
        """Some time has gone by, the store being there."""

    def proven(self) -> None:
        """This node was not taken for dead until a moment ago."""

    def fenced(self) -> None:
        """It was: its connections are settled by another node."""

    async def revive(self, records: Mapping[str, bytes]) -> list[str]:
        """Run what is to be run for connections of a lost node, by id; those for which it was."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The names in the store. `prefix` ends in a separator."""

    prefix: str

    @property
    def nodes(self) -> str:
        """The set of nodes that keep records."""
        return self.prefix + "nodes"

    def records(self, node: str) -> str:
        """The hash of a node's records, by connection id."""
        return f"{self.prefix}records:{node}"

    def claim(self, node: str) -> str:
        """Who settles a lost node."""
        return f"{self.prefix}claim:{node}"

    def fence(self, node: str) -> str:
        """Who did so first."""
        return f"{self.prefix}fence:{node}"


async def settle(
    client: Any, keys: Keys, node: str, own: str, revive: Callable[[Mapping[str, bytes]], Awaitable[list[str]]]
) -> bool:
    """Settle a lost node, if nobody else does; whether all of it is settled now. `client`: a Redis client that decodes
    nothing. Raises what the client raises."""
    if not await client.set(keys.claim(node), own, nx=True, ex=CLAIM_SECONDS):
        return False
    await client.set(keys.fence(node), own, ex=FENCE_SECONDS, nx=True)
    tried: set[str] = set()
    left = 0
    cursor = 0
    while True:
        cursor, found = await client.hscan(keys.records(node), cursor, count=PAGE)
        page = {field.decode(): record for field, record in found.items() if field.decode() not in tried}
        if page:
            if await client.get(keys.claim(node)) != own.encode():
                return False
            await client.expire(keys.claim(node), CLAIM_SECONDS)
            tried.update(page)
            done = await revive(page)
            left += len(page) - len(done)
            if done:
                await client.hdel(keys.records(node), *done)
        if not cursor:
            break
    if left:
        return False
    await client.delete(keys.records(node))
    await client.srem(keys.nodes, node)
    await client.delete(keys.claim(node))
    return True
