"""What trouble outside does to routes that have no part in it: python -m tests.bench.services [SECONDS]

One server and its clients in one process. For each trouble: the answer times of echo clients on another route, beside
those in quiet (before and after), the longest time that one turn of the event loop took beyond its due time, and how
long after its limit the slowest of the troubled hooks ended.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from websockets.asyncio.client import connect

from runtime.app import App, run
from runtime.events import HookFaulted
from runtime.limits import ServerLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services import Addresses
from tests.e2e.serving import program_bytes
from tests.postgresql import postgresql
from tests.runtime.bus.valkey import valkey

ECHO_CLIENTS = 10
TROUBLED = 4
PAUSE_SECONDS = 0.02
SQL_SECONDS = 2.0
REDIS_SECONDS = 0.5
ROUTE = """\
name: {name}
path: /ws/{name}
route_type: WebSocket
ws_hooks:
  on_message:
    - {operation}
"""
ROUTES = {
    "echo": 'WsOp: {command: send, message: "{{ message }}"}',
    "endless": "SqlOp: {query: "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n}",
    "write": "SqlOp: {query: INSERT INTO t VALUES (1)}",
    "count": "RedisOp: {command: INCR, key: n}",
}


@dataclass
class Watch:
    """What was seen in one stretch of time."""

    answers: list[float] = field(default_factory=list)
    lag: float = 0.0
    faults: dict[str, list[float]] = field(default_factory=dict)

    @property
    def p99(self) -> float:
        ordered = sorted(self.answers)
        return ordered[int(len(ordered) * 0.99)]


async def watch_lag(watch: Watch) -> None:
    while True:
        due = perf_counter() + 0.001
        await asyncio.sleep(0.001)
        watch.lag = max(watch.lag, perf_counter() - due)


async def echo(address: str, watch: Watch) -> None:
    async with connect(f"{address}/ws/echo", compression=None) as client:
        while True:
            began = perf_counter()
            await client.send("x")
            await client.recv()
            watch.answers.append(perf_counter() - began)
            await asyncio.sleep(PAUSE_SECONDS)


async def ask(address: str, route: str, pause: float) -> None:
    """Run a hook again and again, and not before the last run must have ended."""
    async with connect(f"{address}/ws/{route}", compression=None) as client:
        while True:
            await client.send("x")
            await asyncio.sleep(pause)


async def stretch(app: App, address: str, seconds: float, route: str = "", limit: float = 0) -> Watch:
    """Let everything run for so long, with a troubled route or without."""
    watch = Watch()

    def hear(event: object) -> None:
        if isinstance(event, HookFaulted):
            watch.faults.setdefault(event.code, []).append(event.seconds)

    stop = app.events.subscribe(hear)
    jobs = [echo(address, watch) for _ in range(ECHO_CLIENTS)]
    jobs += [ask(address, route, limit * 1.25) for _ in range(TROUBLED if route else 0)]
    tasks = [asyncio.create_task(job) for job in jobs]
    await asyncio.sleep(0.5)  # connecting is not what is measured
    watch.answers.clear()
    tasks.append(asyncio.create_task(watch_lag(watch)))
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if callable(stop):
        stop()
    return watch


@asynccontextmanager
async def serving(folder: Path, services: Addresses) -> AsyncIterator[tuple[App, str]]:
    limits = ServerLimits(sql_seconds=SQL_SECONDS, redis_seconds=REDIS_SECONDS, drain_spread_seconds=0)
    app = App(Settings(port=0, services=services, limits=limits))
    entries = []
    for name, operation in ROUTES.items():
        path = folder / f"{name}.yaml"
        path.write_text(ROUTE.replace("{name}", name).replace("{operation}", operation), encoding="utf-8")
        entries += entries_of(load(program_bytes(path), app.context))
    await app.start(entries)
    await app.services.run_script("CREATE TABLE IF NOT EXISTS t (id INTEGER)")
    gc.freeze()
    host, port = app.addresses[0]
    try:
        yield app, f"ws://{host}:{port}"
    finally:
        await app.drain()


def report(name: str, limit: float, quiet: list[Watch], trouble: Watch) -> None:
    base = median(watch.p99 for watch in quiet)
    told = ", ".join(
        f"{code} ×{len(times)}, slowest {max(times):.3f} s" + (f" (limit {limit:g} s)" if limit else "")
        for code, times in trouble.faults.items()
    )
    print(
        f"{name:<28} echo p99 {trouble.p99 * 1000:6.2f} ms (quiet {base * 1000:.2f}), "
        f"p50 {median(trouble.answers) * 1000:.2f} (quiet {median(quiet[0].answers) * 1000:.2f}), "
        f"loop late by at most {trouble.lag * 1000:.1f} ms (quiet {max(w.lag for w in quiet) * 1000:.1f}); {told}",
        flush=True,
    )


async def measure(name: str, app: App, address: str, seconds: float, route: str, limit: float) -> None:
    before = await stretch(app, address, seconds)
    trouble = await stretch(app, address, seconds, route, limit)
    async with asyncio.timeout(60):
        await app.idle()  # what the troubled clients left behind is not part of the next stretch
    after = await stretch(app, address, seconds)
    report(name, limit, [before, after], trouble)


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name, valkey() as redis, postgresql() as database:
        folder = Path(name)
        file = folder / "test.db"
        async with serving(folder, Addresses(f"sqlite:///{file}", redis.url)) as (app, address):
            await measure("SQLite, endless query", app, address, seconds, "endless", SQL_SECONDS)
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            await measure("SQLite, locked", app, address, seconds, "write", SQL_SECONDS)
            other.close()
            await measure("Redis, well", app, address, seconds, "count", REDIS_SECONDS)
            redis.hang()
            await measure("Redis, hung", app, address, seconds, "count", REDIS_SECONDS)
            redis.wake()
            redis.kill()
            await measure("Redis, down", app, address, seconds, "count", REDIS_SECONDS)
            redis.start()
            await measure("Redis, back", app, address, seconds, "count", REDIS_SECONDS)
        async with serving(folder, Addresses(database.url, redis.url)) as (app, address):
            await measure("PostgreSQL, endless query", app, address, seconds, "endless", SQL_SECONDS)
            database.stop()
            await measure("PostgreSQL, down", app, address, seconds, "write", SQL_SECONDS)
            database.start()
            await measure("PostgreSQL, back", app, address, seconds, "write", SQL_SECONDS)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0))
