"""Hooks that wait: reported once, ended in time, their sleeps not counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from compiler.language.faults import Fault, HookTimeout
from compiler.language.values import Value
from runtime.server.waiting import WaitingRun
from runtime.session import Cancelled, Outcome

Waits: TypeAlias = "Callable[[Waiter], Awaitable[Value]]"


class Waiter:
    """A run and its report."""

    def __init__(
        self, hook: Callable[[Waiter], Awaitable[Value]], hook_seconds: float = 5, sleep_seconds: float = 5
    ) -> None:
        self.reported: asyncio.Future[tuple[Value, Outcome]] = asyncio.get_running_loop().create_future()
        self.reached: list[str] = []
        self.run = WaitingRun(
            hook(self),
            hook_seconds=hook_seconds,
            sleep_seconds=sleep_seconds,
            calls=3,
            sql_calls=2,
            report=self.report,
            reached=self.reached.append,
        )

    def report(self, value: Value, outcome: Outcome) -> None:
        self.reported.set_result((value, outcome))

    async def result(self) -> tuple[Value, Outcome]:
        async with asyncio.timeout(10):
            return await self.reported


async def test_the_value_is_reported() -> None:
    async def hook(waiter: Waiter) -> Value:
        await waiter.run.sleep(0.01)
        return "done"

    assert await Waiter(hook).result() == ("done", None)


async def test_an_awaitable_that_is_no_coroutine() -> None:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    waiter = Waiter(lambda _: future)
    future.set_result(1)
    assert await waiter.result() == (1, None)


async def test_what_a_hook_raises_is_reported() -> None:
    problem = KeyError("bug")

    async def hook(waiter: Waiter) -> Value:
        raise problem

    assert await Waiter(hook).result() == (None, problem)


async def test_a_cancelled_run_says_so() -> None:
    async def hook(waiter: Waiter) -> Value:
        await waiter.run.sleep(4)
        return None

    waiter = Waiter(hook)
    await asyncio.sleep(0)
    waiter.run.cancel()
    value, outcome = await waiter.result()
    assert value is None
    assert isinstance(outcome, Cancelled)


async def test_sleep_is_not_counted() -> None:
    async def hook(waiter: Waiter) -> Value:
        for _ in range(4):
            await waiter.run.sleep(0.1)
        await waiter.run.within_limit(asyncio.sleep(0))
        return "done"

    assert await Waiter(hook, hook_seconds=0.3).result() == ("done", None)


async def test_sleeps_have_one_budget_together() -> None:
    slept: list[int] = []

    async def hook(waiter: Waiter) -> Value:
        for number in range(3):
            await waiter.run.sleep(0.02)
            slept.append(number)
        return None

    _, outcome = await Waiter(hook, sleep_seconds=0.05).result()
    assert isinstance(outcome, HookTimeout)
    assert slept == [0, 1]


async def test_the_time_limit_ends_a_wait_in_its_place() -> None:
    caught: list[BaseException] = []

    async def hook(waiter: Waiter) -> Value:
        try:
            return await waiter.run.within_limit(asyncio.sleep(60, "never"))
        except BaseException as problem:
            caught.append(problem)
            raise

    _, outcome = await Waiter(hook, hook_seconds=0.05).result()
    assert isinstance(outcome, HookTimeout)
    assert caught == [outcome]


async def test_the_time_limit_ends_what_waits_for_anything_else() -> None:
    _, outcome = await Waiter(lambda _: asyncio.sleep(60, None), hook_seconds=0.05).result()
    assert isinstance(outcome, HookTimeout)


async def test_a_hook_over_its_time_does_not_sleep() -> None:
    async def hook(waiter: Waiter) -> Value:
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.05
        while loop.time() < end:
            pass
        await waiter.run.sleep(0)
        return None

    _, outcome = await Waiter(hook, hook_seconds=0.02).result()
    assert isinstance(outcome, HookTimeout)


async def test_being_cancelled_by_others_is_no_timeout() -> None:
    async def hook(waiter: Waiter) -> Value:
        return await waiter.run.within_limit(asyncio.sleep(60, None))

    waiter = Waiter(hook)
    await asyncio.sleep(0.01)
    waiter.run.cancel()
    assert isinstance((await waiter.result())[1], Cancelled)


@pytest.mark.parametrize("seconds", [0, 0.01])
async def test_the_clock_goes_on_after_a_sleep(seconds: float) -> None:
    async def hook(waiter: Waiter) -> Value:
        await waiter.run.sleep(seconds)
        return await waiter.run.within_limit(asyncio.sleep(60, None))

    assert isinstance((await Waiter(hook, hook_seconds=0.1).result())[1], HookTimeout)


async def test_so_many_calls_outside_and_no_more() -> None:
    async def answer() -> Value:
        return 1

    async def hook(waiter: Waiter) -> Value:
        got = [await waiter.run.call(effect, answer) for effect in ("sql", "sql")]
        for effect in ("sql", "http"):
            with pytest.raises(Fault) as caught:
                await waiter.run.call(effect, answer)
            assert caught.value.code == "call_limit"
        return got

    waiter = Waiter(hook)
    assert await waiter.result() == ([1, 1], None)
    assert waiter.reached == ["sql_calls", "outside_calls"]


async def test_a_call_ends_with_the_time_of_its_hook() -> None:
    ended = asyncio.Event()

    async def hang() -> Value:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return None

    async def hook(waiter: Waiter) -> Value:
        return await waiter.run.call("redis", hang)

    _, outcome = await Waiter(hook, hook_seconds=0.05).result()
    assert isinstance(outcome, HookTimeout)
    assert ended.is_set()
