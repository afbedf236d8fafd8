"""`python -m tests.bench.attacks [NAME...] [--blocks 5] [--seconds 2]`: exit code 1 where a bar does not hold.

Each attack has a server of its own, with all limits at their defaults, on one core. Attackers and a healthy client
have the other; the client goes first there. Quiet windows (A) and windows of attack (B) alternate in blocks A B B A,
B A A B; each block gives one ratio of the 99th percentiles, and their median is judged. Then the attackers leave and
memory is read: it must be what it was after a first attack, within 5 %.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.attacks.healthy import Healthy, hurry, p99, prompt_network
from tests.bench.attacks.severed import severed
from tests.bench.attacks.ways import ATTACKS
from tests.bench.pairs import mirrored, pin
from tests.bench.serving import server
from tests.bench.soak.model import resident_kib

SLOWER: Final = 1.2
REMAINS: Final = 1.05
BOMB_KIB: Final = 2 * 1024
SERVER_CORE, OTHER_CORE = 0, 1
SETTLE_SECONDS: Final = 0.5
AFTER_SECONDS: Final = 7.0
"""After an attack: the server lingers up to 5 s with those it ended."""
STALL_SECONDS: Final = 30.0
"""A window in which stalled readers must be dropped: when the kernel's buffers are full, and the server's patience or
its share of memory for each is at an end."""


@dataclass(slots=True)
class Found:
    """What an attack did. Times in milliseconds, memory in KiB."""

    name: str
    quiet: list[float] = field(default_factory=list)
    attacked: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    fresh: float = 0.0
    """Before anybody attacked."""
    before: float = 0.0
    """After a first attack: code and heap that it needs once are there."""
    peak: float = 0.0
    after: float = 0.0
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def ratio(self) -> float:
        """How much longer the 99th percentile is under attack: the median of the blocks."""
        return statistics.median(self.ratios)

    def broken(self) -> Iterator[str]:
        """The bars that do not hold, in words."""
        if self.ratio > SLOWER:
            yield f"p99 {self.ratio - 1:+.0%}"
        if self.after > self.before * REMAINS:
            yield f"memory {self.after / self.before - 1:+.1%} afterwards"
        if self.name.startswith("bombs") and self.peak - self.fresh > BOMB_KIB:
            yield f"memory grew by {(self.peak - self.fresh) / 1024:.1f} MiB"
        if self.tally["dropped by the server"] < self.tally["stalled readers"]:
            yield "stalled readers were kept"
        if self.tally["lost by 900"]:
            yield f"{self.tally['lost by 900']} messages were lost"


class Crowd:
    """The process of attackers."""

    def __init__(self, port: int, name: str) -> None:
        own = [sys.executable, "-m", "tests.bench.attacks.crowd", str(port), name]
        self._process = subprocess.Popen(own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        os.sched_setscheduler(self._process.pid, os.SCHED_OTHER, os.sched_param(0))
        pin(self._process.pid, OTHER_CORE)

    def tell(self, command: str) -> Counter[str]:
        """Have it do something, and wait until that is done; what it has counted."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the attackers' process ended")
        return Counter(json.loads(line))

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def attacked(file: Path, name: str) -> Iterator[tuple[int, int, Crowd]]:
    """A server and its attackers: port, process id, the crowd."""
    with server((), file) as (port, pid):
        pin(pid, SERVER_CORE)
        crowd = Crowd(port, name)
        try:
            yield port, pid, crowd
        finally:
            crowd.end()


def peak_kib(pid: int) -> float:
    """The most memory that a process had since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(status.partition("VmHWM:")[2].split()[0])


def forget_peak(pid: int) -> None:
    """Begin anew with `peak_kib`."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def measure(file: Path, name: str, blocks: int, seconds: float) -> Found:
    """One attack: windows, then memory."""
    found = Found(name)
    with attacked(file, name) as (port, pid, crowd):
        client = Healthy(port)
        crowd.tell("prepare")
        client.window(1)
        found.fresh = resident_kib(pid)
        forget_peak(pid)
        window(client, crowd, attacked_seconds(name, seconds), True)
        found.peak = peak_kib(pid)
        time.sleep(AFTER_SECONDS)
        found.before = resident_kib(pid)
        windows: dict[int, dict[bool, list[float]]] = {}
        for block, is_attack in mirrored(blocks):
            times = window(client, crowd, attacked_seconds(name, seconds) if is_attack else seconds, is_attack)
            windows.setdefault(block, {False: [], True: []})[is_attack] += times
            if is_attack:
                found.peak = max(found.peak, peak_kib(pid))
        for both in windows.values():
            found.ratios.append(p99(both[True]) / p99(both[False]))
            found.quiet += both[False]
            found.attacked += both[True]
        found.tally = crowd.tell("finish")
        time.sleep(AFTER_SECONDS)
        client.window(0.5)
        found.after = resident_kib(pid)
        client.close()
    return found


def attacked_seconds(name: str, seconds: float) -> float:
    """How long a window of this attack is, where others have so many: some need the server's patience to end."""
    return STALL_SECONDS if name.endswith("stall") else seconds


def window(client: Healthy, crowd: Crowd, seconds: float, is_attack: bool) -> list[float]:
    """Times of one window, after what came before has settled."""
    if is_attack:
        crowd.tell("begin")
    time.sleep(SETTLE_SECONDS)
    times = client.window(seconds)
    if is_attack:
        crowd.tell("stop")
        time.sleep(SETTLE_SECONDS)
    return times


def show(found: Found) -> bool:
    """Print a line; whether all bars hold."""
    broken = list(found.broken())
    spread = f"{min(found.ratios):.2f} to {max(found.ratios):.2f}"
    memory = f"{found.fresh / 1024:6.1f}{found.before / 1024:7.1f}{found.peak / 1024:7.1f}{found.after / 1024:7.1f}"
    print(f"{found.name:<32}{p99(found.quiet):8.2f}{p99(found.attacked):8.2f}{found.ratio:8.2f}  {spread:<14}{memory}  "
          f"{'; '.join(broken) or 'holds'}", flush=True)  # fmt: skip
    if found.tally:
        print("    " + ", ".join(f"{value} {key}" for key, value in found.tally.items()), flush=True)
    return not broken


def main() -> int:
    """Run the attacks named on the command line, or all; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of attacks; all without any")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    chosen = parser.parse_args()
    names = [name for name in ATTACKS if not chosen.names or any(part in name for part in chosen.names)]
    pin(os.getpid(), OTHER_CORE)
    first = hurry()
    with prompt_network(OTHER_CORE):
        good = attack(names, chosen.blocks, chosen.seconds, first)
    if not chosen.names:
        good = severed() and good
    return 0 if good else 1


def attack(names: Sequence[str], blocks: int, seconds: float, first: bool) -> bool:
    """Do these and print a line of each; whether all bars hold. `first`: whether the healthy client goes first."""
    print(f"the healthy client {'goes first on its core' if first else 'shares its core as equals do'}; p99 in ms, "
          f"memory in MiB")  # fmt: skip
    print(f"{'attack':<32}{'quiet':>8}{'attack':>8}{'ratio':>8}  {'of blocks':<14}"
          f"{'fresh':>6}{'before':>7}{'peak':>7}{'after':>7}")  # fmt: skip
    good = True
    file = Path(__file__).with_name("routes.yaml")
    for name in names:
        good = show(measure(file, name, blocks, seconds)) and good
    return good


if __name__ == "__main__":
    sys.exit(main())
