"""What is not urgent waits here, for all connections together: input that is more than a slice.

In each turn of the loop some of it is done, one step of each connection after the other, until a turn's share of time
is used up. So whoever sends much at once, and however many do, others wait for one such share and not for theirs all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter


class Lane:
    """Steps in the order in which they came. A step that has more to do comes again, at the end."""

    __slots__ = ("_loop", "_queue", "_scheduled", "_seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """`seconds`: the share of a turn. One step is done in each turn at least."""
        self._loop = loop
        self._seconds = seconds
        self._queue: deque[Callable[[], None]] = deque()
        self._scheduled = False

    def claim(self) -> bool:
        """Whether a step may be done at once: nothing waits, and it is the first in this turn of the loop."""
        if self._scheduled:
            return False
        self._scheduled = True
        self._loop.call_soon(self._run)
        return True

    def add(self, step: Callable[[], None]) -> None:
        """Do a step later."""
        self._queue.append(step)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        queue = self._queue
        end = perf_counter() + self._seconds
        while queue:
            try:
                queue.popleft()()
            except Exception as exception:
                self._loop.call_exception_handler({"message": "a step failed", "exception": exception})
            if perf_counter() >= end:
                break
        self._scheduled = bool(queue)
        if queue:
            self._loop.call_soon(self._run)
