"""Token buckets without a clock of their own: tokens are counted down elsewhere and topped up when somebody looks."""

from __future__ import annotations

from typing import Final

UNLIMITED: Final = (1 << 30) - 1
"""What a rate of 0 gives, again whenever it is spent. Python counts faster with numbers up to this one."""
_ROUNDING: Final = 1e-6
"""Seconds times a rate may miss a whole number by less."""


def first_tokens(rate: float, burst: int) -> int:
    """Tokens of a new bucket."""
    return burst if rate > 0 else UNLIMITED


def tokens_after(left: int, rate: float, burst: int, seconds: float) -> int:
    """Tokens when `left` were left `seconds` ago."""
    if rate <= 0:
        return UNLIMITED
    return min(burst, left + int(rate * seconds + _ROUNDING))


def whole_seconds(rate: float, seconds: float) -> float:
    """The part of this time in which whole tokens come. The rest is to count the next time, or who is just below the
    rate would lose a part of a token at each look."""
    return int(rate * seconds) / rate if rate > 0 else seconds


class Bucket:
    """A bucket that is asked token by token, for what is rare. Who is refused takes none: however many ask, as many
    as the rate says get one."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._at = now
        self._left = float(first_tokens(rate, burst))

    def take(self, now: float) -> bool:
        """Take one token; False when there is none."""
        if self._rate <= 0:
            return True
        self._left = min(self._burst, self._left + self._rate * (now - self._at))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
