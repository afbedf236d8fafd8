"""A circuit breaker: spares attempts to reach something that was not to be reached a moment ago.

While it answers, everybody tries. After an attempt that failed one tries at a time, the probe, and not sooner than
`PAUSE_SECONDS` after the last attempt. Whoever comes meanwhile is not refused at once, as by other breakers, but waits
for what the probe finds: what is down costs a few attempts a second, however many ask, and nobody is refused without an
attempt that ended after he asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

from compiler.language.faults import Fault

PAUSE_SECONDS: Final = 0.25
"""Between the end of an attempt that failed and the next."""

_T = TypeVar("_T")
Refusal: TypeAlias = Callable[[BaseException], Fault | None]
"""Why something was not to be reached, from what an attempt raised; None where that is not what failed."""


class Breaker:
    """The way to one thing outside. Belongs to one running loop."""

    def __init__(self) -> None:
        self._again: float | None = None
        """When the next may try, on the loop's clock; None while all may."""
        self._probe: asyncio.Future[Fault | None] | None = None
        """Done when the one that tries has ended: with why it is not to be reached, or None."""

    async def through(self, attempt: Callable[[], Awaitable[_T]], refusal: Refusal) -> _T:
        """What an attempt gives. Raises what it raises, and Fault where another's attempt failed meanwhile."""
        while self._probe is not None:
            found = await asyncio.shield(self._probe)
            if found is not None:
                raise Fault(found.kind, found.message)
        if self._again is None:
            return await self._try(attempt, refusal)
        self._probe = asyncio.get_running_loop().create_future()
        found = None
        try:
            await asyncio.sleep(self._again - asyncio.get_running_loop().time())
            return await self._try(attempt, refusal)
        except BaseException as error:
            found = refusal(error)
            raise
        finally:
            # One that was cancelled has found nothing: the next of those who wait takes its place.
            probe, self._probe = self._probe, None
            probe.set_result(found)

    async def _try(self, attempt: Callable[[], Awaitable[_T]], refusal: Refusal) -> _T:
        try:
            reached = await attempt()
        except BaseException as error:
            if refusal(error) is not None:
                self._again = asyncio.get_running_loop().time() + PAUSE_SECONDS
            raise
        self._again = None
        return reached
