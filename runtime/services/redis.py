"""RedisOp: one command, on a pool of connections, within half a second and never twice (runtime section 5).

A command that is tried again may count twice, and one that waits for a hung server holds up its hook; both are the
library's defaults.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.maint_notifications import MaintNotificationsConfig

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.codecs import text_of_bytes
from runtime.limits import ServerLimits
from runtime.services.breaker import Breaker

_LONGEST_SECONDS: Final = 1 << 40
"""Redis counts milliseconds in 64 bits."""


class Redis:
    """The Redis or Valkey of a server. Belongs to one running loop."""

    def __init__(self, address: str, limits: ServerLimits) -> None:
        """Connects to nothing yet. Raises ValueError for an address that is none."""
        self._seconds = limits.redis_seconds
        self._client = _client(address, limits) if address else None
        self._breaker = Breaker()

    async def perform(self, command: str, key: str, value: Value, ttl_seconds: Value) -> Value:
        """Run one command. Raises Fault."""
        if self._client is None:
            raise Fault(codes.REDIS_UNAVAILABLE, "no address of a Redis is set: WORPEN_REDIS_URL, or `[redis] url`")
        client, parts = self._client, _parts(command, key, value, ttl_seconds)
        end = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(end):
                answer = await self._breaker.through(
                    lambda: _ask(client, parts), lambda error: self._refusal(error, end)
                )
            return _shown(command, answer)
        except ResponseError as error:
            raise Fault(codes.REDIS_ERROR, str(error), key) from None
        except (TimeoutError, RedisError, OSError) as error:
            if (fault := self._refusal(error, end)) is None:
                raise
            raise Fault(fault.kind, fault.message, key) from None

    def _refusal(self, error: BaseException, end: float) -> Fault | None:
        """Why Redis was not to be reached by a command that had time until `end`; None where it was."""
        if isinstance(error, asyncio.CancelledError):
            return self._silent() if asyncio.get_running_loop().time() >= end else None
        if isinstance(error, TimeoutError | RedisTimeout):
            return self._silent()
        if isinstance(error, AuthenticationError):
            return Fault(codes.REDIS_UNAVAILABLE, "Redis refuses the login")
        if isinstance(error, RedisError | OSError) and not isinstance(error, ResponseError):
            return Fault(codes.REDIS_UNAVAILABLE, "Redis cannot be reached")
        return None

    def _silent(self) -> Fault:
        return Fault(codes.REDIS_TIMEOUT, f"Redis did not answer within {self._seconds:g} s")

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()


def _client(address: str, limits: ServerLimits) -> Client:
    try:
        pool = BlockingConnectionPool.from_url(
            address,
            max_connections=limits.redis_connections,
            timeout=limits.redis_seconds,
            socket_timeout=limits.redis_seconds,
            socket_connect_timeout=limits.redis_seconds,
            retry=Retry(NoBackoff(), 0),
            # With its notices of maintenance the library takes a connection that has ended for a live one.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    except ValueError:
        raise ValueError("the address of Redis is not redis://HOST:PORT/DB, rediss:// or unix://") from None
    return Client.from_pool(pool)


def _parts(command: str, key: str, value: Value, ttl_seconds: Value) -> list[Any]:
    """The command with its arguments as Redis takes them. Raises Fault where they cannot be."""
    name = _bytes(key)
    match command:
        case "GET":
            return ["GET", name]
        case "SET":
            parts: list[Any] = ["SET", name, _bytes(value if isinstance(value, str) else values.to_json(value))]
            if ttl_seconds is not None:
                parts += ["EX", _seconds(ttl_seconds, least=1)]
            return parts
        case "EXPIRE":
            return ["EXPIRE", name, _seconds(ttl_seconds, least=0)]
        case "DEL" | "INCR" | "DECR":
            return [command, name]
        case _:
            raise Fault(codes.BAD_ARGUMENT, f"`{command}` is no command of RedisOp", command)


def _ask(client: Client, parts: list[Any]) -> Awaitable[Any]:
    return cast("Awaitable[Any]", cast("Any", client).execute_command(*parts))


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Fault(codes.REDIS_ERROR, "the key or value has half a surrogate pair in it", text) from None


def _seconds(value: Value, *, least: int) -> int:
    number = values.to_operand(value, "ttl_seconds")
    if isinstance(number, float) or not least <= number < _LONGEST_SECONDS:
        raise Fault(codes.BAD_ARGUMENT, f"`ttl_seconds` is a whole number of seconds, at least {least}", value)
    return number


def _shown(command: str, answer: Any) -> Value:
    if command == "EXPIRE":
        return bool(answer)
    if isinstance(answer, bool):
        return "OK"
    if isinstance(answer, bytes):
        return values.bounded(text_of_bytes(answer))
    return values.normalise(answer) if isinstance(answer, int) else answer
