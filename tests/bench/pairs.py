"""Two states of a server compared: short turns in mirrored order, CPU time, the median of ratios with its confidence.

A mirrored block is two turns of each state, A B B A; the next is B A A B. What drifts (a machine that warms up, heaps
that grow) meets both states alike, and each block gives one ratio. The interval is of the median, by bootstrap: the
blocks are drawn again and again with repetition, and what 95 % of the medians lie between is told.

CPU time is the scheduler's, in nanoseconds (`/proc/PID/task/*/schedstat`). That of `/proc/PID/stat` is counted in ticks
of 4 or 10 ms, and a load that follows a timer falls together with those.
"""

from __future__ import annotations

import os
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DRAWS: Final = 10_000
CONFIDENCE: Final = 0.95
_CORES: Final = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Spent:
    """What the threads of a process, without its children, had of the processor, in seconds."""

    ran: float
    waited: float
    """Ready to run while something else had the core: other processes disturb."""

    def __sub__(self, earlier: Spent) -> Spent:
        return Spent(self.ran - earlier.ran, self.waited - earlier.waited)


def spent(process: int) -> Spent:
    """What a process has had until now."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    rows = [[int(number) for number in (task / "schedstat").read_text().split()] for task in tasks]
    return Spent(sum(row[0] for row in rows) / 1e9, sum(row[1] for row in rows) / 1e9)


def pin(process: int, core: int) -> None:
    """Keep all threads of a process on the core of this number, of those that this process may use when it begins.

    Where there are fewer, numbers share one.
    """
    for task in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(task.name), {_CORES[core % len(_CORES)]})


def mirrored(blocks: int) -> Iterator[tuple[int, bool]]:
    """The turns of so many blocks: the block's number, and whether it is the second state's turn."""
    for block in range(blocks):
        first = bool(block % 2)
        for state in (first, not first, not first, first):
            yield block, state


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median with the ends of its interval."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.3f} ({self.low:.3f} to {self.high:.3f})"


def estimate(values: Sequence[float]) -> Estimate:
    """The median of values and its interval. The same values give the same interval."""
    draws = random.Random(7)
    medians = sorted(statistics.median(draws.choices(values, k=len(values))) for _ in range(DRAWS))
    tail = round(DRAWS * (1 - CONFIDENCE) / 2)
    return Estimate(statistics.median(values), medians[tail], medians[-tail - 1])
