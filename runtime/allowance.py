"""How many messages a route lets each of its connections send (`rate_limit`, language section 2).

A token bucket without a clock: full at the start, topped up by the time that is passed in. A message takes a whole
token or is dropped, and a message that is dropped takes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compiler.bytecode.options import DEFAULT_BURST

_MINUTE: Final = 60.0


class Allowance:
    """The messages that one connection may still send. Mutable, one owner."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, per_minute: float, burst: int, now: float) -> None:
        """`now` and every later time in seconds, of any clock that does not go backwards."""
        self.rate = per_minute / _MINUTE
        self.burst = burst
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Whether a message that comes now may pass."""
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def allowance_of(options: Mapping[str, Any], now: float, before: Allowance | None = None) -> Allowance | None:
    """What a route's options allow; None where they say nothing. The one from before goes on where it is the same."""
    written = options.get("rate_limit")
    if written is None:
        return None
    if not isinstance(written, Mapping):
        written = {"messages_per_minute": written}
    fresh = Allowance(float(written["messages_per_minute"]), int(written.get("burst", DEFAULT_BURST)), now)
    return before if before is not None and (before.rate, before.burst) == (fresh.rate, fresh.burst) else fresh
