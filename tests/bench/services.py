"""What trouble outside does to routes that have no part in it: python -m tests.bench.services [PAIRS [CASE...]]

The server has one core, its clients the other. For each case, windows in which nobody asks the troubled route
alternate with windows in which 50 clients ask it once a second each. Shown are, of both: the answer times of clients
of an echo route, how late turns of the server's loop came and why (see `lag`), beside how late they came in a process
that does nothing else; then which faults hooks ended with, and how long the longest run was.

Answer times feel the neighbours on the machine; what the loop was late by itself, without the time that it had no core,
does not. Who may mount a file system (root) sees a full disk as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from runtime.app import run
from tests.bench.lag import Seen
from tests.postgresql import Postgresql, postgresql
from tests.runtime.bus.valkey import Valkey, valkey

ECHO_CLIENTS = 10
ECHO_PAUSE_SECONDS = 0.02
ASKING_CLIENTS = 50
ASKING_PAUSE_SECONDS = 1.0
WINDOW_SECONDS = 3.0
SQL_SECONDS = 2.0
REDIS_SECONDS = 0.5
SERVER_CORE, *_, OTHER_CORE = sorted(os.sched_getaffinity(0))


class Child:
    """A process that answers lines with JSON, on one core."""

    def __init__(self, core: int, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout

    def line(self) -> str:
        """The next that it says."""
        return self._output.readline()

    def take(self) -> dict[str, Any]:
        """What it saw since the last time."""
        self._input.write("\n")
        self._input.flush()
        taken: dict[str, Any] = json.loads(self.line())
        return taken

    def end(self) -> None:
        """Have it end."""
        self._input.close()
        self._process.wait(60)


class Window:
    """What was seen while nobody asked, or while they did."""

    def __init__(self) -> None:
        self.answers: list[float] = []
        self.server: list[Seen] = []
        self.control: list[Seen] = []
        self.done = 0
        self.faults: Counter[str] = Counter()
        self.longest: dict[str, float] = {}

    def add(self, answers: Sequence[float], done: int, server: Mapping[str, Any], control: Mapping[str, Any]) -> None:
        """One more window."""
        faults = server["faults"]
        self.done += done
        self.answers += answers
        self.server.append(Seen(**{name: server[name] for name in Seen.__match_args__}))
        self.control.append(Seen(**control))
        for code, (count, seconds) in faults.items():
            self.faults[code] += count
            self.longest[code] = max(seconds, self.longest.get(code, 0.0))


def p99(answers: Sequence[float]) -> float:
    """In milliseconds."""
    return sorted(answers)[int(len(answers) * 0.99)] * 1000


class Measurement:
    """A server with its clients."""

    def __init__(self, server: Child, control: Child, address: str) -> None:
        self._server = server
        self._control = control
        self._address = address

    async def measure(self, case: str, pairs: int, route: str) -> None:
        """Alternate windows and print what was seen."""
        quiet, trouble, ratios = Window(), Window(), []
        async with AsyncExitStack() as stack:
            echoing = [await self._connected(stack, "echo") for _ in range(ECHO_CLIENTS)]
            asking = [await self._connected(stack, route) for _ in range(ASKING_CLIENTS)]
            await self._window(echoing, [])  # warms up
            for pair in range(pairs):
                order = [(quiet, []), (trouble, asking)]
                p99s = {}
                for window, clients in order if pair % 2 == 0 else reversed(order):
                    answers, done, server, control = await self._window(echoing, clients)
                    window.add(answers, done, server, control)
                    p99s[window is trouble] = p99(answers)
                ratios.append(p99s[True] / p99s[False])
        report(case, quiet, trouble, ratios)

    async def _connected(self, stack: AsyncExitStack, route: str) -> ClientConnection:
        return await stack.enter_async_context(connect(f"{self._address}/ws/{route}", compression=None))

    async def _window(
        self, echoing: Sequence[ClientConnection], asking: Sequence[ClientConnection]
    ) -> tuple[list[float], int, dict[str, Any], dict[str, Any]]:
        answers: list[float] = []
        done: list[object] = []
        jobs = [echo(client, answers) for client in echoing]
        jobs += [ask(client, number / len(asking) * ASKING_PAUSE_SECONDS) for number, client in enumerate(asking)]
        jobs += [hear(client, done) for client in asking]
        tasks = [asyncio.create_task(job) for job in jobs]
        await asyncio.sleep(0.5)  # until the load is what it stays
        self._server.take()
        self._control.take()
        answers.clear()
        done.clear()
        await asyncio.sleep(WINDOW_SECONDS)
        seen = list(answers), len(done), self._server.take(), self._control.take()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(SQL_SECONDS + 0.5 if asking else 0.1)  # what is still running is not of the next window
        return seen


async def echo(client: ClientConnection, answers: list[float]) -> None:
    """Ask for an echo again and again."""
    while True:
        began = perf_counter()
        await client.send("x")
        await asyncio.shield(client.recv())
        answers.append(perf_counter() - began)
        await asyncio.sleep(ECHO_PAUSE_SECONDS)


async def ask(client: ClientConnection, offset: float) -> None:
    """Have a hook run once a second, whether the last run ended or not."""
    await asyncio.sleep(offset)
    while True:
        await client.send("x")
        await asyncio.sleep(ASKING_PAUSE_SECONDS)


async def hear(client: ClientConnection, done: list[object]) -> None:
    """Take down what hooks answered that ended well."""
    async for message in client:
        done.append(message)


def report(case: str, quiet: Window, trouble: Window, ratios: Sequence[float]) -> None:
    """One case, for people."""
    before, then = p99(quiet.answers), p99(trouble.answers)
    print(f"{case}")
    print(
        f"  echo p99 {before:.2f} → {then:.2f} ms, {then / before - 1:+.0%}; "
        f"p50 {median(quiet.answers) * 1000:.2f} → {median(trouble.answers) * 1000:.2f} ms; "
        f"pairs {', '.join(f'{ratio - 1:+.0%}' for ratio in ratios)}"
    )
    for name, window in (("quiet", quiet), ("trouble", trouble)):
        cpu, process = (
            sum(getattr(seen, name) for seen in window.server) / len(window.server) / WINDOW_SECONDS
            for name in ("cpu", "process")
        )
        print(f"  {name:<8}loop {lateness(window.server)}; CPU {cpu:.1f} ms/s, with all threads {process:.1f}")
        print(f"  {'':<8}idle process {lateness(window.control)}")
    told = ", ".join(
        f"{code} x{count}, longest {trouble.longest[code]:.3f} s" for code, count in trouble.faults.items()
    )
    print(f"  hooks: done x{trouble.done}; faults: {told or 'none'}", flush=True)


def lateness(windows: Sequence[Seen]) -> str:
    """The worst of some windows."""
    late, computed, queued, blocked = (
        max(getattr(seen, name) for seen in windows) for name in ("late", "computed", "queued", "blocked")
    )
    own = median(seen.own99 for seen in windows)
    why = f"ran {computed:.1f}, had no core {queued:.1f}, blocked {blocked:.1f}"
    return f"late {late:.1f} ms ({why}), p99 by itself {own:.2f}"


@contextmanager
def serving(folder: Path, database: str, redis: str) -> Iterator[Measurement]:
    """A server on the first core, everything else on the second."""
    given = {
        "database": database, "redis": redis, "folder": str(folder),
        "sql_seconds": SQL_SECONDS, "redis_seconds": REDIS_SECONDS,
    }  # fmt: skip
    server = Child(SERVER_CORE, "tests.bench.services_server", json.dumps(given))
    control = Child(OTHER_CORE, "tests.bench.lag")
    try:
        yield Measurement(server, control, f"ws://127.0.0.1:{int(server.line())}")
    finally:
        server.end()
        control.end()


@dataclass(frozen=True)
class Case:
    """What is measured, and how it comes about."""

    name: str
    route: str
    begin: Callable[[], object] = lambda: None
    end: Callable[[], object] = lambda: None


def cases_on_sqlite(file: Path, redis: Valkey) -> list[Case]:
    """With a file as the database, and with Redis."""
    other = sqlite3.connect(file, isolation_level=None)
    return [
        Case("SQLite, endless query", "endless"),
        Case("SQLite, well", "write"),
        Case("SQLite, locked", "write", lambda: other.execute("BEGIN EXCLUSIVE"), lambda: other.execute("ROLLBACK")),
        Case("SQLite, back", "write"),
        Case("Redis, well", "count"),
        Case("Redis, hung", "count", redis.hang, redis.wake),
        Case("Redis, down", "count", redis.kill, redis.start),
        Case("Redis, back", "count"),
    ]


def cases_on_small_disk(folder: Path) -> list[Case]:
    """With a file on a disk that has no room."""
    hog = folder / "hog"
    return [
        Case("SQLite, disk full", "write", lambda: fill(hog), hog.unlink),
        Case("SQLite, disk with room again", "write"),
    ]


def fill(file: Path) -> None:
    """Write until there is no room."""
    with suppress(OSError), file.open("wb", buffering=0) as hog:
        while True:
            hog.write(b"x" * 512)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of a few megabytes; None where that is not allowed."""
    place = folder / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def cases_on_postgresql(server: Postgresql) -> list[Case]:
    """With PostgreSQL."""
    return [
        Case("PostgreSQL, endless query", "endless"),
        Case("PostgreSQL, well", "write"),
        Case("PostgreSQL, down", "write", server.stop, server.start),
        Case("PostgreSQL, back", "write"),
    ]


async def measure_all(cases: Sequence[Case], folder: Path, database: str, redis: str, pairs: int) -> None:
    """One server for them all."""
    if cases:
        with serving(folder, database, redis) as measurement:
            for case in cases:
                case.begin()
                await measurement.measure(case.name, pairs, case.route)
                case.end()


async def main(pairs: int, words: Sequence[str]) -> None:
    """Measure all cases, or those whose names have one of the words."""

    def wanted(cases: Sequence[Case]) -> list[Case]:
        return [case for case in cases if not words or any(word.lower() in case.name.lower() for word in words)]

    os.sched_setaffinity(0, {OTHER_CORE})
    with tempfile.TemporaryDirectory() as name, valkey() as redis:
        folder, file = Path(name), Path(name, "test.db")
        await measure_all(wanted(cases_on_sqlite(file, redis)), folder, f"sqlite:///{file}", redis.url, pairs)
        with small_disk(folder) as small:
            if small is not None:
                url = f"sqlite:///{small / 'test.db'}"
                await measure_all(wanted(cases_on_small_disk(small)), folder, url, redis.url, pairs)
        with postgresql() as server:
            await measure_all(wanted(cases_on_postgresql(server)), folder, server.url, redis.url, pairs)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4, sys.argv[2:]))
