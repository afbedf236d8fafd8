"""What trouble outside does to routes that have no part in it: python -m tests.bench.services [ROUNDS [WORD...]]

The server has one core, its clients the other. In each round of a case there are three windows, in another order each
time: `quiet`, in which only an echo route is used; `well`, in which 50 clients ask another route once a second each,
and what it needs is well; `trouble`, in which they do, and it is not. Shown are the answer times of the echo, how late
turns of the server's loop came and why (see `lag`), beside how late they came in a process that does nothing else;
then how hooks ended, and how long the longest run was. With words, only cases that have one in their names.

Answer times feel the neighbours on the machine; what the loop was late by itself, without the time that it had no core,
does not. Who may mount a file system (root) sees a full disk as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from runtime.app import run
from tests.bench.lag import Seen
from tests.bench.services_cases import Case, cases_on_postgresql, cases_on_small_disk, cases_on_sqlite, small_disk
from tests.postgresql import postgresql
from tests.runtime.bus.valkey import valkey

KINDS = ("quiet", "well", "trouble")
ECHO_CLIENTS = 10
ECHO_PAUSE_SECONDS = 0.02
ASKING_CLIENTS = 50
ASKING_PAUSE_SECONDS = 1.0
WINDOW_SECONDS = 3.0
SQL_SECONDS = 2.0
REDIS_SECONDS = 0.5
LEAVING_SECONDS = 4.0
"""Until nothing runs any more of what was asked by clients that left: messages that had come are still heard."""
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
    """What was seen in all windows of a kind."""

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

    async def measure(self, case: Case, rounds: int) -> None:
        """Alternate windows and print what was seen."""
        windows = {kind: Window() for kind in KINDS}
        ratios = []
        async with AsyncExitStack() as stack:
            echoing = [await self._connected(stack, "echo") for _ in range(ECHO_CLIENTS)]
            await self._window(echoing, "")  # warms up
            for number in range(rounds):
                p99s = {}
                for kind in KINDS[number % 3 :] + KINDS[: number % 3]:
                    route = {"quiet": "", "well": case.well, "trouble": case.trouble}[kind]
                    if kind == "trouble":
                        case.begin()
                    answers, done, server, control = await self._window(echoing, route)
                    if kind == "trouble":
                        case.end()
                    windows[kind].add(answers, done, server, control)
                    p99s[kind] = p99(answers)
                ratios.append(p99s["trouble"] / p99s["well"])
        report(case.name, windows, ratios)

    async def _connected(self, stack: AsyncExitStack, route: str) -> ClientConnection:
        return await stack.enter_async_context(connect(f"{self._address}/ws/{route}", compression=None))

    async def _window(
        self, echoing: Sequence[ClientConnection], route: str
    ) -> tuple[list[float], int, dict[str, Any], dict[str, Any]]:
        answers: list[float] = []
        done: list[object] = []
        async with AsyncExitStack() as stack:
            asking = [await self._connected(stack, route) for _ in range(ASKING_CLIENTS if route else 0)]
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
        await asyncio.sleep(LEAVING_SECONDS if route else 0.1)
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


def report(case: str, windows: Mapping[str, Window], ratios: Sequence[float]) -> None:
    """One case, for people."""
    print(f"{case}: echo p99 in trouble, round by round, {', '.join(f'{ratio - 1:+.0%}' for ratio in ratios)} of well")
    for kind, window in windows.items():
        cpu, process = (
            sum(getattr(seen, name) for seen in window.server) / len(window.server) / WINDOW_SECONDS
            for name in ("cpu", "process")
        )
        faults = ", ".join(
            f"{code} x{count}, longest {window.longest[code]:.3f} s" for code, count in window.faults.items()
        )
        print(
            f"  {kind:<8}echo p50 {median(window.answers) * 1000:.2f}, p99 {p99(window.answers):.2f} ms; "
            f"CPU {cpu:.1f} ms/s, with all threads {process:.1f}; hooks: done x{window.done}, {faults or 'no faults'}"
        )
        print(f"  {'':<8}loop {lateness(window.server)}")
        print(f"  {'':<8}idle process {lateness(window.control)}", flush=True)


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


async def measure_all(cases: Sequence[Case], folder: Path, database: str, redis: str, rounds: int) -> None:
    """One server for them all."""
    if cases:
        with serving(folder, database, redis) as measurement:
            for case in cases:
                await measurement.measure(case, rounds)


async def main(rounds: int, words: Sequence[str]) -> None:
    """Measure all cases, or those whose names have one of the words."""

    def wanted(cases: Sequence[Case]) -> list[Case]:
        return [case for case in cases if not words or any(word.lower() in case.name.lower() for word in words)]

    os.sched_setaffinity(0, {OTHER_CORE})
    with tempfile.TemporaryDirectory() as name, valkey() as redis:
        folder, file = Path(name), Path(name, "test.db")
        await measure_all(wanted(cases_on_sqlite(file, redis)), folder, f"sqlite:///{file}", redis.url, rounds)
        with small_disk(folder) as small:
            if small is not None:
                url = f"sqlite:///{small / 'test.db'}"
                await measure_all(wanted(cases_on_small_disk(small)), folder, url, redis.url, rounds)
        with postgresql() as server:
            await measure_all(wanted(cases_on_postgresql(server)), folder, server.url, redis.url, rounds)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:]))
