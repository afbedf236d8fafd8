"""What the server must say of itself, by what its clients know; and what it says, read from outside."""

from __future__ import annotations

import http.client
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.server.reception import METRICS_SECONDS
from tests.bench.soak.hostile import STALLED_BYTES
from tests.bench.soak.routes import CHANGED

_LINE: Final = re.compile(r'worpen_(\w+)(?:\{([^}]*)\})? ([0-9.e+-]+)', re.ASCII)  # fmt: skip
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"', re.ASCII)
DRAINED_BYTES: Final = STALLED_BYTES + 100
"""Of one message to a stalled reader, with what is around it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was compared: both sides, and the room between them."""

    what: str
    wanted: float
    found: float
    more: float = 0
    """So much more than wanted is right as well."""

    @property
    def holds(self) -> bool:
        """Whether the server says what the model says."""
        return self.wanted <= self.found <= self.wanted + self.more


class Metrics:
    """A scrape of /metrics."""

    def __init__(self, text: str) -> None:
        self.values: dict[str, float] = {}
        self._labelled: dict[str, list[tuple[dict[str, str], float]]] = {}
        for name, labels, value in _LINE.findall(text):
            found = dict(_LABEL.findall(labels))
            self.values[name] = float(value)
            self._labelled.setdefault(name, []).append((found, float(value)))

    def sum(self, name: str, **labels: str) -> float:
        """Of all entries with these labels."""
        entries = self._labelled.get(name, ())
        return sum(value for found, value in entries if labels.items() <= found.items())

    def by(self, name: str, label: str) -> dict[str, float]:
        """The entries by one label."""
        return {found[label]: value for found, value in self._labelled.get(name, ())}


def scrape(port: int) -> Metrics:
    """What the server says now. The answer counts as one handshake with the result 200, after it was written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    time.sleep(METRICS_SECONDS)  # what another one was told is over
    try:
        connection.request("GET", "/metrics")
        return Metrics(connection.getresponse().read().decode())
    finally:
        connection.close()


def descriptors(pid: int) -> int:
    """Files and sockets that a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kib(pid: int) -> float:
    """Memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


@dataclass(frozen=True, slots=True)
class Known:
    """What clients and conductor know."""

    open: int
    tally: Mapping[str, int]
    reloads: int
    scrapes: int
    sleeping: int
    base_tasks: int
    base_descriptors: int


def compare(known: Known, said: Metrics, found_descriptors: int) -> list[Line]:
    """Every line of the model."""
    return [*_state(known, said, found_descriptors), *_connections(known, said), *_messages(known, said)]


def _state(known: Known, said: Metrics, found_descriptors: int) -> Iterator[Line]:
    yield Line("connections open", known.open, said.sum("connections"))
    yield Line("tasks", known.base_tasks + known.sleeping, said.sum("tasks"))
    yield Line("descriptors", known.base_descriptors + known.open, found_descriptors)
    yield Line("clients that met what they did not expect", 0, known.tally.get("wrong", 0))
    yield Line("bugs caught by the server", 0, said.sum("troubles_total"))
    yield Line("routes changed by reloads", CHANGED * known.reloads, said.sum("reloads_total", result="changed"))


def _connections(known: Known, said: Metrics) -> Iterator[Line]:
    tally = known.tally
    closed = _under("closed:", tally)
    yield Line("handshakes accepted", tally.get("accepted", 0), said.sum("handshakes_total", result="accepted"))
    yield Line("runs of on_connect", tally.get("accepted", 0), said.sum("hook_runs_total", hook="on_connect"))
    yield Line("runs of on_disconnect", sum(closed.values()), said.sum("hook_runs_total", hook="on_disconnect"))
    yield from _each("closed with", closed, said.by("disconnects_total", "code"))
    refused = {**_under("refused:", tally), "200": known.scrapes, "accepted": tally.get("accepted", 0)}
    yield from _each("handshakes that were", refused, said.by("handshakes_total", "result"))
    yield from _each("dropped for", _under("dropped:", tally), said.by("drops_total", "reason"))


def _messages(known: Known, said: Metrics) -> Iterator[Line]:
    tally = Counter(known.tally)
    murmured = said.sum("hook_runs_total", route="Stall", hook="on_message")
    yield Line("messages that stalled readers' route took", 0, murmured, tally["murmured"])
    yield Line("messages in", tally["messages_in"] + murmured, said.sum("messages_in_total"))
    yield Line("answers out", tally["messages_out"], said.sum("messages_out_total"))
    yield Line("recipients of broadcasts, as the hooks say", tally["heard"] + murmured, said.sum("deliveries_total"))
    yield Line("broadcasts that came", tally["heard"], tally["deliveries"])
    yield Line("pings in", tally["pings"], said.sum("pings_in_total"))
    unread = tally["murmured"] * DRAINED_BYTES
    yield Line("bytes out, at least what came", tally["bytes_out"], said.sum("bytes_out_total"), unread)
    hostile = tally["bytes_hostile"]
    yield Line("bytes in", tally["bytes_in"] - hostile, said.sum("bytes_in_total"), hostile)


def _each(what: str, wanted: Mapping[str, float], found: Mapping[str, float]) -> Iterator[Line]:
    for key in sorted({*wanted, *found}):
        yield Line(f"{what} {key}", wanted.get(key, 0), found.get(key, 0))


def _under(prefix: str, tally: Mapping[str, int]) -> dict[str, float]:
    return {key.removeprefix(prefix): value for key, value in tally.items() if key.startswith(prefix)}
