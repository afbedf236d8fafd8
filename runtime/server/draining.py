"""The end of a server: every connection closed, every `on_disconnect` run, in bounded time (runtime section 4)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final

from runtime.limits import ServerLimits
from runtime.server.floor import Floor
from runtime.server.link import Link

SERVICE_RESTART: Final = 1012
BATCH_SECONDS: Final = 0.1
LEAST_RATE: Final = 200.0
"""Close frames a second at least: few connections do not make a stop slow."""
LAST_SECONDS: Final = 0.5
"""Of the time for connections: kept for those that are dropped and for hooks that are cancelled at its end."""
CLOSING_SHARE: Final = 0.1
"""Of the time for a drain: kept for what is outside, and for the process to end."""
CLOSING_SECONDS: Final = 1.5
"""And at most so long."""
LEAVING_SHARE: Final = 0.5
"""Of that time: kept for the process to end."""


class Drain:
    """A server's end. `run` once; `hurry` when somebody is impatient."""

    def __init__(self, floor: Floor, limits: ServerLimits, reconnect_delay: Callable[[], float]) -> None:
        self._floor = floor
        self._limits = limits
        self._reconnect_delay = reconnect_delay
        self._loop = asyncio.get_running_loop()
        self._end_in(limits.drain_seconds)
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Take less time: the limit after a second signal counts from now."""
        seconds = self._limits.hurried_drain_seconds
        if self._loop.time() + seconds < self._end:
            self._end_in(seconds)
        self._hurried.set()

    def _end_in(self, seconds: float) -> None:
        """The program is to end so long from now."""
        closing = min(CLOSING_SECONDS, CLOSING_SHARE * seconds)
        self._end = self._loop.time() + seconds
        self._deadline = self._end - closing
        self._left_behind = self._end - closing * LEAVING_SHARE

    async def run(self) -> int:
        """End all connections; returns how many of them did not end in good order."""
        await self._close_in_batches()
        while self._floor.links and self._left() > LAST_SECONDS:
            # Hurrying moves the deadline: it is looked at again then.
            waits = {
                asyncio.ensure_future(self._floor.emptied.wait()),
                *(() if self._hurried.is_set() else (asyncio.ensure_future(self._hurried.wait()),)),
            }
            await asyncio.wait(waits, timeout=self._left() - LAST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        return await self._abandon_rest()

    async def close(self, *parts: Awaitable[None]) -> None:
        """Close what is outside, all at once; what hangs then is left to the system."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._left_behind):
                await asyncio.gather(*parts)

    def _left(self) -> float:
        return self._deadline - self._loop.time()

    async def _close_in_batches(self) -> None:
        links = list(self._floor.links.values())
        random.shuffle(links)
        spread = min(self._limits.drain_spread_seconds, self._limits.drain_seconds / 2)
        rate = max(LEAST_RATE, len(links) / spread if spread else LEAST_RATE)
        size = max(1, round(rate * BATCH_SECONDS))
        while links:
            for link in links[:size]:
                self._close(link)
            del links[:size]
            if links and not self._hurried.is_set():
                await self._pause(BATCH_SECONDS * random.uniform(0.5, 1.5))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._hurried.wait(), seconds)
        except TimeoutError:
            return

    def _close(self, link: Link) -> None:
        link.shut(SERVICE_RESTART, f"the server stops; reconnect after {self._reconnect_delay():.1f} s")

    async def _abandon_rest(self) -> int:
        """Drop what is left, and end hooks that still wait; an `on_disconnect` gets its start even now."""
        abandoned = len(self._floor.links)
        while self._floor.links and self._left() > 0:
            for link in list(self._floor.links.values()):
                link.abort()
            try:
                await asyncio.wait_for(self._floor.emptied.wait(), min(BATCH_SECONDS, max(self._left(), 0)))
            except TimeoutError:
                continue
        return abandoned
