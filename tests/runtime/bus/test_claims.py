"""Settling what a lost node left, in a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
from redis.asyncio import Redis

from runtime.bus.claims import Keys, settle
from tests.runtime.bus.valkey import Valkey, valkey

KEYS = Keys("test:")


@pytest.fixture(scope="module")
def store() -> Iterator[Valkey]:
    with valkey() as server:
        yield server


@pytest.fixture
async def client(store: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(store.url) as made:
        await made.flushall()
        yield made


class Runner:
    """Takes records, all but those it is told to refuse."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.ran: list[str] = []

    async def revive(self, records: Mapping[str, bytes]) -> list[str]:
        done = [one for one in records if one not in self.refused]
        self.ran += done
        await asyncio.sleep(0)
        return done


async def leave(client: Redis, count: int) -> None:
    """What a node that was killed leaves behind."""
    await client.sadd(KEYS.nodes, "lost")
    await client.hset(KEYS.records("lost"), mapping={f"c{number}": b"record" for number in range(count)})


@pytest.mark.parametrize("count", [1, 1500])
async def test_of_many_one_settles_all_once(client: Redis, count: int) -> None:
    await leave(client, count)
    runners = [Runner() for _ in range(3)]
    results = await asyncio.gather(*(settle(client, KEYS, "lost", f"n{n}", r.revive) for n, r in enumerate(runners)))
    assert sorted(results) == [False, False, True]
    assert sorted(one for runner in runners for one in runner.ran) == sorted(f"c{number}" for number in range(count))
    assert await client.smembers(KEYS.nodes) == set()
    assert not await client.exists(KEYS.records("lost"), KEYS.claim("lost"))
    assert await client.exists(KEYS.fence("lost"))


async def test_what_nobody_could_run_stays(client: Redis) -> None:
    await leave(client, 3)
    assert not await settle(client, KEYS, "lost", "n1", Runner("c1").revive)
    assert await client.hkeys(KEYS.records("lost")) == [b"c1"]
    assert await client.smembers(KEYS.nodes) == {b"lost"}


async def test_whoever_lost_the_claim_stops(client: Redis) -> None:
    await leave(client, 1500)
    late = Runner()

    async def stall(records: Mapping[str, bytes]) -> list[str]:
        if not late.ran:
            await client.set(KEYS.claim("lost"), "another")
        return await late.revive(records)

    assert not await settle(client, KEYS, "lost", "n1", stall)
    assert 0 < len(late.ran) < 1500
    assert await client.smembers(KEYS.nodes) == {b"lost"}
