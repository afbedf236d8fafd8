"""Work that waits its turn."""

from __future__ import annotations

import asyncio
from typing import Any

from runtime.transport.lane import Lane


async def test_steps_are_done_in_order_some_in_each_turn_of_the_loop() -> None:
    lane = Lane(asyncio.get_running_loop(), seconds=0.0)  # one in each turn
    done: list[str] = []
    turns = 0

    def step(name: str, again: int) -> None:
        done.append(f"{name}{turns}")
        if again:
            lane.add(lambda: step(name, again - 1))

    lane.add(lambda: step("a", 1))
    lane.add(lambda: step("b", 0))
    assert done == []
    assert not lane.claim()
    for _ in range(5):
        await asyncio.sleep(0)
        turns += 1
    assert done == ["a0", "b1", "a2"]
    assert lane.claim()


async def test_one_thing_in_a_turn_of_the_loop_may_be_done_at_once() -> None:
    lane = Lane(asyncio.get_running_loop(), seconds=60.0)
    done: list[str] = []
    assert lane.claim()
    assert not lane.claim()
    lane.add(lambda: done.append("later"))
    assert done == []
    await asyncio.sleep(0)
    assert done == ["later"]
    assert lane.claim()


async def test_a_turn_does_what_its_share_of_time_allows() -> None:
    lane = Lane(asyncio.get_running_loop(), seconds=60.0)
    done: list[int] = []
    for number in range(100):
        lane.add(lambda number=number: done.append(number))  # type: ignore[misc]
    await asyncio.sleep(0)
    assert done == list(range(100))


async def test_a_step_that_fails_does_not_stop_the_others() -> None:
    loop = asyncio.get_running_loop()
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))
    lane = Lane(loop, seconds=60.0)
    done: list[int] = []
    lane.add(lambda: done[0])  # type: ignore[arg-type]
    lane.add(lambda: done.append(1))
    await asyncio.sleep(0)
    assert done == [1]
    assert [type(context["exception"]) for context in told] == [IndexError]
