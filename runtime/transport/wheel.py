"""One timer for all connections: each rider is visited about once per `period`, a part of them at a time.

With ten thousand connections a part is a thousand of them, and takes milliseconds. So it is visited some in each turn
of the loop, and what comes meanwhile has its turn in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from runtime.limits import WireLimits
from runtime.memory import pack

_SPOKES: Final = 10
VISITS: Final = 64
"""Riders visited in one turn of the loop."""
EBB_RIDERS: Final = 250
EBB: Final = 4
"""It ebbs when at least so many have left, and one of so many is still there."""


class Rider(Protocol):
    """Who wants to be visited."""

    def tick(self, now: float) -> None:
        """Look at the clock; `now` is the loop's time in seconds."""

    def settle(self) -> None:
        """Add to the shared counters what was counted privately."""


Spoke = set[Rider]
"""Where a rider sits; `spoke.discard(rider)` ends its visits."""


def visiting_period(limits: WireLimits) -> float:
    """A fifth of the shortest time that must be watched, at most one second."""
    watched = (
        limits.handshake_seconds,
        limits.assembly_seconds,
        limits.stall_seconds,
        limits.ping_seconds,
        limits.pong_seconds,
        limits.close_seconds,
    )
    return max(0.01, min(1.0, *(seconds / 5 for seconds in watched if seconds > 0)))


class Wheel:
    """Turns while anybody rides. A thousand connections cost one timer, and no timer is ever cancelled."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, period: float, ebbed: Callable[[], None] = lambda: None
    ) -> None:
        """`ebbed` is called whenever most of many riders have left."""
        self._loop = loop
        self._ebbed = ebbed
        self._most = 0
        self._step = period / _SPOKES
        self._spokes: list[Spoke] = [set() for _ in range(_SPOKES)]
        self._next = 0
        self._turning = False

    def add(self, rider: Rider) -> Spoke:
        """Visit `rider` from now on; the first visit comes after nearly a whole period."""
        spoke = self._spokes[self._next - 1]
        spoke.add(rider)
        if not self._turning:
            self._turning = True
            self._loop.call_later(self._step, self._turn)
        return spoke

    def riders(self) -> Iterator[Rider]:
        """Everybody who rides now."""
        return (rider for spoke in self._spokes for rider in tuple(spoke))

    def pack(self) -> None:
        """Keep no room for those who have left."""
        for spoke in self._spokes:
            pack(spoke)

    def _turn(self) -> None:
        spoke = self._spokes[self._next]
        self._next = (self._next + 1) % _SPOKES
        self._visit(spoke, tuple(spoke), 0)

    def _visit(self, spoke: Spoke, riders: tuple[Rider, ...], begin: int) -> None:
        """Visit some of a spoke's riders, and the others later."""
        now = self._loop.time()
        end = begin + VISITS
        for rider in riders[begin:end]:
            if rider in spoke:
                self._look_at(rider, now)
        if end < len(riders):
            self._loop.call_soon(self._visit, spoke, riders, end)
            return
        left = sum(map(len, self._spokes))
        self._look_for_ebb(left)
        self._turning = left > 0
        if self._turning:
            self._loop.call_later(self._step, self._turn)

    def _look_for_ebb(self, left: int) -> None:
        if left > self._most:
            self._most = left
        elif self._most - left >= EBB_RIDERS and left * EBB <= self._most:
            self._most = left
            self._ebbed()

    def _look_at(self, rider: Rider, now: float) -> None:
        try:
            rider.tick(now)
        except Exception as exception:
            self._loop.call_exception_handler({"message": "a timed check failed", "exception": exception})
