"""Seldom, bad news is told at once; often, it is told later, and who waits for it is not read."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from runtime.limits import WireLimits
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import Deliberate, Recorder, masked, raw, serving, until, upgraded

LIMITS = WireLimits(penalty_rate=0.001, penalty_burst=1, penalty_seconds=0.3, penalties=2)
ENDLESS = replace(LIMITS, penalty_seconds=1_000)
BROKEN = masked(1, b"x", rsv=1)
BAD_NEWS = [(0x88, b"\x03\xeareserved bit set")]
BAD_REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\n\r\n"


def test_the_first_is_told_at_once_and_the_second_later(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, LIMITS) as (wire, port), upgraded(port) as first, upgraded(port) as second:
            first.send(BROKEN)
            assert await first.frames_to_the_end() == BAD_NEWS
            assert not wire.counters.limits_reached.get("penalty_rate")
            second.send(BROKEN)
            await until(lambda: len(wire.penalties) == 1)
            assert await application.listeners[1].end() == (1002, "reserved bit set")  # the server is done with it
            assert wire.counters.limits_reached["penalty_rate"] == 1
            assert await second.frames_to_the_end() == BAD_NEWS
            assert len(wire.penalties) == 0

    run(scenario())


def test_last_words_are_counted_as_bytes(run: Run) -> None:
    def fail(*_: object) -> None:
        raise Deliberate

    async def scenario() -> None:
        heard = 0
        async with serving(Recorder(on_message=fail), LIMITS) as (wire, port):
            for wrong in (BROKEN, BROKEN, masked(1, b"x")):  # told at once, told later, a bug of ours
                async with upgraded(port) as client:
                    client.send(wrong)
                    heard += len(await client.to_the_end())
                    assert wire.counters.bytes_out == heard

    run(scenario())


def test_bad_requests_are_told_later_too(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), LIMITS) as (wire, port), raw(port) as first, raw(port) as second:
            first.send(BAD_REQUEST)
            assert (await first.to_the_end()).startswith(b"HTTP/1.1 405 ")
            second.send(BAD_REQUEST)
            await until(lambda: len(wire.penalties) == 1)
            assert wire.open_handshakes == 0
            assert (await second.to_the_end()).startswith(b"HTTP/1.1 405 ")

    run(scenario())


def test_answers_of_before_come_at_once_and_what_follows_is_not_read(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, ENDLESS) as (wire, port), upgraded(port) as first, upgraded(port) as second:
            first.send(BROKEN)
            await first.to_the_end()
            second.send(masked(1, b"hello") + BROKEN + masked(1, b"ignored"))
            assert await second.frame() == (0x81, b"hello")
            await until(lambda: len(wire.penalties) == 1)
            second.send(masked(1, b"ignored"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(second.frame(), 0.1)
            assert application.listeners[1].messages == ["hello"]

    run(scenario())


def test_when_too_many_wait_the_oldest_is_told(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), ENDLESS) as (wire, port), AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(upgraded(port)) for _ in range(4)]
            for number, client in enumerate(clients):
                client.send(BROKEN)
                await until(lambda number=number: wire.counters.drops.get("protocol") == number + 1)  # type: ignore[misc]
            assert await clients[0].frames_to_the_end() == BAD_NEWS
            assert await clients[1].frames_to_the_end() == BAD_NEWS
            assert len(wire.penalties) == 2

    run(scenario())


def test_who_is_gone_when_the_time_comes_is_forgotten(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), LIMITS) as (wire, port), upgraded(port) as first, upgraded(port) as second:
            first.send(BROKEN)
            await first.to_the_end()
            second.send(BROKEN)
            await until(lambda: len(wire.penalties) == 1)
            second.leave()
            await until(lambda: not len(wire.penalties) and not list(wire.wheel.riders()))

    run(scenario())


def test_a_rate_of_zero_tells_all_at_once(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), replace(ENDLESS, penalty_rate=0)) as (_, port):
            for _ in range(3):
                async with upgraded(port) as client:
                    client.send(BROKEN)
                    assert await client.frames_to_the_end() == BAD_NEWS

    run(scenario())
