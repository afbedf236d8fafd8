"""Measures short calls side by side: rounds in a new order each time, CPU time, medians.

Every contestant has a loop of its own, since CPython specialises the place of a call.
"""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

_LOOP: Final = """
def loop(count, call, clock, {names}):
    start = clock()
    for _ in count: call({names})
    return clock() - start
"""


def rounds_of(
    contestants: Mapping[str, tuple[Callable[..., Any], Sequence[Any]]], *, seconds: float = 0.002, rounds: int = 61
) -> dict[str, list[float]]:
    """Nanoseconds of CPU for one call of each contestant, a function with its arguments, in each round.

    Rounds are short, so that contestants meet the same neighbours on the machine; compare within rounds.
    """
    loops = {name: _loop(len(arguments)) for name, (_, arguments) in contestants.items()}
    counts = {name: _calibrated(loops[name], *contestants[name], seconds) for name in contestants}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    order, shuffled = list(contestants), random.Random(7)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            shuffled.shuffle(order)
            for name in order:
                call, arguments = contestants[name]
                spent = loops[name](itertools.repeat(None, counts[name]), call, time.process_time, *arguments)
                found[name].append(spent / counts[name] * 1e9)
    finally:
        gc.enable()
    return found


def ratio(found: Mapping[str, Sequence[float]], name: str, base: str) -> float:
    """How many times as long one contestant takes as another: the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(found[name], found[base], strict=True))


def _loop(arity: int) -> Callable[..., float]:
    scope: dict[str, Any] = {}
    exec(_LOOP.format(names=", ".join(f"a{number}" for number in range(arity))), scope)
    made: Callable[..., float] = scope["loop"]
    return made


def _calibrated(loop: Callable[..., float], call: Callable[..., Any], arguments: Sequence[Any], seconds: float) -> int:
    """So many calls as take about so long. The first call is not counted: it may have something to make."""
    call(*arguments)
    count = 1
    while (spent := loop(itertools.repeat(None, count), call, time.process_time, *arguments)) < seconds / 4:
        count *= 4
    return max(1, int(count * seconds / spent))
