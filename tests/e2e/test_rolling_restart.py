"""Two workers that are replaced one after the other, amid traffic: what was acknowledged is kept, once.

Each client numbers its messages; the hook writes each into a database and then answers. A message that was answered
must be there, once; one whose answer did not come may be there, once. Clients say nothing twice, so that what is there
twice was done twice by the server. `make drain` runs it with 200 clients and more rounds.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.e2e.cli import TIMEOUT, project
from tests.e2e.process import Server, ask, children, servers
from tests.runtime.bus.valkey import free_port, valkey

CLIENTS = int(os.environ.get("ROLLING_CLIENTS", "24"))
ROUNDS = int(os.environ.get("ROLLING_ROUNDS", "1"))
WORKERS = 2
TALK_SECONDS = 0.5
"""Traffic before, between and after the restarts."""
ROUTE = """\
name: Ledger
path: /ws/ledger
route_type: WebSocket
ws_hooks:
  on_message:
    - SqlOp: {operation: execute, query: "INSERT INTO said VALUES (:message)", params: {message: "{{ message }}"}}
    - WsOp: {command: send, message: "{{ message }}"}
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Two workers that share a database."""
    project(tmp_path, ledger=ROUTE)
    with sqlite3.connect(tmp_path / "worpen.db") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE said (message TEXT)")  # without a key: what comes twice is there twice
    database.close()
    with valkey() as store, servers(tmp_path, command=("serve",)) as start:
        started = start("ledger.yaml", "--workers", str(WORKERS), "--bus", store.url, "--port", str(free_port()))
        started.next("workers_ready")
        yield started


@dataclass(slots=True)
class Traffic:
    """Clients that talk until they are told to stop, and what became of what they said."""

    address: str
    answered: list[str] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)
    ends: Counter[int | None] = field(default_factory=Counter)
    """How often a connection was closed, by code."""
    refused: int = 0
    """Connections that did not come about: who was not accepted yet when a worker stopped listening."""
    is_over: bool = False

    async def client(self, name: str) -> None:
        """Connect, talk, and connect again when that ends."""
        said = 0
        while not self.is_over:
            try:
                async with connect(self.address, compression=None, open_timeout=TIMEOUT) as connection:
                    try:
                        while not self.is_over:
                            said += 1
                            message = f"{name} {said}"
                            self.unanswered.add(message)
                            assert await ask(connection, message) == message
                            self.unanswered.remove(message)
                            self.answered.append(message)
                            await asyncio.sleep(random.uniform(0.01, 0.05))
                    except ConnectionClosed:
                        self.ends[connection.close_code] += 1
            except (OSError, InvalidHandshake):
                self.refused += 1
                await asyncio.sleep(0.05)


async def roll(server: Server) -> None:
    """Replace one worker after the other, as `docs/deploy.md` says."""
    for worker in children(server.process.pid):
        os.kill(worker, signal.SIGTERM)
        assert (await asyncio.to_thread(server.next, "worker_ended"))["code"] == 0
        await asyncio.to_thread(server.next, "ready")
        await asyncio.sleep(TALK_SECONDS)


def stored(folder: Path) -> Counter[str]:
    """What is in the database, and how often."""
    database = sqlite3.connect(folder / "worpen.db")
    try:
        return Counter(message for (message,) in database.execute("SELECT message FROM said"))
    finally:
        database.close()


@pytest.mark.timeout(300)
async def test_a_rolling_restart_loses_and_doubles_nothing_that_was_acknowledged(server: Server) -> None:
    traffic = Traffic(f"{server.address}/ws/ledger")
    talking = [asyncio.create_task(traffic.client(f"client{number}")) for number in range(CLIENTS)]
    await asyncio.sleep(TALK_SECONDS)
    before = set(children(server.process.pid))
    for _ in range(ROUNDS):
        await roll(server)
    traffic.is_over = True
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(*talking)
    assert before.isdisjoint(children(server.process.pid)), "no worker was replaced"
    assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0
    kept = stored(server.folder)
    print(
        f"{CLIENTS} clients, {ROUNDS * WORKERS} restarts: {len(traffic.answered)} answered, "
        f"{len(traffic.unanswered)} not ({sum(message in kept for message in traffic.unanswered)} of them stored), "
        f"closed {dict(traffic.ends)}, {traffic.refused} handshakes refused"
    )
    assert [message for message in traffic.answered if message not in kept] == []
    assert {message: times for message, times in kept.items() if times != 1} == {}
    assert kept.keys() <= {*traffic.answered, *traffic.unanswered}
    assert set(traffic.ends) == {1012}
    assert traffic.ends.total() >= CLIENTS, "the restarts reached nobody"
    assert len(traffic.answered) > CLIENTS * 10
