"""Who tries while something is down, and who waits for what was found."""

from __future__ import annotations

import asyncio

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from runtime.services.breaker import PAUSE_SECONDS, Breaker


class Thing:
    """Something that is to be reached or not, and counts attempts, which take a moment."""

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.is_up = True
        self.attempts = 0
        self.at_once = 0
        self._trying = 0

    async def ask(self) -> str:
        return await self.breaker.through(self._attempt, self._refusal)

    async def _attempt(self) -> str:
        self.attempts += 1
        self._trying += 1
        self.at_once = max(self.at_once, self._trying)
        try:
            await asyncio.sleep(0.01)
        finally:
            self._trying -= 1
        if not self.is_up:
            raise ConnectionError
        return "reached"

    def _refusal(self, error: BaseException) -> Fault | None:
        return Fault(codes.SQL_UNAVAILABLE, "down") if isinstance(error, ConnectionError) else None


async def down() -> Thing:
    """One of which it is known that it is down."""
    thing = Thing()
    thing.is_up = False
    with pytest.raises(ConnectionError):
        await thing.ask()
    thing.attempts = thing.at_once = 0
    return thing


async def test_all_try_while_it_answers() -> None:
    thing = Thing()
    assert await asyncio.gather(*(thing.ask() for _ in range(20))) == ["reached"] * 20
    assert (thing.attempts, thing.at_once) == (20, 20)


async def test_one_tries_for_all_while_it_is_down() -> None:
    thing = await down()
    loop = asyncio.get_running_loop()
    began = loop.time()
    ends = await asyncio.gather(*(thing.ask() for _ in range(20)), return_exceptions=True)
    assert loop.time() - began > PAUSE_SECONDS / 2
    assert thing.attempts == 1
    probe, *others = ends
    assert isinstance(probe, ConnectionError)
    assert {(type(end), getattr(end, "code", ""), str(end)) for end in others} == {(Fault, "sql_unavailable", "down")}
    assert len({id(end) for end in others}) == 19


async def test_all_try_again_when_it_is_back() -> None:
    thing = await down()
    waiting = [asyncio.create_task(thing.ask()) for _ in range(20)]
    await asyncio.sleep(0)
    thing.is_up = True
    assert await asyncio.gather(*waiting) == ["reached"] * 20
    assert await asyncio.gather(*(thing.ask() for _ in range(5))) == ["reached"] * 5
    assert thing.at_once >= 19


async def test_a_probe_that_is_cancelled_is_followed_by_the_next() -> None:
    thing = await down()
    waiting = [asyncio.create_task(thing.ask()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[2].cancel()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError, ConnectionError, asyncio.CancelledError]
    assert thing.attempts == 1


async def test_what_is_no_refusal_changes_nothing() -> None:
    breaker = Breaker()

    async def refused() -> str:
        raise ValueError

    for _ in range(3):
        with pytest.raises(ValueError, match=r"^$"):
            await breaker.through(refused, lambda _: None)
    async with asyncio.timeout(PAUSE_SECONDS / 2):
        assert await breaker.through(lambda: asyncio.sleep(0, "x"), lambda _: None) == "x"
