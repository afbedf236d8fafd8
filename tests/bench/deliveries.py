"""What a delivery costs by the number of members: `python -m tests.bench.deliveries`.

Processor time of a server for one delivery, from the load generator of `../shared/bench`, with the server on one core
and the generator on the other. Beside worpen runs the C program there that sends each member the frame by one `send`
and does nothing else: what grows with it is the kernel's, which has more sockets to go through than the caches hold.
Both servers are measured in turns.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.serving import await_listening, free_port, server

SHARED: Final = Path(__file__).parents[3] / "shared" / "bench"
GENERATOR: Final = SHARED / "wsload.c"
FLOOR: Final = SHARED / "peers" / "floor.c"
MEMBERS: Final = (100, 1_000, 10_000)
TRIES: Final = 3
RUN_SECONDS: Final = 1.2
PATIENCE_SECONDS: Final = 30.0
MOST: Final = 1.5
"""So many times what the smallest channel's delivery costs, one of the largest may cost."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of processor time of one delivery: all of it, and what is spent outside the kernel."""

    whole: float
    own: float


@dataclass(frozen=True, slots=True)
class Costs:
    """By the number of members: worpen's, and those of the C program."""

    worpen: dict[int, Cost]
    floor: dict[int, Cost]


def measure() -> Costs:
    """Medians of alternated runs."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, server() as (port, process):
        generator = _compiled(GENERATOR, Path(folder))
        with _floor(_compiled(FLOOR, Path(folder))) as (floor_port, floor_process):
            targets = (
                (f"ws://127.0.0.1:{port}/ws/room", process),
                (f"ws://127.0.0.1:{floor_port}/broadcast", floor_process),
            )
            for _, one in targets:
                os.sched_setaffinity(one, cores[:1])
            runs: dict[tuple[int, int], list[Cost]] = {}
            for _ in range(TRIES):
                for members in MEMBERS:
                    for number, (url, one) in enumerate(targets):
                        found = _run([str(generator), "--url", url, "--pids", str(one)], members, cores[-1])
                        runs.setdefault((number, members), []).append(found)
    worpen, floor = ({members: _median(runs[number, members]) for members in MEMBERS} for number in (0, 1))
    return Costs(worpen, floor)


def _compiled(source: Path, folder: Path) -> Path:
    program = folder / source.stem
    subprocess.run(["gcc", "-O2", "-o", program, source, "-lm"], check=True)
    return program


@contextmanager
def _floor(program: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    process = subprocess.Popen([program, str(port), "ws"])
    try:
        await_listening(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _run(generator: list[str], members: int, core: int) -> Cost:
    own = ["taskset", "-c", str(core), *generator, "--mode", "broadcast"]
    own += ["--conns", str(members), "--duration", str(RUN_SECONDS)]
    done = subprocess.run(own, check=True, stdout=subprocess.PIPE, timeout=PATIENCE_SECONDS)
    found = json.loads(done.stdout)
    return Cost(float(found["cpu_us"]), float(found["cpu_user_us"]))


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.whole for cost in costs), statistics.median(cost.own for cost in costs))


def report() -> str:
    """As Markdown."""
    costs = measure()
    ratio, floor_ratio = _growth(costs.worpen), _growth(costs.floor)
    added = {members: costs.worpen[members].whole - costs.floor[members].whole for members in MEMBERS}
    return "\n".join(
        (
            f"| members | {' | '.join(f'{members:,}' for members in MEMBERS)} |",
            "| --- " + "| --: " * len(MEMBERS) + "|",
            _row("processor time of one delivery", [cost.whole for cost in costs.worpen.values()]),
            _row("of it outside the kernel", [cost.own for cost in costs.worpen.values()]),
            _row("a C program's, which only sends", [cost.whole for cost in costs.floor.values()]),
            _row("what worpen adds to that", list(added.values())),
            "",
            f"{MEMBERS[-1]:,} members cost {ratio:.2f} times what {MEMBERS[0]} cost (at most {MOST}: "
            f"{'holds' if ratio <= MOST else 'does not hold'}), and the C program {floor_ratio:.2f} times: that much "
            "the kernel's part grows.",
        )
    )


def _growth(costs: dict[int, Cost]) -> float:
    return costs[MEMBERS[-1]].whole / costs[MEMBERS[0]].whole


def _row(what: str, microseconds: list[float]) -> str:
    return f"| {what} | " + " | ".join(f"{one:.2f} µs" for one in microseconds) + " |"


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.stdout.write(report() + "\n")
