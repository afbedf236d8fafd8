"""What all connections of a server share: application, limits, counters, clock and fan-out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.limits import WireLimits
from runtime.metrics import WireCounters
from runtime.transport.compression import Compression
from runtime.transport.lane import Lane
from runtime.transport.outbox import FanOut
from runtime.transport.penalties import Penalties
from runtime.transport.seam import Application
from runtime.transport.wheel import Wheel, visiting_period


@dataclass(slots=True)
class Wire:
    """Made once for a server, inside its running loop. `Acceptor` listens for it."""

    application: Application
    limits: WireLimits = field(default_factory=WireLimits)
    counters: WireCounters = field(default_factory=WireCounters)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    ebbed: Callable[[], None] = lambda: None
    """Called whenever most of many connections have ended."""
    open_handshakes: int = 0
    compression: Compression = field(default_factory=Compression)
    wheel: Wheel = field(init=False)
    fan_out: FanOut = field(init=False)
    lane: Lane = field(init=False)
    penalties: Penalties = field(init=False)

    def __post_init__(self) -> None:
        self.wheel = Wheel(self.loop, visiting_period(self.limits), self.ebbed)
        self.fan_out = FanOut(self.loop, self.limits, self.counters)
        self.lane = Lane(self.loop, self.limits.slices_seconds)
        self.penalties = Penalties(self)

    def settle(self) -> None:
        """Bring the counters up to date; call before they are read."""
        for rider in self.wheel.riders():
            rider.settle()
