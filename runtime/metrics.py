"""Plain counters: what happened, as numbers that only grow (gauges excepted). Adding one is `counters.NAME += 1`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class WireCounters:
    """What the transport counts. Per-message figures are folded in about once a second, and by `Wire.settle()`."""

    connections: int = 0
    """Gauge: WebSocket connections open now."""
    handshakes: dict[str, int] = field(default_factory=dict)
    """Requests by result: `accepted`, `dropped`, `timeout`, or the HTTP status as text."""
    messages_in: int = 0
    bytes_in: int = 0
    messages_out: int = 0
    """Messages sent to one connection by `send`; a broadcast counts under `deliveries`."""
    deliveries: int = 0
    """Recipients of broadcasts, one for each recipient and message."""
    bytes_out: int = 0
    pings_in: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    """Connections the server ended, by reason: `slow_consumer`, `heartbeat`, `rate`, `protocol`, `fault`, …"""

    def answered(self, result: str) -> None:
        """Count one request by its result."""
        self.handshakes[result] = self.handshakes.get(result, 0) + 1

    def dropped(self, reason: str) -> None:
        """Count one connection that the server ended."""
        self.drops[reason] = self.drops.get(reason, 0) + 1
