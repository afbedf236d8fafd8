"""SQL and Redis of routes over real sockets, on both databases; what waits, and what does not wait for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from runtime.app import App
from runtime.events import Disconnected, HookCancelled, HookFaulted
from runtime.limits import ServerLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services import Addresses
from tests.e2e.cli import TIMEOUT, project, worpen
from tests.e2e.process import Server
from tests.e2e.serving import program_bytes
from tests.postgresql import postgresql
from tests.runtime.bus.valkey import valkey

PRESENCE = """\
name: Presence
path: /ws/bp/cleanup
route_type: WebSocket
ws_hooks:
  on_connect:
    - SqlOp:
        query: "INSERT INTO users (id, online) VALUES (?, true)"
        params: ["{{ connection_id }}"]
    - WsOp: {command: send, message: "{{ connection_id }}"}
  on_disconnect:
    - SqlOp:
        operation: "execute"
        query: "UPDATE users SET online = false WHERE id = :id"
        params:
          id: "{{ connection_id }}"
"""
WORK = """\
name: Work
path: /ws/work
route_type: WebSocket
ws_hooks:
  on_message:
    - Switch:
        value: "{{ message }}"
        cases:
          - value: endless
            operations:
              - SqlOp:
                  query: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS last FROM n
          - value: greedy
            operations:
              - Loop: {collection: "{{ range(0, 17) }}", body: [{SqlOp: {query: "SELECT 1 AS one"}}]}
          - value: count
            operations:
              - RedisOp: {command: INCR, key: "visits:{{ route }}", output_var: visits}
              - WsOp: {command: send, message: "visit {{ visits }}"}
        default:
          - Try:
              operations:
                - SqlOp: {query: "SELECT * FROM nowhere"}
              catch:
                - Log: {message: "{{ error.code }}"}
          - WsOp: {command: send, message: "{{ message }}"}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('data') / 'test.db'}"
        return
    with postgresql() as server:
        yield server.url


@asynccontextmanager
async def serving(folder: Path, text: str, services: Addresses, **limits: Any) -> AsyncIterator[tuple[App, str]]:
    """A server of one route, and its address."""
    route = folder / "route.yaml"
    route.write_text(text, encoding="utf-8")
    app = App(Settings(port=0, services=services, limits=ServerLimits(**limits)))
    await app.start(entries_of(load(program_bytes(route), app.context)))
    host, port = app.addresses[0]
    try:
        async with asyncio.timeout(30):
            yield app, f"ws://{host}:{port}"
    finally:
        await app.drain()


async def test_whoever_leaves_is_offline(url: str, tmp_path: Path) -> None:
    async with serving(tmp_path, PRESENCE, Addresses(url), sql_seconds=10) as (app, address):
        await app.services.run_script("DROP TABLE IF EXISTS users; CREATE TABLE users (id TEXT, online BOOLEAN);")
        over: asyncio.Queue[Disconnected] = asyncio.Queue()
        app.events.subscribe(lambda event: over.put_nowait(event) if isinstance(event, Disconnected) else None)
        clients = [await connect(f"{address}/api/ws/bp/cleanup") for _ in range(5)]
        ids = [str(await client.recv()) for client in clients]
        for client in clients[:2]:
            await client.close()
        clients[2].transport.abort()
        for _ in range(3):
            await over.get()
        rows: Any = await app.services.perform("sql", "SELECT id, online FROM users", None, "query", "all")
        assert {row["id"]: row["online"] for row in rows} == {
            one: number > 2 for number, one in enumerate(ids)
        }  # fmt: skip
        for client in clients[3:]:
            await client.close()


async def test_redis_counts_visits(tmp_path: Path) -> None:
    with valkey() as server:
        addresses = Addresses(f"sqlite:///{tmp_path / 'test.db'}", server.url)
        async with serving(tmp_path, WORK, addresses, redis_seconds=10) as (_, address):
            for number in (1, 2):
                async with connect(f"{address}/ws/work") as client:
                    await client.send("count")
                    assert await client.recv() == f"visit {number}"


async def test_one_that_waits_holds_up_nobody_and_ends_in_time(url: str, tmp_path: Path) -> None:
    async with serving(tmp_path, WORK, Addresses(url), sql_seconds=1) as (app, address):
        faults: list[str] = []
        app.events.subscribe(lambda event: faults.append(event.code) if isinstance(event, HookFaulted) else None)
        async with connect(f"{address}/ws/work") as stuck, connect(f"{address}/ws/work") as free:
            await stuck.send("connects first")
            assert await stuck.recv() == "connects first"
            await stuck.send("endless")
            await stuck.send("after")
            await free.send("at once")
            assert await free.recv() == "at once"
            assert faults == []
            assert await stuck.recv() == "after"
            assert faults == ["sql_timeout"]
            await free.send("greedy")
            await free.send("still here")
            assert await free.recv() == "still here"
            assert faults == ["sql_timeout", "call_limit"]


async def test_a_hooks_own_time_ends_a_statement(url: str, tmp_path: Path) -> None:
    async with serving(tmp_path, WORK, Addresses(url), sql_seconds=20, hook_seconds=1) as (app, address):
        faults: list[str] = []
        app.events.subscribe(lambda event: faults.append(event.code) if isinstance(event, HookFaulted) else None)
        async with connect(f"{address}/ws/work") as client:
            await client.send("endless")
            await client.send("after")
            assert await client.recv() == "after"
            assert faults == ["hook_timeout"]


async def test_a_client_that_leaves_ends_its_statement(url: str, tmp_path: Path) -> None:
    async with serving(tmp_path, WORK, Addresses(url), sql_seconds=20, hook_seconds=20) as (app, address):
        cancelled = asyncio.Event()
        app.events.subscribe(lambda event: cancelled.set() if isinstance(event, HookCancelled) else None)
        async with connect(f"{address}/ws/work") as client:
            await client.send("endless")
            await asyncio.sleep(0.3)
        await cancelled.wait()
        while await app.services.perform("sql", "SELECT 1 AS one", None, "query", "one") != {"one": 1}:
            pass


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
async def test_dev_runs_the_schema_and_starts_a_redis(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").touch()
    (tmp_path / "route.yaml").write_text(
        PRESENCE.replace("{{ connection_id }}\"}", "{{ sql_result.rows_affected }}\"}").replace(
            "  on_disconnect:", "    - RedisOp: {command: INCR, key: n, output_var: n}\n"
            "    - WsOp: {command: send, message: \"{{ n }}\"}\n  on_disconnect:"
        ),
        encoding="utf-8",
    )  # fmt: skip
    (tmp_path / "schema.sql").write_text("CREATE TABLE users (id TEXT, online BOOLEAN);", encoding="utf-8")
    server = Server(tmp_path, "--init-sql", "schema.sql")
    try:
        async with connect(f"{server.address}/ws/bp/cleanup") as client:
            heard = [await asyncio.wait_for(client.recv(), TIMEOUT) for _ in range(2)]
        assert heard == ["1", "1"]
        assert (tmp_path / "worpen.db").exists()
    finally:
        server.process.terminate()
        server.process.communicate(timeout=TIMEOUT)
    assert server.process.returncode == 0


def test_a_schema_with_a_mistake_ends_the_start(tmp_path: Path) -> None:
    project(tmp_path, route=PRESENCE)
    (tmp_path / "schema.sql").write_text("CREATE TABEL users (id TEXT);", encoding="utf-8")
    done = worpen("dev", "--port", "0", "--init-sql", "schema.sql", cwd=tmp_path)
    assert done.returncode == 2
    assert "schema.sql: near" in done.stderr


def test_a_schema_for_a_database_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    project(tmp_path, route=PRESENCE)
    (tmp_path / "schema.sql").write_text("CREATE TABLE users (id TEXT);", encoding="utf-8")
    nobody = {"WORPEN_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = worpen("dev", "--port", "0", "--init-sql", "schema.sql", cwd=tmp_path, variables=nobody)
    assert (done.returncode, done.stderr) == (2, "error: schema.sql: the database cannot be reached\n")


def test_serve_must_be_told_which_redis(tmp_path: Path) -> None:
    project(tmp_path, route=WORK)
    done = worpen("serve", "--port", "0", cwd=tmp_path)
    assert done.returncode == 1
    assert "uses RedisOp, and no Redis is set" in done.stderr
