"""Judges what clients of several nodes heard: nothing twice, one order in each channel, no loss without a gap told.

A message is known by its sender and its number; a sender counts its messages. A client that heard a sender's message 4
and then 6, while somebody heard 5, must be on a node that told of a gap between these two moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

TOLERANCE_SECONDS = 2.0
"""A node tells of a gap a little before or after its clients hear what lies beyond."""
TAIL_SECONDS = 2.0
"""What was said so shortly before the end may still be on its way."""


class Heard(NamedTuple):
    """A message as a client got it, at a moment in seconds."""

    time: float
    sender: str
    number: int


@dataclass(slots=True)
class Log:
    """What one client heard, in order."""

    client: str
    node: str
    channel: str
    heard: list[Heard] = field(default_factory=list)
    ended: float = 0.0
    """Until when it listened."""


class Gap(NamedTuple):
    """What a node told: its clients may have missed messages from `source` ("": anybody) to `channel` ("": any)."""

    time: float
    node: str
    source: str
    channel: str


def check(logs: Sequence[Log], gaps: Sequence[Gap]) -> list[str]:
    """Everything that should not be, in sentences; at most one of a kind for each client or pair of them."""
    nodes = {log.client: log.node for log in logs}
    found: list[str] = []
    for channel in sorted({log.channel for log in logs}):
        members = [log for log in logs if log.channel == channel]
        for log in members:
            found += _repeated(log)
            found += _out_of_turn(log)
        for one, other in combinations(members, 2):
            found += _split(one, other)
        found += _lost(members, nodes, gaps)
    return found


def _repeated(log: Log) -> Iterator[str]:
    seen: set[tuple[str, int]] = set()
    for _, sender, number in log.heard:
        if (sender, number) in seen:
            yield f"duplicate: {log.client} heard {sender} {number} twice"
            return
        seen.add((sender, number))


def _out_of_turn(log: Log) -> Iterator[str]:
    latest: dict[str, int] = {}
    for _, sender, number in log.heard:
        if number < latest.get(sender, 0):
            yield f"reorder: {log.client} heard {sender} {number} after {latest[sender]}"
            return
        latest[sender] = number


def _split(one: Log, other: Log) -> Iterator[str]:
    keys = [(heard.sender, heard.number) for heard in one.heard], [(h.sender, h.number) for h in other.heard]
    shared = set(keys[0]) & set(keys[1])
    orders = [[key for key in side if key in shared] for side in keys]
    for first, second in zip(*orders, strict=False):
        if first != second:
            yield f"split order: {one.client} heard {first} where {other.client} heard {second}"
            return


def _lost(logs: Iterable[Log], nodes: dict[str, str], gaps: Sequence[Gap]) -> Iterator[str]:
    logs = list(logs)
    said: dict[str, dict[int, float]] = {}
    for log in logs:
        for time, sender, number in log.heard:
            numbers = said.setdefault(sender, {})
            numbers[number] = min(time, numbers.get(number, time))
    for log in logs:
        for sender, numbers in said.items():
            missing = _missing(log, sender, numbers, nodes[sender], gaps)
            if missing is not None:
                yield f"silent loss: {log.client} never heard {sender} {missing}"
                break


def _missing(log: Log, sender: str, said: dict[int, float], source: str, gaps: Sequence[Gap]) -> int | None:
    """The first message of a sender that a client missed without being told; those before its first do not count."""
    mine = {number: time for time, name, number in log.heard if name == sender}
    if not mine:
        return None
    told = [
        gap.time
        for gap in gaps
        if gap.node == log.node and gap.source in ("", source) and gap.channel in ("", log.channel)
    ]
    for number in sorted(said):
        if number in mine or number < min(mine):
            continue
        if number > max(mine) and said[number] > log.ended - TAIL_SECONDS:
            continue
        before = max(time for other, time in mine.items() if other < number)
        after = min((time for other, time in mine.items() if other > number), default=log.ended)
        if not any(before - TOLERANCE_SECONDS <= time <= after + TOLERANCE_SECONDS for time in told):
            return number
    return None
