"""What the wire must reach beside its peers, and whether a run did: ratios of medians over the rounds of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

OWN: Final = "worpen"
FLOOR: Final = "floor-c"
"""The C program that reads and sends and does nothing else, as cheaply as one system call a message allows."""
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


def ratio(bar: Bar, medians: Medians, server: str = OWN) -> float | None:
    """How many times as much as the peer a server takes; None where one of the two was not measured."""
    peer, own = (_times(medians, bar, name) for name in (bar.peer, server))
    return own / peer if own and peer else None


def _times(medians: Medians, bar: Bar, server: str) -> float | None:
    """How many times as much as worpen a server takes."""
    servers = medians.get(bar.metric, {})
    if OWN not in servers:
        return None
    return 1.0 if server == OWN else servers.get(server, {}).get(f"x {bar.column}")


def verdicts(medians: Medians) -> str:
    """A table: each bar, its ratio, whether it holds, and the ratio of a C program: what no server goes below."""
    head = (
        "| what | measured | beside | at most | ratio | | the C program |",
        "| --- | --- | --- | --: | --: | --- | --: |",
    )
    return "\n".join((*head, *_rows(medians))) + "\n"


def _rows(medians: Medians) -> Iterator[str]:
    for bar in BARS:
        found, least = ratio(bar, medians), ratio(bar, medians, FLOOR)
        shown, floor = ("–" if each is None else f"{each:.2f}" for each in (found, least))
        verdict = "not measured" if found is None else "holds" if found <= bar.most else "**does not hold**"
        what, column = _WHAT[bar.metric], _COLUMNS[bar.column]
        yield f"| {what} | {column} | {bar.peer} | {bar.most} | {shown} | {verdict} | {floor} |"
