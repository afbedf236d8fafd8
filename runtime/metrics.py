"""Plain counters: what happened, as numbers that only grow (gauges excepted). Adding one is `counters.NAME += 1`.

What is counted is declared once, as a field; `samples` is a loop over the fields, and `exposition` one over samples.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from prometheus_client.core import Metric


def _gauge() -> Any:
    """A number that falls as well."""
    return field(default=0, metadata={"is_gauge": True})


@dataclass(slots=True)
class WireCounters:
    """What the transport counts. Per-message figures are folded in about once a second, and by `Wire.settle()`."""

    connections: int = _gauge()
    """WebSocket connections open now."""
    queued_bytes: int = _gauge()
    """Sent to connections, and not yet taken by the kernel; of all of them together."""
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
    """Connections the server ended, by reason: `slow_consumer`, `heartbeat`, `protocol`, `fault`, or a limit's name."""
    limits_reached: dict[str, int] = field(default_factory=dict)
    """How often something was refused, ended or held back by a limit of `limits.LIMITS`, by its name; a burst counts
    under its rate."""

    def answered(self, result: str) -> None:
        """Count one request by its result."""
        self.handshakes[result] = self.handshakes.get(result, 0) + 1

    def reached(self, limit: str) -> None:
        """Count one time that a limit was reached."""
        self.limits_reached[limit] = self.limits_reached.get(limit, 0) + 1

    def dropped(self, reason: str) -> None:
        """Count one connection that the server ended."""
        self.drops[reason] = self.drops.get(reason, 0) + 1


def _by(*labels: str) -> Any:
    return field(default_factory=dict, metadata={"labels": labels})


@dataclass(slots=True)
class Tally:
    """How often something was done, and how long it took in all. Whoever counts often keeps it."""

    runs: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class ServerCounters:
    """What the server counts beyond the wire; the keys of a dictionary are the values of its labels."""

    hook: dict[tuple[str, ...], Tally] = _by("route", "hook", "result")
    """Runs of hooks and the time spent in them, waiting included. Results: `ok`, `cancelled`, or the fault's code."""
    disconnects: dict[tuple[str, ...], int] = _by("code")
    """Connections that ended, by close code."""
    refusals: dict[tuple[str, ...], int] = _by("status")
    """Handshakes and plain requests that got no route, by status."""
    messages_dropped: dict[tuple[str, ...], int] = _by("reason")
    """Messages that no hook saw: `closing`, `bad_payload` (the route's codec cannot read it), `rate_limited`."""
    reloads: dict[tuple[str, ...], int] = _by("result")
    """Routes at swaps: `added`, `changed`, `unchanged`, `removed`, `refused`."""
    tasks: int = _gauge()
    """Tasks of the event loop at the time of asking: some of the server's own, one for each hook that waits."""
    bus_is_down: int = _gauge()
    """1 while this node is without its bus."""
    bus_lag_seconds: float = _gauge()
    """How long the latest heartbeat over the bus took, there and back; while one is missing, for how long it is."""
    bus_queued_bytes: int = _gauge()
    """Published, and neither back nor taken by the store."""
    bus_down: int = 0
    """How often the bus was lost."""
    bus_gaps: dict[tuple[str, ...], int] = _by("reason")
    """Gaps told: `reconnected`, `node was alone`, `node lost`, `a message is missing`."""
    bus_drops: dict[tuple[str, ...], int] = _by("reason")
    """Messages from the bus that were not handed out: `stale`, `repeated`, `version`."""
    recoveries: dict[tuple[str, ...], int] = _by("result")
    """Channels of clients that came back, by what they were told: `complete`; `lost`, something was not kept any more;
    `unknown`, of another epoch, or nothing is kept; `down`, the bus could not be asked."""
    history_refused: int = 0
    """Messages of channels with `history` that the store of the bus had no room for, and did not keep."""
    history_healed: int = 0
    """Messages that members of this node got late, from what the store keeps."""
    troubles: int = 0
    """Bugs of ours that were caught where they harm nobody else."""


TIMED_RUNS: Final = 128
"""So many of a connection's runs are remembered for percentiles."""


def percentile(seconds: Collection[float], share: float) -> float | None:
    """So many seconds this share of the runs took at most, 0 < share ≤ 1; None where there was none."""
    ordered = sorted(seconds)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def tally_of(counter: dict[tuple[str, ...], Tally], *labels: str) -> Tally:
    """The tally of these labels, a new one where there is none."""
    tally = counter.get(labels)
    if tally is None:
        tally = counter[labels] = Tally()
    return tally


def count(counter: dict[tuple[str, ...], Any], *labels: str, by: float = 1) -> None:
    """Add to one entry of a labelled counter."""
    counter[labels] = counter.get(labels, 0) + by


PREFIX: Final = "worpen_"
TOTAL: Final = "_total"
"""The end of a counter's name."""
_WIRE_LABELS: Final = {"handshakes": ("result",), "drops": ("reason",), "limits_reached": ("limit",)}


@dataclass(frozen=True, slots=True)
class Sample:
    """One number: its name (counters end in `_total`), its labels, its value."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


_HELP: Final[dict[str, str]] = {
    "worpen_connections": "WebSocket connections open now.",
    "worpen_queued_bytes": "Bytes sent to connections that the kernel has not taken yet.",
    "worpen_bus_is_down": "1 while this node is without its bus.",
    "worpen_bus_lag_seconds": "How long a heartbeat over the bus takes; while one is missing, for how long it is.",
    "worpen_bus_queued_bytes": "Bytes published that are neither back nor taken by the store.",
    "worpen_bus_gaps_total": "Times that messages of other nodes may have been missed, by reason.",
    "worpen_worker_up": "1 for each worker process that is there and goes on.",
    "worpen_worker_starts_total": "How often a worker process was started at this place.",
    "worpen_handshakes_total": "Requests by result: accepted, dropped, timeout, or the HTTP status.",
    "worpen_tasks": "Tasks of the event loop: some of the server's own, one for each hook that waits.",
    "worpen_deliveries_total": "Recipients of broadcasts, one for each recipient and message.",
    "worpen_drops_total": "Connections that the server ended, by reason.",
    "worpen_limits_reached_total": "How often a limit refused, ended or held back something.",
    "worpen_hook_runs_total": "Runs of hooks.",
    "worpen_hook_seconds_total": "Time spent in hooks, waiting included.",
    "worpen_messages_dropped_total": "Messages that no hook saw, by reason.",
    "worpen_recoveries_total": "Channels of clients that came back, by what they were told.",
    "worpen_history_refused_total": "Messages of channels with history that the bus had no room for.",
    "worpen_history_healed_total": "Messages that members got late, from what the bus keeps.",
}
"""What is said of the metrics whose names do not say it."""


def samples(*groups: WireCounters | ServerCounters) -> Iterator[Sample]:
    """Every number of these groups, in the order of declaration."""
    for group in groups:
        for row in fields(group):
            value = getattr(group, row.name)
            if not isinstance(value, dict):
                yield Sample(PREFIX + row.name + ("" if row.metadata.get("is_gauge") else TOTAL), (), value)
                continue
            labels = row.metadata.get("labels") or _WIRE_LABELS[row.name]
            for name, numbers in _series(row.name, value):
                for key, number in sorted(numbers.items()):
                    entry = (key,) if isinstance(key, str) else key
                    yield Sample(f"{PREFIX}{name}{TOTAL}", tuple(zip(labels, entry, strict=True)), number)


def _series(name: str, counter: dict[Any, Any]) -> Iterator[tuple[str, dict[Any, float]]]:
    """A labelled counter as numbers: itself, or of tallies one for each of their fields."""
    if not any(isinstance(value, Tally) for value in counter.values()):
        yield name, counter
        return
    for row in fields(Tally):
        yield f"{name}_{row.name}", {key: getattr(tally, row.name) for key, tally in counter.items()}


def exposition(numbers: Iterable[Sample]) -> str:
    """Samples in the text format that Prometheus scrapes, as its own library writes it."""
    from prometheus_client import CollectorRegistry, generate_latest  # costs more than a start; only scrapes pay

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(numbers))
    return generate_latest(registry).decode()


class _Families:
    """What a registry asks for its metrics: the samples, those of one name together."""

    def __init__(self, numbers: Iterable[Sample]) -> None:
        self._by_name: dict[str, list[Sample]] = {}
        for sample in numbers:
            self._by_name.setdefault(sample.name, []).append(sample)

    def collect(self) -> Iterator[Metric]:
        """One family for each name."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name, same in self._by_name.items():
            labels = [label for label, _ in same[0].labels]
            kind = CounterMetricFamily if name.endswith(TOTAL) else GaugeMetricFamily
            family = kind(name, _HELP.get(name, name.removeprefix(PREFIX).replace("_", " ")), labels=labels)
            for sample in same:
                family.add_metric([value for _, value in sample.labels], sample.value)
            yield family
