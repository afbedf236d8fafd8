"""Names of things outside whose look-up never ends: a server ends in time all the same, and says what its start wanted.

The C library reads the file that HOSTALIASES names at each look-up of a name without dots. Here it is a pipe that
nobody writes to.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.conftest import PROJECT
from tests.e2e.cli import TIMEOUT, environment, worpen
from tests.e2e.process import ask, servers

NAME = "hangs"
DATABASE = f"postgresql://nobody@{NAME}/none"
REDIS = f"redis://{NAME}:6379/0"
CLIENTS = 40
"""More than a loop has threads."""
ROUTE = f"""\
name: Asking
path: /ws/ask/:what
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {{command: send, message: asking}}
    - Switch:
        value: "{{{{ params.what }}}}"
        cases:
          - {{value: sql, operations: [{{SqlOp: {{query: "SELECT 1"}}}}]}}
          - {{value: redis, operations: [{{RedisOp: {{command: GET, key: any}}}}]}}
          - {{value: http, operations: [{{HttpRequest: {{url: "http://{NAME}/"}}}}]}}
    - WsOp: {{command: send, message: answered}}
"""
LOOK_UP = f"import socket; socket.getaddrinfo('{NAME}', 80)"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes with names")


@pytest.fixture(scope="module")
def aliases(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What HOSTALIASES is to be, so that the look-up of a name hangs."""
    pipe = str(tmp_path_factory.mktemp("names") / "aliases")
    os.mkfifo(pipe)
    try:
        subprocess.run(
            [sys.executable, "-c", LOOK_UP], env=environment(HOSTALIASES=pipe), stderr=subprocess.DEVNULL, timeout=1.0,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return pipe
    pytest.skip("the resolver of this system reads no HOSTALIASES")


Project = Callable[[str], dict[str, str]]


@pytest.fixture
def project(tmp_path: Path, aliases: str) -> Project:
    """Makes a project; the environment of its server, on one of the event loops."""

    def make(loop: str) -> dict[str, str]:
        (tmp_path / "worpen.toml").write_text(f'[http]\nallow = ["{NAME}"]\n', encoding="utf-8")
        (tmp_path / "route.yaml").write_text(ROUTE, encoding="utf-8")
        first = tmp_path / "first"
        first.mkdir()
        if loop == "asyncio":
            (first / "uvloop.py").write_text("raise ImportError", encoding="utf-8")
        path = os.pathsep.join((str(first), str(PROJECT)))
        return {"HOSTALIASES": aliases, "PYTHONPATH": path, "WORPEN_DATABASE_URL": DATABASE}

    return make


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize(
    ("command", "redis"),
    [(("serve",), REDIS), (("dev", "--json"), REDIS), (("dev", "--json"), "")],
    ids=["serve", "dev", "dev-with-its-own-redis"],
)
async def test_an_interrupt_ends_it(
    command: tuple[str, ...], redis: str, loop: str, tmp_path: Path, project: Project
) -> None:
    variables = {**project(loop), **({"WORPEN_REDIS_URL": redis} if redis else {})}
    with servers(tmp_path, command) as start:
        server = start("route.yaml", "--limit", "drain_seconds=5", **variables)
        server.next("ready")
        ways = ["sql", "http", "redis" if redis else "http", "http"] * (CLIENTS // 4)
        clients = await asyncio.gather(*(connect(f"{server.address}/ws/ask/{way}", compression=None) for way in ways))
        assert set(await asyncio.gather(*map(ask, clients))) == {"asking"}
        await asyncio.sleep(0.3)  # they are being looked up by now
        server.process.send_signal(signal.SIGINT)
        heard = await asyncio.gather(*map(rest, clients))
        _, errors = await asyncio.to_thread(server.process.communicate, timeout=TIMEOUT)
    assert (server.process.returncode, errors) == (130, "")
    assert {client.close_code for client in clients} == {1012}
    assert not any(heard), "a name was looked up"


async def rest(client: ClientConnection) -> list[object]:
    """What is still said until it is closed."""
    said: list[object] = []
    with suppress(ConnectionClosed):
        async for message in client:
            said.append(message)
    return said


def test_a_start_that_fails_says_why_and_ends(tmp_path: Path, project: Project) -> None:
    variables = project("uvloop")
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (n INTEGER);", encoding="utf-8")
    done = worpen("dev", "--port", "0", "--init-sql", "schema.sql", cwd=tmp_path, variables=variables)
    assert done.returncode == 2
    assert "error: schema.sql: the database cannot be reached" in done.stderr
