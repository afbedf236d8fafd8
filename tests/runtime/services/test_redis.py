"""RedisOp on a real Valkey: answers, faults, time limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.limits import ServerLimits
from runtime.services.redis import Redis
from tests.canary import CANARY
from tests.runtime.bus.valkey import Valkey, valkey


@asynccontextmanager
async def opened(url: str, **limits: Any) -> AsyncIterator[Redis]:
    """A Redis, closed behind the test."""
    redis = Redis(url, ServerLimits(**{"redis_seconds": 10.0, **limits}))
    try:
        async with asyncio.timeout(20):
            yield redis
    finally:
        await redis.close()


async def ask(redis: Redis, command: str, key: str, value: Value = None, ttl: Value = None) -> Any:
    return await redis.perform(command, key, value, ttl)


async def fault(redis: Redis, command: str, key: str, value: Value = None, ttl: Value = None) -> Fault:
    with pytest.raises(Fault) as caught:
        await redis.perform(command, key, value, ttl)
    return caught.value


async def test_every_command(shared_valkey: Valkey) -> None:
    key = uuid4().hex
    async with opened(shared_valkey.url) as redis:
        assert await ask(redis, "GET", key) is None
        assert await ask(redis, "SET", key, "سلام") == "OK"
        assert await ask(redis, "GET", key) == "سلام"
        assert await ask(redis, "SET", key, {"a": [1, True]}, 60) == "OK"
        assert await ask(redis, "GET", key) == '{"a":[1,true]}'
        assert await ask(redis, "EXPIRE", key, ttl="60") is True
        assert await ask(redis, "DEL", key) == 1
        assert await ask(redis, "DEL", key) == 0
        assert await ask(redis, "EXPIRE", key, ttl=60) is False
        assert [await ask(redis, command, key) for command in ("INCR", "INCR", "DECR")] == [1, 2, 1]
        assert await ask(redis, "GET", key) == "1"
        assert await ask(redis, "EXPIRE", key, ttl=0) is True
        assert await ask(redis, "GET", key) is None


async def test_bytes_that_are_no_text_come_as_base64(shared_valkey: Valkey) -> None:
    key = uuid4().hex
    async with opened(shared_valkey.url) as redis:
        assert redis._client is not None
        await redis._client.set(key, b"\xff\x00")
        assert await ask(redis, "GET", key) == "/wA="


async def test_what_is_refused(shared_valkey: Valkey) -> None:
    key = uuid4().hex
    async with opened(shared_valkey.url) as redis:
        await ask(redis, "SET", key, "many")
        assert (await fault(redis, "INCR", key)).code == "redis_error"
        assert (await fault(redis, "SET", "\ud800", "x")).code == "redis_error"
        assert (await fault(redis, "SET", key, "x", 0)).code == "bad_argument"
        assert (await fault(redis, "EXPIRE", key, ttl=1.5)).code == "bad_argument"
        assert (await fault(redis, "EXPIRE", key, ttl="soon")).code == "type_error"
        assert (await fault(redis, "FLUSHALL", key)).code == "bad_argument"
        assert await ask(redis, "GET", key) == "many"


async def test_a_key_is_one_argument(shared_valkey: Valkey) -> None:
    async with opened(shared_valkey.url) as redis:
        for key in ("a b", "a\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "", "\0"):
            own = f"{uuid4().hex}{key}"
            await ask(redis, "SET", own, key)
            assert await ask(redis, "GET", own) == key


async def test_one_that_hangs_goes_and_comes_back() -> None:
    with valkey() as server:
        async with opened(server.url, redis_seconds=2.0) as redis:
            await asyncio.gather(*(ask(redis, "SET", f"k{number}", "x") for number in range(20)))
            server.hang()
            hung = await asyncio.gather(*(fault(redis, "GET", "k1") for _ in range(5)))
            assert {one.code for one in hung} == {"redis_timeout"}
            server.wake()
            assert await asyncio.gather(*(ask(redis, "GET", f"k{number}") for number in range(20))) == ["x"] * 20
            server.kill()
            for _ in range(5):
                assert (await fault(redis, "GET", "k1")).code == "redis_unavailable"
            server.start()
            assert await asyncio.gather(*(ask(redis, "GET", "k1") for _ in range(20))) == [None] * 20


async def test_nothing_waits_longer_where_more_ask_than_there_are_connections() -> None:
    with valkey() as server:
        async with opened(server.url, redis_seconds=2.0, redis_connections=2) as redis:
            await ask(redis, "GET", "a")
            server.hang()
            began = asyncio.get_running_loop().time()
            hung = await asyncio.gather(*(fault(redis, "GET", "a") for _ in range(10)))
            assert asyncio.get_running_loop().time() - began < 15
            assert {one.code for one in hung} <= {"redis_timeout", "redis_unavailable"}
            server.wake()
            assert await asyncio.gather(*(ask(redis, "GET", "a") for _ in range(2))) == [None, None]


async def test_one_tries_for_all_while_nothing_answers() -> None:
    attempts = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(f"redis://127.0.0.1:{port}/0", redis_seconds=1.0) as redis:
        assert (await fault(redis, "GET", "a")).code == "redis_timeout"
        assert attempts == 1
        silent = await asyncio.gather(*(fault(redis, "GET", "a") for _ in range(50)))
        assert {one.code for one in silent} == {"redis_timeout"}
        assert attempts <= 3


async def test_no_address_and_a_wrong_one() -> None:
    async with opened("") as redis:
        assert (await fault(redis, "GET", "a")).code == "redis_unavailable"
    async with opened(f"redis://:{CANARY}@127.0.0.1:9/0") as redis:
        nobody = await fault(redis, "GET", "a")
        assert nobody.code == "redis_unavailable"
        assert CANARY not in nobody.message
    with pytest.raises(ValueError, match=r"^the address of Redis is not") as caught:
        Redis(f"http://{CANARY}@x", ServerLimits())
    assert CANARY not in str(caught.value)
