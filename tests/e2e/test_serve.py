"""`worpen serve` as it runs in production: signals, logs, program files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.canary import CANARY
from tests.e2e.cli import TIMEOUT, environment, project, worpen
from tests.e2e.process import Server, ask, children, servers
from tests.runtime.bus.valkey import free_port, valkey

ROUTE = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: count, value: 0}
  on_message:
    - SetVar: {name: count, value: "{{ count + 1 }}"}
    - If: {condition: "message == 'wait'", then: [{Sleep: {duration_ms: 60000}}]}
    - If: {condition: "message == 'fail'", then: [{SetVar: {name: x, value: "{{ message * 2 }}"}}]}
    - WsOp: {command: send, message: "Echo {{ count }}: {{ message }}"}
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
Serve = Callable[..., Server]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, echo=ROUTE)


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    with servers(folder, command=("serve",)) as start:

        def start_ready(*arguments: str, **variables: str) -> Server:
            server = start(*arguments, **variables)
            server.next("ready")
            return server

        yield start_ready


def fetch(server: Server, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=TIMEOUT) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


async def test_a_program_file_is_served_and_stops_in_good_order(serve: Serve, folder: Path) -> None:
    assert worpen("compile", "echo.yaml", cwd=folder).returncode == 0
    (folder / "echo.yaml").unlink()
    server = serve("echo.wbc", "--eager")
    async with connect(f"{server.address}/ws/echo") as client:
        assert await ask(client, "hi") == "Echo 1: hi"
        assert fetch(server, "/readyz")[0] == 200
        assert "worpen_connections 1" in fetch(server, "/metrics")[1]
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(client.recv(), TIMEOUT)
        assert client.close_code == 1012
    server.process.communicate(timeout=TIMEOUT)
    assert server.process.returncode == 0


def test_program_files_need_no_compiler(folder: Path) -> None:
    """The front end is not even imported."""
    worpen("compile", "echo.yaml", cwd=folder)
    code = (
        "import sys\n"
        "from runtime.app import App\n"
        "from worpen_cli.commands import serve\n"
        "from worpen_cli.deployment import Deployment\n"
        "from worpen_cli.project import Project\n"
        "assert Deployment(('echo.wbc',), Project('.'), None, App().context, True).load()\n"
        "front = ('syntax', 'reader', 'analysis', 'operations', 'lower', 'pipeline')\n"
        "print([name for name in sys.modules if name.startswith('compiler.') and name.split('.')[1] in front])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


async def test_sighup_reads_the_files_anew_and_connections_stay(serve: Serve, folder: Path) -> None:
    server = serve("echo.yaml")
    async with connect(f"{server.address}/ws/echo") as client:
        assert await ask(client, "a") == "Echo 1: a"
        (folder / "echo.yaml").write_text(ROUTE.replace("Echo {{", "Again {{"), encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        assert server.next("swapped")["changed"] == ["/ws/echo"]
        assert await ask(client, "b") == "Again 2: b"
        (folder / "echo.yaml").write_text(ROUTE.replace("count + 1", "coumt + 1"), encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        told = server.next("not_reloaded")
        assert told["level"] == "error"
        assert told["reasons"][0].startswith("echo.yaml:8:")
        assert await ask(client, "c") == "Again 3: c"
    assert server.end(signal.SIGINT) == 130


COUNTING = ROUTE.replace("  on_message:\n", "  on_message:\n    - RedisOp: {command: INCR, key: n}\n")


async def test_sighup_asks_for_what_a_start_asks_for(serve: Serve, folder: Path) -> None:
    server = serve("echo.yaml")
    (folder / "echo.yaml").write_text(COUNTING, encoding="utf-8")
    server.process.send_signal(signal.SIGHUP)
    (reason,) = server.next("not_reloaded")["reasons"]
    assert reason == "echo.yaml uses RedisOp, and no Redis is set"
    (folder / "echo.yaml").write_text(ROUTE.replace("Echo {{", "Again {{"), encoding="utf-8")
    server.process.send_signal(signal.SIGHUP)
    assert server.next("swapped")["changed"] == ["/ws/echo"]
    assert server.end(signal.SIGTERM) == 0


async def test_a_second_signal_hurries_past_a_hook_that_hangs(serve: Serve) -> None:
    server = serve("echo.yaml")
    async with connect(f"{server.address}/ws/echo") as client:
        await client.send("wait")
        server.process.send_signal(signal.SIGTERM)
        server.next("draining")
        server.process.send_signal(signal.SIGTERM)
        assert server.next("stopped")["abandoned"] in (0, 1)
    server.process.communicate(timeout=TIMEOUT)
    assert server.process.returncode == 0


@pytest.mark.parametrize("payloads", [False, True])
async def test_the_log_holds_what_clients_send_only_where_it_is_asked_for(serve: Serve, payloads: bool) -> None:
    server = serve("echo.yaml", *(["--log-payloads"] if payloads else []))
    headers = {"Authorization": f"Bearer {CANARY}", "Cookie": f"session={CANARY}"}
    async with connect(f"{server.address}/ws/echo?token={CANARY}", additional_headers=headers) as client:
        await ask(client, "payload-of-a-client")
        await client.send("fail")
        assert (await ask(client, "after")).endswith("after")
    server.process.send_signal(signal.SIGTERM)
    rest, errors = server.process.communicate(timeout=TIMEOUT)
    log = "\n".join(map(json.dumps, server.events)) + rest
    assert all("level" in event and "time" in event for event in map(json.loads, rest.splitlines()))
    assert '"hook_faulted"' in log
    assert CANARY not in log + errors
    assert ("payload-of-a-client" in log) is payloads


def test_a_port_in_use(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = worpen("serve", "echo.yaml", "--port", str(port), cwd=folder)
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr


def test_metrics_can_be_left_out(serve: Serve) -> None:
    server = serve("echo.yaml", "--no-metrics")
    assert fetch(server, "/metrics")[0] == 404
    assert server.end(signal.SIGTERM) == 0


def test_whoever_started_it_hears_that_it_is_ready(serve: Serve, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(address)
        hearing.settimeout(TIMEOUT)
        server = serve("echo.yaml", NOTIFY_SOCKET=address)
        assert hearing.recv(64) == b"READY=1"
        assert server.end(signal.SIGTERM) == 0
        assert hearing.recv(64) == b"STOPPING=1"


ROOM = """\
name: Room
path: /ws/room
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {command: broadcast, channel: room, message: "{{ message }}"}
"""


async def test_workers_share_a_port_and_a_room_and_one_that_is_killed_comes_back(serve: Serve, folder: Path) -> None:
    (folder / "room.yaml").write_text(ROOM)
    with valkey() as store:
        server = serve("room.yaml", "--workers", "2", "--bus", store.url, "--port", str(free_port()))
        server.next("workers_ready")
        clients = [await connect(f"{server.address}/ws/room") for _ in range(16)]
        await clients[0].send("hello")
        assert {await asyncio.wait_for(client.recv(), TIMEOUT) for client in clients} == {"hello"}
        workers = children(server.process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        server.next("worker_ended")
        server.next("ready")
        assert len(children(server.process.pid)) == 2
        for client in clients:
            await client.close()
        assert server.end(signal.SIGTERM) == 0


async def test_workers_end_with_a_supervisor_that_is_killed(serve: Serve, folder: Path) -> None:
    with valkey() as store:
        server = serve("echo.yaml", "--workers", "2", "--bus", store.url, "--port", str(free_port()))
        server.next("workers_ready")
        async with connect(f"{server.address}/ws/echo") as client:
            server.process.kill()
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(client.recv(), TIMEOUT)
            assert client.close_code == 1012
        # Both ends of the log close when the last worker is gone.
        server.process.communicate(timeout=TIMEOUT)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", server.port)) != 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "2"], "over a bus only"),
        (["--workers", "2", "--bus", "redis://127.0.0.1:1", "--port", "0"], "give its number"),
    ],
)
def test_workers_that_could_not_be_one_server_are_refused(folder: Path, arguments: list[str], said: str) -> None:
    done = worpen("serve", "echo.yaml", *arguments, cwd=folder)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
