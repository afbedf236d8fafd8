"""How fast something grows, by a fit that single steps and spikes do not bend: the Theil-Sen slope.

Samples that follow each other closely are no news of each other, so they are averaged over blocks first; the interval
is Sen's, from the rank statistics of Kendall, at 95 %.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS = 45
"""So many blocks at most."""
NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Drift:
    """Growth in units a second: the best guess, and between which values it is with 95 % confidence."""

    slope: float
    low: float
    high: float


def drift(samples: Sequence[tuple[float, float]], blocks: int = BLOCKS) -> Drift:
    """The drift of samples (seconds, amount), in the order of time. Raises ValueError for fewer than three."""
    points = list(_means(samples, min(blocks, len(samples))))
    slopes = sorted((b - a) / (t - s) for (s, a), (t, b) in itertools.combinations(points, 2) if t > s)
    if len(points) < 3 or not slopes:
        raise ValueError("a slope needs three samples")
    count = len(points)
    spread = NORMAL_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return Drift(statistics.median(slopes), slopes[low], slopes[high])


def _means(samples: Sequence[tuple[float, float]], blocks: int) -> Sequence[tuple[float, float]]:
    edges = [len(samples) * number // blocks for number in range(blocks + 1)]
    parts = [samples[start:end] for start, end in itertools.pairwise(edges)]
    return [(statistics.fmean(t for t, _ in part), statistics.fmean(v for _, v in part)) for part in parts if part]
