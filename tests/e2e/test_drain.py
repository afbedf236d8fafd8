"""SIGTERM with many connections, some of whose hooks hang: exit code 0 in time, and everybody hears that it ends.

`make drain` runs it with 2000 connections and 50 hooks that hang, within the 30 seconds that servers have. Here: fewer.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.cli import TIMEOUT, project
from tests.e2e.process import Server, servers

CONNECTIONS = int(os.environ.get("DRAIN_CONNECTIONS", "100"))
HUNG = int(os.environ.get("DRAIN_HUNG", "12"))
SECONDS = float(os.environ.get("DRAIN_SECONDS", "5"))
PROMISED_SECONDS = 30.0
OPENING = 50
"""So many handshakes are under way at once."""
ROUTE = """\
name: Crowd
path: /ws/crowd
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: way, value: ""}
  on_message:
    - SetVar: {name: way, value: "{{ message }}"}
    - Switch:
        value: "{{ message }}"
        cases:
          - {value: sleep, operations: [{Sleep: {duration_ms: 60000}}]}
          - {value: compute, operations: [{While: {condition: "true", max_iterations: 100000, body: [
              {SetVar: {name: n, value: "{{ 1 + 1 }}"}}]}}]}
          - {value: sql, operations: [{SqlOp: {operation: execute, query: "INSERT INTO said VALUES (1)"}}]}
          - {value: redis, operations: [{RedisOp: {command: GET, key: any}}]}
          - {value: http, operations: [{HttpRequest: {url: "http://127.0.0.1:PORT/", timeout_ms: 60000}}]}
    - WsOp: {command: send, message: "answer"}
  on_disconnect:
    - Log: {message: "left"}
    - If: {condition: "way == 'linger'", then: [{Sleep: {duration_ms: 60000}}]}
"""
WAYS = ("sleep", "compute", "sql", "redis", "http", "linger")
"""What hooks hang in: five of them in `on_message`, the last in `on_disconnect`."""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@dataclass(slots=True)
class Client:
    """A connection, and what it heard."""

    way: str
    """What its hook hangs in; empty where it does not."""
    connection: ClientConnection
    heard: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Take down what comes, until it is closed."""
        try:
            while True:
                self.heard.append(str(await self.connection.recv()))
        except ConnectionClosed:
            return


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        yield listener.getsockname()[1]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """A database with a table that nobody else can write to."""
    lock = sqlite3.connect(file, isolation_level=None)
    try:
        lock.execute("PRAGMA journal_mode=WAL")
        lock.execute("CREATE TABLE said (n INTEGER)")
        lock.execute("BEGIN IMMEDIATE")
        yield
    finally:
        lock.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server for which everything outside hangs, and hooks may wait for it longer than for the end of the test."""
    with silence() as port, locked(tmp_path / "worpen.db"), servers(tmp_path, command=("serve",)) as start:
        (tmp_path / "worpen.toml").write_text('[http]\nallow = ["127.0.0.1"]\n', encoding="utf-8")
        (tmp_path / "crowd.yaml").write_text(ROUTE.replace("PORT", str(port)), encoding="utf-8")
        limits = {"drain_seconds": SECONDS, "hook_seconds": 60, "sql_seconds": 60, "redis_seconds": 60}
        flags = [word for name, value in limits.items() for word in ("--limit", f"{name}={value:g}")]
        started = start("crowd.yaml", *flags, WORPEN_REDIS_URL=f"redis://127.0.0.1:{port}/0")
        started.next("ready")
        yield started


async def opened(server: Server) -> list[Client]:
    """All clients. The hooks of the first ones hang by now."""
    room = asyncio.Semaphore(OPENING)
    ways = cycle(WAYS)

    async def one(number: int, way: str) -> Client:
        async with room:
            connection = await connect(f"{server.address}/ws/crowd", compression=None, ping_interval=None)
            if number < HUNG:
                await connection.send(way)
                if way == "linger":
                    assert await asyncio.wait_for(connection.recv(), TIMEOUT) == "answer"
            return Client(way if number < HUNG else "", connection)

    clients = await asyncio.gather(*(one(number, next(ways)) for number in range(CONNECTIONS)))
    await asyncio.sleep(0.5)
    return clients


@pytest.mark.timeout(180)
async def test_sigterm_amid_many_connections_and_hooks_that_hang(server: Server) -> None:
    clients = await opened(server)
    listening = [asyncio.create_task(client.listen()) for client in clients]
    for client in clients:
        if client.way == "compute":
            for _ in range(20):  # so that the loop is busy, again and again, while it drains
                await client.connection.send("compute")
        elif not client.way:
            await client.connection.send("hi")
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    log, errors = await asyncio.to_thread(server.process.communicate, timeout=SECONDS + TIMEOUT)
    took = time.monotonic() - began
    await asyncio.wait_for(asyncio.gather(*listening), TIMEOUT)
    events = [*server.events, *map(json.loads, log.splitlines())]
    told = Counter(event["event"] for event in events)
    [stopped] = [event for event in events if event["event"] == "stopped"]
    codes = Counter(client.connection.close_code for client in clients)
    answered = sum(client.heard == ["answer"] for client in clients)
    print(f"{CONNECTIONS} connections, {HUNG} hung: {took:.2f} s, {codes}, {answered} answered, {stopped}")
    assert (server.process.returncode, errors) == (0, "")
    assert codes == {1012: CONNECTIONS}
    assert told["log_line"] == CONNECTIONS, "an on_disconnect did not run, or ran twice"
    assert stopped["abandoned"] == sum(client.way == "linger" for client in clients)
    assert all(client.heard in ([], ["answer"]) for client in clients if client.way != "linger")
    assert told["bug"] == 0
    assert took < PROMISED_SECONDS, "the drain took longer than it may"


COMPUTING = """\
name: Computing
path: /ws/computing
route_type: WebSocket
ws_hooks:
  on_message:
    - SetVar: {name: last, value: 0}
    - If:
        condition: "message == 'go'"
        then:
          - WsOp: {command: send, message: begun}
          - While: {condition: "true", max_iterations: 100000, body: [
              {SetVar: {name: last, value: "{{ range(0, 50000) | sort | sum }}"}}]}
    - WsOp: {command: send, message: "{{ last }}"}
  on_disconnect:
    - Log: {message: left}
"""
"""Has fuel for some minutes."""


@pytest.mark.timeout(120)
async def test_a_hook_that_computes_holds_up_others_and_the_end_for_no_longer_than_it_may(tmp_path: Path) -> None:
    project(tmp_path, computing=COMPUTING)
    with servers(tmp_path, command=("serve",)) as start:
        server = start("computing.yaml", "--limit", "hook_seconds=1")
        server.next("ready")
        address = f"{server.address}/ws/computing"
        async with connect(address, compression=None) as busy, connect(address, compression=None) as other:
            await busy.send("go")
            await other.send("hi")
            assert await asyncio.wait_for(other.recv(), TIMEOUT) == "0"
            fault = await asyncio.to_thread(server.next, "hook_faulted")
            assert (fault["code"], fault["mark"]["line"]) == ("hook_timeout", 12)
            await busy.send("still here?")
            assert [await busy.recv() for _ in range(2)] == ["begun", "0"]
            await busy.send("go")
            await asyncio.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
            log, _ = await asyncio.to_thread(server.process.communicate, timeout=TIMEOUT)
            assert server.process.returncode == 0
            told = Counter(event["event"] for event in map(json.loads, log.splitlines()))
            assert (told["hook_faulted"], told["log_line"]) == (1, 2)


@pytest.mark.timeout(60)
async def test_a_thread_that_hangs_does_not_hold_up_the_end(server: Server) -> None:
    """A reload that waits for a file."""
    route = server.folder / "crowd.yaml"
    route.unlink()
    os.mkfifo(route)
    server.process.send_signal(signal.SIGHUP)
    async with connect(f"{server.address}/ws/crowd", compression=None) as client:
        await client.send("hi")
        assert await asyncio.wait_for(client.recv(), TIMEOUT) == "answer"
        assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0
        await client.wait_closed()
        assert client.close_code == 1012
