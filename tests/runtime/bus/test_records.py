"""What a node keeps in the store for who would end its connections, and asks about itself. The store is made up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from redis.asyncio import Redis

from runtime.bus import records as module
from runtime.bus.claims import RECORD_SECONDS, Keys
from runtime.bus.records import EXPIRY_TICKS, Records
from tests.runtime.bus.valkey import valkey

OWN = b"p:records:0a1b2c3d"


class Store:
    """Writes down what it is asked."""

    def __init__(self) -> None:
        self.node = "0a1b2c3d"
        self.others: tuple[str, ...] = ()
        self.is_up = True
        self.asked: list[tuple[Any, tuple[bytes, ...]]] = []
        self.flushed = 0

    def ask(self, then: Any, *parts: bytes) -> None:
        self.asked.append((then, parts))

    def flush(self) -> None:
        self.flushed += 1

    def begin_anew(self) -> None:
        self.node = "another1"
        raise ConnectionError

    def commands(self) -> list[tuple[bytes, ...]]:
        """What was asked since the last look."""
        asked, self.asked = self.asked, []
        return [parts for _, parts in asked]


class Keeper:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.revived: list[str] = []

    def risen(self) -> None:
        self.told.append("risen")

    def tick(self) -> None:
        self.told.append("tick")

    def proven(self) -> None:
        self.told.append("proven")

    def fenced(self) -> None:
        self.told.append("fenced")

    async def revive(self, records: Mapping[str, bytes]) -> list[str]:
        self.revived += records
        return list(records)


def nowhere() -> Redis:
    raise AssertionError("nobody is lost")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def records(store: Store, keeper: Keeper) -> Records:
    made = Records(store, Keys("p:"), nowhere)
    made.serve(keeper)
    return made


async def test_records_come_and_go(store: Store, records: Records) -> None:
    records.keep("c1", b"record")
    assert store.commands() == [(b"HSET", OWN, b"c1", b"record")]
    assert store.flushed == 0
    records.release("c1")
    assert store.commands() == [(b"HDEL", OWN, b"c1")]
    assert store.flushed == 1, "a node that is killed now has run its hook"
    records.leave()
    assert store.commands() == [(b"DEL", OWN), (b"SREM", b"p:nodes", store.node.encode())]


async def test_what_ends_while_the_store_is_away_is_removed_when_it_is_back(
    store: Store, records: Records, keeper: Keeper
) -> None:
    store.is_up = False
    records.keep("c1", b"record")
    records.release("c2")
    assert store.commands() == []
    store.is_up = True
    records.rose()
    assert store.commands() == [(b"SADD", b"p:nodes", store.node.encode()), (b"HDEL", OWN, b"c2")]
    assert keeper.told == ["risen"]
    records.rose()
    assert store.commands() == [(b"SADD", b"p:nodes", store.node.encode())]


async def test_a_node_is_sure_of_itself_for_a_while_after_it_asked(
    store: Store, records: Records, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.beat()
    [(told, parts)] = store.asked
    assert parts == (b"EXISTS", b"p:fence:0a1b2c3d")
    told(0)
    assert keeper.told == ["proven"]
    assert records.is_sure
    records.fell()
    store.is_up = False
    assert records.is_sure, "it was until a moment ago"
    monkeypatch.setattr(module, "SURE_SECONDS", 0.0)
    assert records.is_sure, "nobody can be asked"
    store.is_up = True
    assert not records.is_sure
    records.fell()
    store.is_up = False
    assert not records.is_sure, "the store was lost after too long a silence"


async def test_a_node_that_was_taken_for_dead_begins_anew(store: Store, records: Records, keeper: Keeper) -> None:
    store.is_up = False
    records.release("c1")
    store.is_up = True
    records.beat()
    told, _ = store.asked.pop()
    with pytest.raises(ConnectionError):
        told(1)
    assert keeper.told == ["fenced"]
    records.rose()
    assert store.commands() == [(b"SADD", b"p:nodes", b"another1")], "c1 is the other's business"


async def test_records_live_longer_than_any_connection(store: Store, records: Records, keeper: Keeper) -> None:
    for ticks in range(1, EXPIRY_TICKS + 2):
        records.tick(ticks, lease=10_000)
    assert store.commands() == [(b"EXPIRE", OWN, b"%d" % RECORD_SECONDS)] * 2
    assert keeper.told == ["tick"] * (EXPIRY_TICKS + 1)
    await records.stop()


async def test_who_is_not_heard_after_a_lease_is_settled(
    store: Store, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_TICKS", 5)
    with valkey() as server:
        records = Records(store, Keys("p:"), lambda: Redis.from_url(server.url))
        records.serve(keeper)
        store.others = ("there",)
        async with Redis.from_url(server.url) as client:
            for node in ("there", "lost"):
                await client.sadd("p:nodes", node)
                await client.hset(f"p:records:{node}", f"of {node}", b"record")
            records.tick(15, lease=15)
            records.tick(16, lease=15)
            assert records._settling is None, "whoever is just back has not heard the others yet"
            records.tick(20, lease=15)
            assert records._settling is not None
            async with asyncio.timeout(10):
                await records._settling
            assert keeper.revived == ["of lost"]
            assert await client.smembers("p:nodes") == {b"there"}
    await records.stop()


async def test_nothing_is_done_before_it_is_served(store: Store) -> None:
    records = Records(store, Keys("p:"), nowhere)
    records.rose()
    records.beat()
    records.fell()
    records.tick(30, lease=1)
    records.leave()
    await records.stop()
    assert store.commands() == []
