"""`python -m tests.bench.soak [SECONDS] [--clients 2000] …`: exit code 1 where a line does not hold.

Clients run in processes of their own. From time to time all rest; then the server's numbers must be those of the
clients, its descriptors and tasks too, once with hooks that wait and once without. At the end all leave, and nothing
may remain.
Memory is read all the time and must not grow by more than `DRIFT_MIB` an hour in the second part of the run.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench.serving import free_port
from tests.bench.soak.drift import drift
from tests.bench.soak.model import Known, Line, Metrics, compare, descriptors, resident_kib, scrape
from tests.bench.soak.routes import STEADY, routes

DRIFT_MIB: Final = 1.0
"""How much memory may grow in an hour."""
WARM_UP: Final = 0.4
"""The share of the time before memory counts."""
SETTLE_SECONDS: Final = 12.0
"""How long what is under way may take at a rest: the server lingers up to 5 s with what it ended."""
LOOK_SECONDS: Final = 0.5
LEAST_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how many, how often. Times in seconds."""

    seconds: float = 900.0
    clients: int = 2_000
    hostile: float = 0.02
    generators: int = 1
    life: float = 60.0
    pause: float = 2.0
    reload_every: float = 30.0
    rest_every: float = 60.0
    sleepers: int = 5
    drift_counts: bool = True


@dataclass(slots=True)
class Report:
    """What was found."""

    rests: list[list[Line]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds from the beginning, KiB."""
    notes: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    most_open: int = 0
    reloads: int = 0

    @property
    def broken(self) -> list[Line]:
        """What did not hold, at any rest."""
        return [line for lines in self.rests for line in lines if not line.holds]


class Generators:
    """The processes of clients."""

    def __init__(self, plan: Plan, port: int) -> None:
        hostile = max(1, round(plan.clients * plan.hostile))
        shares = [plan.clients // plan.generators] * plan.generators
        numbers = [(port, share, hostile // plan.generators or 1, plan.sleepers, plan.life, plan.pause)
                   for share in shares]  # fmt: skip
        self.sleepers = plan.sleepers * plan.generators
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.soak.generator", *map(str, own), str(seed)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for seed, own in enumerate(numbers)
        ]  # fmt: skip

    def tell(self, command: str) -> tuple[int, Counter[str], list[str]]:
        """Have all obey; how many connections are open, the tallies, what was wrong."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(command + "\n")
            process.stdin.flush()
        total, tally, notes = 0, Counter[str](), []
        for process in self._processes:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("a generator ended")
            answer: dict[str, Any] = json.loads(line)
            total += answer["open"]
            tally.update(answer["tally"])
            notes += answer["notes"]
        return total, tally, notes

    def end(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.communicate()


class Soak:
    """One run against a server that is up."""

    def __init__(self, plan: Plan, port: int, pid: int, reload: Callable[[int], None]) -> None:
        self.plan = plan
        self.port = port
        self.pid = pid
        self.reload = reload
        self.report = Report()
        self._started = time.monotonic()
        self._scrapes = 0
        self._scrape()
        self._base_tasks = int(self._scrape().sum("tasks"))
        self._base_descriptors = min(self._quiet_descriptors())
        self._generators = Generators(plan, port)

    def _quiet_descriptors(self) -> Iterator[int]:
        """Without clients; the one that scraped leaves meanwhile."""
        for _ in range(10):
            yield descriptors(self.pid)
            time.sleep(0.05)

    def run(self) -> Report:
        """Alternate between work and rest until the time is over, then have all leave."""
        try:
            rest_at = self.plan.rest_every
            self._generators.tell("go")
            while self._elapsed < self.plan.seconds:
                self._work(min(rest_at, self.plan.seconds))
                self._rest()
                if self.report.broken:  # what follows would follow from it
                    return self.report
                rest_at += self.plan.rest_every
                self._generators.tell("go")
            self._generators.tell("end")
            self._settle("count", 0)
        finally:
            self._generators.end()
        return self.report

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _work(self, until: float) -> None:
        """Look on, and reload now and then."""
        while self._elapsed < until:
            self._look()
            if self._elapsed >= (self.report.reloads + 1) * self.plan.reload_every:
                self.report.reloads += 1
                self.reload(self.report.reloads)
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        self.report.memory.append((self._elapsed, resident_kib(self.pid)))

    def _rest(self) -> None:
        """Compare at rest, then with hooks that wait."""
        self._generators.tell("rest")
        self._settle("rest", 0)
        if not self.report.broken:
            self._generators.tell("sleep")
            self._settle("count", self._generators.sleepers)
            self._settle("count", 0)

    def _settle(self, command: str, sleeping: int) -> None:
        """Compare until all holds, or the time for it is over; what was found last counts."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            total, tally, notes = self._generators.tell(command)
            held = descriptors(self.pid)  # before the scrape, whose connection is one more
            said = self._scrape()
            known = Known(
                total, tally, self.report.reloads, self._scrapes - 1, sleeping, self._base_tasks, self._base_descriptors
            )
            lines = compare(known, said, held)
            self._look()
            if all(line.holds for line in lines) or time.monotonic() > end:
                break
            time.sleep(0.2)
        self.report.rests.append(lines)
        self.report.tally, self.report.notes = tally, notes
        self.report.most_open = max(self.report.most_open, total)

    def _scrape(self) -> Metrics:
        self._scrapes += 1
        return scrape(self.port)


@contextmanager
def served() -> Iterator[tuple[int, int, Callable[[int], None]]]:
    """`worpen serve` in a process of its own: its port, its id, and what reloads it with a generation's routes."""
    with tempfile.TemporaryDirectory() as folder:
        busy, steady = Path(folder, "busy.yaml"), Path(folder, "steady.yaml")
        busy.write_text(routes(0), encoding="utf-8")
        steady.write_text(STEADY, encoding="utf-8")
        port = free_port()
        own = [sys.executable, "-m", "worpen_cli", "serve", str(busy), str(steady), "--host", "127.0.0.1",
               "--port", str(port)]  # fmt: skip
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(own, stdout=log)

        def reload(generation: int) -> None:
            busy.write_text(routes(generation), encoding="utf-8")
            process.send_signal(signal.SIGHUP)

        try:
            _await_ready(Path(folder, "log"), process)
            yield port, process.pid, reload
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()
            process.wait()


def _await_ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Read it in the log: a connection would be counted. Raises RuntimeError where it ends, or takes too long."""
    for _ in range(400):
        if b'"event": "ready"' in log.read_bytes():
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("the server does not get ready")


def soak(plan: Plan) -> Report:
    """Run the plan."""
    with served() as (port, pid, reload):
        return Soak(plan, port, pid, reload).run()


def show(plan: Plan, report: Report) -> bool:
    """Print what was found; whether everything holds."""
    tally = report.tally
    print(f"{plan.clients} clients, {report.most_open} connections at most, {tally['accepted']} in all, "
          f"{report.reloads} reloads, {len(report.rests)} comparisons at rest")  # fmt: skip
    print(f"{'what':<48}{'clients':>14}{'server':>14}")
    for line in report.rests[-1]:
        room = f" (+{line.more:.0f})" if line.more else ""
        print(f"{line.what:<48}{line.wanted:>14.0f}{line.found:>14.0f}{room}{'' if line.holds else '  DOES NOT HOLD'}")
    for number, lines in enumerate(report.rests[:-1], 1):
        for line in lines:
            if not line.holds:
                print(f"comparison {number}: {line.what}: {line.wanted:.0f}, the server says {line.found:.0f}")
    for note in report.notes:
        print(f"note: {note}")
    return show_memory(plan, report) and not report.broken


def show_memory(plan: Plan, report: Report) -> bool:
    """Print how memory grows; whether that holds, where it counts."""
    counted = [(at, kib) for at, kib in report.memory if at >= plan.seconds * WARM_UP]
    if report.broken or len(counted) < LEAST_SAMPLES:
        print("memory is judged where all else holds and the run was not cut short")
        return not plan.drift_counts
    found = drift(counted)
    slope, low, high = (value * 3600 / 1024 for value in (found.slope, found.low, found.high))
    span = counted[-1][0] - counted[0][0]
    holds = slope <= DRIFT_MIB
    verdict = ("holds" if holds else "DOES NOT HOLD") if plan.drift_counts else "not judged: too short"
    print(f"memory {counted[0][1] / 1024:.1f} MiB after warm-up, {counted[-1][1] / 1024:.1f} MiB at the end; drift "
          f"over the last {span:.0f} s: {slope:+.2f} MiB/h, 95 % between {low:+.2f} and {high:+.2f}; "
          f"{verdict}")  # fmt: skip
    return holds or not plan.drift_counts


def main() -> int:
    """Read the command line and run; the exit code."""
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=usual.seconds)
    for name in ("clients", "generators", "sleepers"):
        parser.add_argument(f"--{name}", type=int, default=getattr(usual, name))
    for name in ("hostile", "life", "pause", "reload_every", "rest_every"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(usual, name))
    chosen = vars(parser.parse_args())
    plan = Plan(**chosen, drift_counts=chosen["seconds"] >= 600)
    return 0 if show(plan, soak(plan)) else 1


if __name__ == "__main__":
    sys.exit(main())
