"""How late a loop's turns are, and why: a ticker within the process that is looked at.

By itself it is a process that does nothing else, which tells how late the machine makes anybody:
`python -m tests.bench.lag`. It answers each line on its standard input with what was seen since the line before.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter, process_time

TICK_SECONDS = 0.001


@dataclass(frozen=True)
class Seen:
    """How late ticks came, in milliseconds, and what the loop's thread did meanwhile: the most of each over all ticks,
    so that they need not add up."""

    ticks: int
    late: float
    own99: float
    """So late were all but one in a hundred by what the process itself did: without the time that it had no core."""
    computed: float
    """It ran: the loop's own work, or the kernel's for it."""
    queued: float
    """It could have run, and had no core."""
    blocked: float
    """It waited for something else than its next event: the interpreter's lock above all."""
    cpu: float
    """For so long it ran in all."""
    process: float
    """For so long all threads of the process ran."""


class Ticker:
    """Ticks on the running loop until it is cancelled."""

    def __init__(self) -> None:
        self._scheduled = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        self._ticks: list[tuple[float, float, float]] = []
        self._since = 0.0, 0.0
        self.task = asyncio.create_task(self._tick())

    def take(self) -> Seen:
        """What was seen since the last time."""
        ticks, self._ticks = self._ticks or [(0.0, 0.0, 0.0)], []
        ran, _ = self._times()
        used = process_time()
        spent, spent_by_all = ran - self._since[0], used - self._since[1]
        self._since = ran, used
        late = max(late for late, _, _ in ticks)
        own = sorted(late - queued for late, _, queued in ticks)[int(len(ticks) * 0.99)]
        blocked = max(late - computed - queued for late, computed, queued in ticks)
        computed, queued = (max(column) for column in list(zip(*ticks, strict=True))[1:])
        shown = (late, own, computed, queued, max(blocked, 0.0), spent, spent_by_all)
        return Seen(len(ticks), *(round(seconds * 1000, 3) for seconds in shown))

    def _times(self) -> tuple[float, float]:
        """Seconds that this thread ran, and seconds that it waited for a core."""
        ran, queued, _ = os.pread(self._scheduled, 100, 0).split()
        return int(ran) / 1e9, int(queued) / 1e9

    async def _tick(self) -> None:
        while True:
            ran, queued = self._times()
            due = perf_counter() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            late = perf_counter() - due
            ran_then, queued_then = self._times()
            self._ticks.append((late, ran_then - ran, queued_then - queued))


async def answer_lines(answer: Callable[[], object]) -> None:
    """Answer each line of the input with a line of JSON, until it ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(json.dumps(answer()), flush=True)


async def main() -> None:
    """The process that does nothing else."""
    ticker = Ticker()
    await answer_lines(lambda: asdict(ticker.take()))


if __name__ == "__main__":
    asyncio.run(main())
