"""What an operator sees at one address of several workers, while they come and go; and what waits in queues."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from runtime.server.reception import METRICS_SECONDS
from tests.e2e.cli import TIMEOUT, project
from tests.e2e.process import Server, ask, children, servers
from tests.runtime.bus.valkey import Valkey, free_port, valkey

WORKERS = 3
CLIENTS = 12
ROUTE = """\
name: Room
path: /ws/room
route_type: WebSocket
ws_hooks:
  on_message:
    - If:
        condition: "message == 'much'"
        then:
          - Loop:
              collection: "{{ range(0, 12) }}"
              body: [{WsOp: {command: send, message: "{{ 'x' | repeat(60000) }}"}}]
        else:
          - WsOp: {command: send, message: "{{ message }}"}
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def store() -> Iterator[Valkey]:
    with valkey() as one:
        yield one


@pytest.fixture
def server(tmp_path: Path, store: Valkey) -> Iterator[Server]:
    project(tmp_path, room=ROUTE)
    with servers(tmp_path, command=("serve",)) as start:
        port, queue = str(free_port()), ("--limit", "unsent_bytes=64MiB")
        started = start("room.yaml", "--workers", str(WORKERS), "--bus", store.url, "--port", port, *queue)
        started.next("workers_ready")
        yield started


def scrape(server: Server) -> dict[str, dict[str, float]]:
    """Of each metric: the sum for each worker. Whoever accepts the connection answers."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    time.sleep(METRICS_SECONDS)  # what was told before is over
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=TIMEOUT) as answer:
        for family in text_string_to_metric_families(answer.read().decode()):
            for sample in family.samples:
                found[sample.name][sample.labels["worker"]] += sample.value
    return found


async def until(server: Server, holds: Callable[[dict[str, dict[str, float]]], bool]) -> dict[str, dict[str, float]]:
    """Scrape until something is seen; what was seen."""
    async with asyncio.timeout(TIMEOUT):
        while not holds(seen := await asyncio.to_thread(scrape, server)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return seen


async def crowd(server: Server) -> list[ClientConnection]:
    return [await connect(f"{server.address}/ws/room", compression=None) for _ in range(CLIENTS)]


@pytest.mark.timeout(120)
async def test_one_address_tells_of_all_workers_and_counters_outlive_them(server: Server) -> None:
    clients = await crowd(server)
    for _ in range(5):
        for client in clients:
            assert await ask(client) == "x"
    said = 5 * CLIENTS

    def all_is_there(seen: dict[str, dict[str, float]]) -> bool:
        runs, connections = (seen[name].values() for name in ("worpen_hook_runs_total", "worpen_connections"))
        return sum(runs) == said and sum(connections) == CLIENTS

    await until(server, all_is_there)
    for _ in range(12):  # whichever answers
        seen = await asyncio.to_thread(scrape, server)
        assert all_is_there(seen)
        assert seen["worpen_worker_up"] == dict.fromkeys("123", 1)
        assert seen["worpen_bus_is_down"] == dict.fromkeys("123", 0)
    there = seen["worpen_connections"]
    ended, code = max("123", key=lambda worker: there[worker]), signal.SIGKILL
    processes = dict(zip("123", children(server.process.pid), strict=True))
    for _ in range(2):
        os.kill(processes[ended], code)
        assert (await asyncio.to_thread(server.next, "worker_ended"))["worker"] == int(ended)
        seen = await asyncio.to_thread(scrape, server)
        assert sum(seen["worpen_hook_runs_total"].values()) == said
        assert sum(seen["worpen_connections"].values()) == sum(there.values()) - there[ended]
        await asyncio.to_thread(server.next, "ready")
        seen = await until(server, lambda found: found["worpen_worker_up"] == dict.fromkeys("123", 1))
        (processes[ended],) = {*children(server.process.pid)} - {*processes.values()}
        assert sum(seen["worpen_hook_runs_total"].values()) == said
        assert seen["worpen_worker_starts_total"][ended] == 2
        there = seen["worpen_connections"]
        ended, code = next(worker for worker in "123" if worker != ended), signal.SIGTERM
    for client in clients:
        await client.close()
    assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0


@pytest.mark.timeout(120)
async def test_what_waits_and_how_slow_the_bus_is_can_be_seen(server: Server, store: Valkey) -> None:
    clients = await crowd(server)
    seen = await until(server, lambda found: sum(found["worpen_connections"].values()) == CLIENTS)
    assert sum(seen["worpen_queued_bytes"].values()) == 0
    await until(server, lambda found: all(0 < lag < 0.5 for lag in found["worpen_bus_lag_seconds"].values()))
    clients[0].transport.pause_reading()
    for _ in range(0, 12):
        await clients[0].send("much")
    await until(server, lambda found: sum(found["worpen_queued_bytes"].values()) > 60_000)
    clients[0].transport.abort()
    await until(server, lambda found: sum(found["worpen_queued_bytes"].values()) == 0)
    store.hang()
    await until(server, lambda found: found["worpen_bus_is_down"] == dict.fromkeys("123", 1))
    await until(server, lambda found: all(lag > 1 for lag in found["worpen_bus_lag_seconds"].values()))
    store.wake()
    await until(server, lambda found: found["worpen_bus_is_down"] == dict.fromkeys("123", 0))
    seen = await until(server, lambda found: all(lag < 0.5 for lag in found["worpen_bus_lag_seconds"].values()))
    assert seen["worpen_bus_gaps_total"].keys() == set("123")
    for client in clients:
        await client.close()
