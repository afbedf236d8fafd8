from __future__ import annotations

import asyncio
import sys

import pytest

from runtime.limits import WireLimits
from runtime.transport.wheel import VISITS, Wheel, visiting_period
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import Deliberate, until


class Passenger:
    def __init__(self) -> None:
        self.visits = 0

    def tick(self, now: float) -> None:
        assert now == pytest.approx(asyncio.get_running_loop().time(), abs=5)
        self.visits += 1

    def settle(self) -> None: ...


class Bad(Passenger):
    def tick(self, now: float) -> None:
        self.visits += 1
        raise Deliberate


def test_everybody_is_visited_and_a_failure_stops_nobody(run: Run) -> None:
    async def scenario() -> None:
        wheel = Wheel(asyncio.get_running_loop(), 0.01)
        passengers = [Passenger() for _ in range(30)]
        bad = Bad()
        spokes = [wheel.add(passenger) for passenger in (*passengers, bad)]
        await until(lambda: all(passenger.visits > 2 for passenger in (*passengers, bad)))
        assert set(wheel.riders()) == {*passengers, bad}
        for spoke, passenger in zip(spokes, (*passengers, bad), strict=True):
            spoke.discard(passenger)
        before = [passenger.visits for passenger in passengers]
        await asyncio.sleep(0.03)
        assert [passenger.visits for passenger in passengers] == before
        late = Passenger()
        spoke = wheel.add(late)
        await until(lambda: late.visits > 1)
        spoke.discard(late)

    run(scenario())


def test_many_riders_are_visited_some_in_each_turn_of_the_loop(run: Run) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        turns = 0

        def count() -> None:
            nonlocal turns
            turns += 1
            loop.call_soon(count)

        class Noting(Passenger):
            def tick(self, now: float) -> None:
                super().tick(now)
                visits.append(turns)
                if len(visits) == 1:
                    spoke.discard(passengers[-1])
                    spoke.discard(passengers[0])

        visits: list[int] = []
        wheel = Wheel(loop, 0.01)
        passengers = [Noting() for _ in range(10 * VISITS)]
        for passenger in passengers:
            spoke = wheel.add(passenger)
        loop.call_soon(count)
        await until(lambda: len(visits) >= 3 * len(passengers))
        assert max(visits.count(turn) for turn in set(visits)) <= VISITS
        for passenger in passengers:
            spoke.discard(passenger)
        assert {passenger.visits > 2 for passenger in passengers[1:-1]} == {True}
        assert passengers[0].visits + passengers[-1].visits <= 1, "who has left is visited no more"

    run(scenario())


@pytest.mark.parametrize(("number", "left", "ebbs"), [(1_000, 3, 1), (1_000, 0, 1), (1_000, 500, 0), (200, 0, 0)])
def test_it_is_told_when_most_of_many_have_left(run: Run, number: int, left: int, ebbs: int) -> None:
    async def scenario() -> None:
        told: list[None] = []
        wheel = Wheel(asyncio.get_running_loop(), 0.01, lambda: told.append(None))
        passengers = [Passenger() for _ in range(number)]
        spokes = [wheel.add(passenger) for passenger in passengers]
        await until(lambda: all(passenger.visits > 1 for passenger in passengers))
        assert not told
        for spoke, passenger in zip(spokes[left:], passengers[left:], strict=True):
            spoke.discard(passenger)
        visits = passengers[0].visits
        await until(lambda: passengers[0].visits > visits + 2 if left else not wheel._turning)
        assert len(told) == ebbs
        full = sum(map(sys.getsizeof, wheel._spokes))
        wheel.pack()
        assert set(wheel.riders()) == set(passengers[:left])
        assert sum(map(sys.getsizeof, wheel._spokes)) < full
        for spoke, passenger in zip(spokes[:left], passengers[:left], strict=True):
            spoke.discard(passenger)

    run(scenario())


def test_the_shortest_time_is_seen_in_time() -> None:
    assert visiting_period(WireLimits()) == 1.0
    assert visiting_period(WireLimits(stall_seconds=0.5)) == pytest.approx(0.1)
    assert visiting_period(WireLimits(ping_seconds=0, close_seconds=0)) == 1.0
