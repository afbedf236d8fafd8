"""A hook that waits: its task, its time limit, its sleeps, its calls outside (runtime section 2).

Time that the hook sleeps is not time that it runs: the clock stops meanwhile. When the time is up, the
task is cancelled where it waits, and the wait turns that into a HookTimeout, so that the fault has its place in
the source. A hook that is over its time without waiting for anything is caught at its next wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias

from compiler.diagnostics import codes
from compiler.language.faults import Fault, HookTimeout
from compiler.language.values import Value
from runtime.session import Cancelled, Outcome

Report: TypeAlias = Callable[[Value, Outcome], None]
_LEAST_SECONDS: Final = 0.001


class WaitingRun:
    """One run of a hook that waits, from its first step to its report."""

    __slots__ = (
        "_budget",
        "_calls",
        "_expired",
        "_limit",
        "_loop",
        "_most_calls",
        "_most_sql",
        "_reached",
        "_report",
        "_started",
        "_task",
        "_timer",
    )

    def __init__(
        self,
        hook: Awaitable[Value],
        *,
        hook_seconds: float,
        sleep_seconds: float,
        calls: int,
        sql_calls: int,
        report: Report,
        reached: Callable[[str], None],
    ) -> None:
        """Start it. `report` is called once, on a later turn of the loop, with its value or what ended it; `reached`
        counts the name of a limit that was reached."""
        self._loop = asyncio.get_running_loop()
        self._report = report
        self._reached = reached
        self._limit = hook_seconds
        self._budget = sleep_seconds
        self._most_calls = calls
        self._most_sql = sql_calls
        self._calls: Counter[str] = Counter()
        self._expired = False
        self._started = self._loop.time()
        self._timer = self._loop.call_later(hook_seconds, self._expire)
        self._task = self._loop.create_task(_as_coroutine(hook))
        self._task.add_done_callback(self._end)

    def cancel(self) -> None:
        """End it where it waits; it reports Cancelled, unless it has ended already."""
        self._task.cancel()

    async def sleep(self, seconds: float) -> None:
        """Wait so long. Raises HookTimeout where this or earlier sleeps, or the hook itself, take too long."""
        left = self._limit - (self._loop.time() - self._started)
        if left <= 0:
            raise self._too_long()
        if seconds > self._budget:
            self._reached("sleep_seconds")
            raise HookTimeout("the hook would sleep longer in all than it may")
        self._budget -= seconds
        self._timer.cancel()
        before = self._loop.time()
        await asyncio.sleep(seconds)
        self._started += self._loop.time() - before
        self._timer = self._loop.call_later(max(left, _LEAST_SECONDS), self._expire)

    async def call(self, effect: str, ask: Callable[[], Awaitable[Value]]) -> Value:
        """Wait for what `ask` starts outside. Raises Fault call-limit, and HookTimeout when the hook's time is up."""
        self._calls[effect] += 1
        if self._calls.total() > self._most_calls:
            raise self._too_many("outside_calls", f"one run of a hook can make {self._most_calls} calls outside")
        if effect == "sql" and self._calls[effect] > self._most_sql:
            raise self._too_many("sql_calls", f"one run of a hook can run {self._most_sql} SQL statements")
        if self._loop.time() - self._started >= self._limit:
            raise self._too_long()
        return await self.within_limit(ask())

    def _too_many(self, limit: str, message: str) -> Fault:
        self._reached(limit)
        return Fault(codes.CALL_LIMIT, message)

    async def within_limit(self, waiting: Awaitable[Value]) -> Value:
        """Wait for something outside. Raises HookTimeout when the hook's time is up meanwhile."""
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._expired:
                raise self._too_long() from None
            raise

    def _too_long(self) -> HookTimeout:
        self._reached("hook_seconds")
        return HookTimeout(f"the hook ran longer than {self._limit:g} s")

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def _end(self, task: asyncio.Task[Value]) -> None:
        self._timer.cancel()
        if task.cancelled():
            self._report(None, self._too_long() if self._expired else Cancelled())
        elif (problem := task.exception()) is not None:
            self._report(None, problem)
        else:
            self._report(task.result(), None)


def _as_coroutine(hook: Awaitable[Value]) -> Coroutine[Any, Any, Value]:
    if asyncio.iscoroutine(hook):
        return hook
    return _await(hook)


async def _await(hook: Awaitable[Value]) -> Value:
    return await hook
