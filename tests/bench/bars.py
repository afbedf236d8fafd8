"""What the wire must reach beside its peers, and whether a run did: ratios of medians over the rounds of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

CPU: Final = "cpu_us"
P99: Final = "p99_us"


@dataclass(frozen=True, slots=True)
class Bar:
    """At most so many times what a peer takes."""

    metric: str
    """A metric of the comparison."""
    peer: str
    most: float
    column: str = CPU


BARS: Final = (
    Bar("echo100", "websockets", 0.5),
    Bar("echo100", "picows", 1.25),
    Bar("echo100", "ws", 0.8),
    Bar("pipe32", "websockets", 0.15),
    Bar("pipe32", "picows", 0.3),
    Bar("cast1000", "websockets", 0.55),
    Bar("cast1000", "picows", 1.05),
    Bar("cast1000", "nchan", 0.95),
    Bar("cast100w8", "websockets", 0.3),
    Bar("cast100w8", "nchan", 0.7),
    Bar("connect", "websockets", 0.45),
    Bar("echo100", "picows", 1.25, P99),
)
"""The last one is the latency of the slowest in a hundred."""

_WHAT: Final = {
    "echo100": "echo, 100 connections",
    "pipe32": "echo, 32 in flight",
    "cast1000": "fan-out to 1 000",
    "cast100w8": "fan-out, 8 in flight",
    "connect": "handshake",
}
_COLUMNS: Final = {CPU: "processor time", P99: "p99 latency"}

Medians = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Metric → server → column → number. `x COLUMN` is how many times worpen's a peer's is, round by round."""


def ratio(bar: Bar, medians: Medians) -> float | None:
    """How many times as much as the peer worpen takes; None where one of the two was not measured."""
    servers = medians.get(bar.metric, {})
    times = servers.get(bar.peer, {}).get(f"x {bar.column}")
    return 1 / times if times and "worpen" in servers else None


def verdicts(medians: Medians) -> str:
    """A table: each bar, its ratio, and whether it holds."""
    head = ("| what | measured | beside | at most | ratio | |", "| --- | --- | --- | --: | --: | --- |")
    return "\n".join((*head, *_rows(medians))) + "\n"


def _rows(medians: Medians) -> Iterator[str]:
    for bar in BARS:
        found = ratio(bar, medians)
        shown = "–" if found is None else f"{found:.2f}"
        verdict = "not measured" if found is None else "holds" if found <= bar.most else "**does not hold**"
        what, column = _WHAT[bar.metric], _COLUMNS[bar.column]
        yield f"| {what} | {column} | {bar.peer} | {bar.most} | {shown} | {verdict} |"
