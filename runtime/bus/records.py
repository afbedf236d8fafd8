"""This node's records in the store, and the settling of nodes that are lost: what stands in `claims`, done by a bus."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.bus.claims import RECORD_SECONDS, Keeper, Keys, settle
from runtime.bus.line import Then

SETTLE_TICKS: Final = 30
"""How often lost nodes are looked for."""
EXPIRY_TICKS: Final = 600
SURE_SECONDS: Final = 10.0
"""Less than the lease: a node that knows nothing of itself for so long may have been taken for dead."""
ENDED_MOST: Final = 100_000


class Store(Protocol):
    """The store, as the bus speaks to it."""

    @property
    def node(self) -> str:
        """This node's name."""

    @property
    def is_up(self) -> bool:
        """Whether the store is there."""

    @property
    def others(self) -> Collection[str]:
        """The other nodes that are there."""

    def ask(self, then: Then, *parts: bytes) -> None:
        """Give it a command, if there is a connection. See `Line.asked`."""

    def flush(self) -> None:
        """Have what was asked leave now."""

    def begin_anew(self) -> None:
        """Go on as another node. Raises ConnectionError."""


class Records:
    """What another node needs to end this node's connections. Nothing is done before it is served."""

    def __init__(self, store: Store, keys: Keys, connect: Callable[[], Redis]) -> None:
        """`connect` makes a client of the store, for what must be done step by step."""
        self._store = store
        self._keys = keys
        self._connect = connect
        self._keeper: Keeper | None = None
        self._ended: list[str] = []
        """Connections whose records are to be removed when the store is back."""
        self._proven_at = 0.0
        """When this node asked for the last time whether it was taken for dead, and was not."""
        self._doubts = False
        """Whether the store was lost when that was long ago: this node was stopped, and does not know."""
        self._settling: asyncio.Task[None] | None = None

    def serve(self, keeper: Keeper) -> None:
        """Keep records for this keeper; to be called before the bus starts."""
        self._keeper = keeper

    @property
    def is_sure(self) -> bool:
        """Whether no other node can have taken this one for dead, or none can be asked."""
        return not self._doubts and (not self._store.is_up or self._is_proven)

    @property
    def _is_proven(self) -> bool:
        return asyncio.get_running_loop().time() - self._proven_at < SURE_SECONDS

    @property
    def _own(self) -> bytes:
        return self._keys.records(self._store.node).encode()

    # What the keeper asks.

    def keep(self, connection_id: str, record: bytes) -> None:
        """Have the record of a connection in the store, while the store is there."""
        if self._store.is_up:
            self._store.ask(0, b"HSET", self._own, connection_id.encode(), record)

    def release(self, connection_id: str) -> None:
        """A connection's record is not needed any more."""
        if self._store.is_up:
            self._store.ask(0, b"HDEL", self._own, connection_id.encode())
            self._store.flush()  # a node that is killed before that has its hook run again
        elif len(self._ended) < ENDED_MOST:
            self._ended.append(connection_id)

    # What the bus tells.

    def rose(self) -> None:
        """The store is there: have this node's records in it, without those that are not true any more."""
        if self._keeper is None:
            return
        self._store.ask(0, b"SADD", self._keys.nodes.encode(), self._store.node.encode())
        ended, self._ended = self._ended, []
        if ended:
            self._store.ask(0, b"HDEL", self._own, *(one.encode() for one in ended))
        self._keeper.risen()

    def fell(self) -> None:
        """The store is lost."""
        if self._keeper is not None:
            self._doubts = not self._is_proven

    def beat(self) -> None:
        """Ask whether another node has settled this one; the bus begins anew where it has."""
        if (keeper := self._keeper) is None:
            return
        asked_at = asyncio.get_running_loop().time()

        def told(answer: Any) -> None:
            if answer:
                keeper.fenced()
                self._ended = []
                self._store.begin_anew()
            else:
                self._proven_at, self._doubts = asked_at, False
                keeper.proven()

        self._store.ask(told, b"EXISTS", self._keys.fence(self._store.node).encode())

    def tick(self, ticks: int, lease: int) -> None:
        """Some time has gone by since the store came back. `lease`: after so many ticks nodes that are not heard are
        lost."""
        if (keeper := self._keeper) is None:
            return
        keeper.tick()
        if ticks % EXPIRY_TICKS == 1:
            self._store.ask(0, b"EXPIRE", self._own, b"%d" % RECORD_SECONDS)
        is_settled = self._settling is None or self._settling.done()
        # Whoever is just back has not heard the others yet.
        if ticks > lease and ticks % SETTLE_TICKS == 0 and is_settled:
            self._settling = asyncio.create_task(self._settle_lost(keeper))

    async def _settle_lost(self, keeper: Keeper) -> None:
        """Settle the nodes that left records and are not heard."""
        client, store = self._connect(), self._store
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with client:
                for name in await cast("Awaitable[set[bytes]]", client.smembers(self._keys.nodes)):
                    node = name.decode()
                    if node != store.node and node not in store.others and store.is_up:
                        await settle(client, self._keys, node, store.node, keeper.revive)

    def leave(self) -> None:
        """This node ends in good order, and leaves nothing to settle."""
        if self._keeper is not None:
            self._store.ask(0, b"DEL", self._own)
            self._store.ask(0, b"SREM", self._keys.nodes.encode(), self._store.node.encode())

    async def stop(self) -> None:
        """End what runs."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)
            self._settling = None
