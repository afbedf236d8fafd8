"""The live board as its users have it: at a terminal, with real clients, real keys and a real end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.cli import TIMEOUT, project
from tests.e2e.terminal import Terminal

if os.name != "posix":
    pytest.skip("terminals of POSIX", allow_module_level=True)

import termios

ROUTE = """\
name: Players
path: /ws/players/:room
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: name, value: "{{ query.name ?? 'nobody' }}"}
    - WsOp: {command: subscribe, channel: "{{ params.room }}"}
  on_message:
    - WsOp: {command: send, message: "you said {{ message }}"}
    - WsOp: {command: broadcast, message: "{{ name }}: {{ message }}", channel: "{{ params.room }}"}
    - Log: {message: "{{ name }} spoke"}
"""
ENTERED = "\x1b[?1049h"
LEFT = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?7h", "\x1b[?2004l")


class Kept:
    """What stands between the terminal and its screen."""

    def __init__(self, feed: Callable[[bytes], None]) -> None:
        self.feed = feed


class BoardTerminal(Terminal):
    """A terminal with a board on it; keeps what was written, and the mode it began in."""

    def __init__(self, folder: Path, *arguments: str, rows: int = 24, columns: int = 80, **variables: str) -> None:
        self.port = free_port()
        super().__init__(
            "dev", "--port", str(self.port), *arguments, cwd=folder, rows=rows, columns=columns, **variables
        )
        self.mode = termios.tcgetattr(self.process.child_fd)
        self.written = b""
        feed = self._stream.feed

        def keep(raw: bytes) -> None:
            self.written += raw
            feed(raw)

        self._stream: Any = Kept(keep)

    def wait_until(self, holds: Callable[[str], object]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not holds(self.text):
            assert time.monotonic() < deadline, f"not in time:\n{self.text}"
            self._read()

    def wait_without(self, text: str) -> None:
        self.wait_until(lambda shown: text not in shown)

    def resize(self, rows: int, columns: int) -> None:
        self._screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def is_restored(self) -> bool:
        """Whether the terminal is as it was before; to be asked at the end."""
        after_last_entry = self.written.decode(errors="replace").rpartition(ENTERED)[2]
        return all(code in after_last_entry for code in LEFT)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/players"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, players=ROUTE)


@pytest.fixture
def at_terminal(folder: Path) -> Iterator[Callable[..., BoardTerminal]]:
    """Start a board; it is ready when this returns."""
    started: list[BoardTerminal] = []

    def start(*arguments: str, **settings: Any) -> BoardTerminal:
        started.append(BoardTerminal(folder, *arguments, **settings))
        started[-1].wait_for("worpen dev is ready")
        return started[-1]

    yield start
    for terminal in started:
        terminal.process.close(force=True)


async def follow(terminal: BoardTerminal, text: str) -> None:
    """Wait for a text on the screen while clients go on."""
    await asyncio.to_thread(terminal.wait_for, text)


async def say(client: ClientConnection, text: str) -> list[str]:
    await client.send(text)
    return [str(await asyncio.wait_for(client.recv(), TIMEOUT)) for _ in range(2)]


async def test_connections_are_listed_and_looked_into(at_terminal: Callable[..., BoardTerminal]) -> None:
    board = at_terminal(rows=40, columns=120)
    async with connect(f"{board.address}/lobby?name=Ann") as ann, connect(f"{board.address}/garden?name=Bob"):
        await say(ann, "hi")
        await follow(board, "2 connections ·")
        await follow(board, "garden")
        await asyncio.to_thread(board.wait_until, lambda shown: len(re.findall(r"Players@1 +127\.0\.0\.1", shown)) == 2)
        await follow(board, "Ann spoke")
        board.type("\r")
        await follow(board, "no frames since you looked")
        assert "param room lobby" in board.text
        assert re.search(r'variable name "Ann"', board.text)
        await say(ann, "hello")
        await follow(board, "Ann: hello")
        lines = board.text.splitlines()
        (sent,) = [line for line in lines if "you said hello" in line]
        assert "on_message #3" in sent
        assert "players.yaml:9" in sent
        await follow(board, "ok in")
        board.type("\x1b")
        await follow(board, "2 connections (2)")
        board.type("\x1b[B\r")
        await follow(board, "param room garden")
        board.type("\x1b")
        await follow(board, "2 connections (2)")


async def test_messages_broadcasts_and_kicks(at_terminal: Callable[..., BoardTerminal]) -> None:
    board = at_terminal()
    async with connect(f"{board.address}/lobby") as ann, connect(f"{board.address}/lobby") as bob:
        await follow(board, "2 connections ·")
        await follow(board, "lobby")
        board.type("m")
        await follow(board, "send to")
        board.type("hé there\r")
        assert await asyncio.wait_for(ann.recv(), TIMEOUT) == "hé there"
        await follow(board, "sent to")
        board.type("b")
        await follow(board, "broadcast to lobby:")
        board.type("all\r")
        assert [await asyncio.wait_for(one.recv(), TIMEOUT) for one in (ann, bob)] == ["all", "all"]
        await follow(board, "sent to the 2 in lobby")
        board.type("x")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(ann.recv(), TIMEOUT)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "closed at the board")
        await follow(board, "1 connection ·")
        board.type("\x1b[200~xxqq\x1b[201~m")  # what is pasted orders nothing
        await follow(board, "send to")
        board.type("\x1b[200~pasted\x1b[201~\r")
        assert await asyncio.wait_for(bob.recv(), TIMEOUT) == "pasted"


async def test_filter_pause_help_and_panels(at_terminal: Callable[..., BoardTerminal]) -> None:
    board = at_terminal()
    for panel, key in (("routes", "1"), ("channels", "3"), ("log", "4"), ("connections", "2"), ("channels", "\t")):
        board.type(key)
        await asyncio.to_thread(board.wait_until, re.compile(rf"▶\d {panel}").search)
    board.type("2?")
    await follow(board, "the keys")
    board.type(" ")
    await follow(board, "▶2 connections")
    async with connect(f"{board.address}/lobby?name=Ann"), connect(f"{board.address}/garden"):
        await follow(board, "2 connections (2)")
        board.type("/garden")
        await follow(board, "1 of 2, filter: garden")
        board.type("\r")
        await asyncio.to_thread(board.wait_without, " filter: garden\n")
        board.type("\x1b")
        await follow(board, "2 connections (2)")
        board.type("p")
        await follow(board, "PAUSED")
        board.type("p")
        await asyncio.to_thread(board.wait_without, "PAUSED")


async def test_reload_shows_what_changed_and_generations(
    at_terminal: Callable[..., BoardTerminal], folder: Path
) -> None:
    board = at_terminal(columns=120)
    async with connect(f"{board.address}/lobby"):
        await follow(board, "Players@1")
        (folder / "players.yaml").write_text(ROUTE.replace("you said", "You said"), encoding="utf-8")
        await follow(board, "players.yaml: on_message changed; 1 connection goes on at generation 2")
        await follow(board, "Players@2")
        (folder / "players.yaml").write_text(ROUTE.replace("{{ message", "{{ mesage"), encoding="utf-8")
        await follow(board, "stale")
        await follow(board, "1 broken: players.yaml")
        board.type("r")
        await follow(board, "nothing has changed")


async def test_o_shows_the_address_of_the_browser_console(at_terminal: Callable[..., BoardTerminal]) -> None:
    board = at_terminal("--no-console")
    board.type("o")
    await follow(board, "the browser console is off")


async def test_hostile_payloads_do_not_reach_the_terminal(at_terminal: Callable[..., BoardTerminal]) -> None:
    board = at_terminal(rows=40, columns=120)
    hostile = "\x1b[2J\x1b]52;c;aGk=\x07\x1b]8;;http://x\x1b\\[link=http://x]\u202e\x9b31m"
    async with connect(f"{board.address}/%1B%5B2J%1B%5D52?name=%1B%5B2J%07%C2%9B") as ann:
        await follow(board, "1 connection ·")
        board.type("\r")
        await follow(board, "no frames")
        await say(ann, hostile)
        await follow(board, r"you said \x1b[2J")
        board.type("\x1b")
        await follow(board, "2 connections (1)")
    text = board.written.decode(errors="replace")  # the last character may still be on its way
    for code in ("\x1b[2J", "\x1b]52", "\x1b]8;", "\u202e", "\x9b", "\x07"):
        assert code not in text
    assert "[link=http://x]" in text


async def test_wide_characters_resize_and_no_colours(at_terminal: Callable[..., BoardTerminal]) -> None:
    board = at_terminal(rows=60, columns=200, NO_COLOR="1")
    async with connect(f"{board.address}/%E9%83%A8%E5%B1%8B?name=%E5%B1%B1") as ann:
        await say(ann, "こんにちは")
        await follow(board, "部屋".replace("屋", "")[0])
        await follow(board, "p pause")
        board.resize(24, 80)
        await asyncio.to_thread(board.wait_until, lambda shown: shown.splitlines()[-1].strip().endswith("q quit"))
        await asyncio.to_thread(board.wait_without, "p pause")
        board.resize(60, 200)
        await follow(board, "p pause")
        assert board.text.splitlines()[-1].strip().endswith("q quit")
        board.resize(8, 30)
        await follow(board, "at least 40×12")
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-9]m", board.written)


@pytest.mark.parametrize(
    ("way", "code"),
    [("q", 0), ("\x03", 130), (signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, None)],
    ids=["q", "ctrl-c", "sigterm", "sigint", "sigkill"],
)
async def test_the_terminal_is_restored(
    way: str | int, code: int | None, at_terminal: Callable[..., BoardTerminal]
) -> None:
    board = at_terminal()
    async with connect(f"{board.address}/lobby") as ann:
        await follow(board, "1 connection ·")
        assert termios.tcgetattr(board.process.child_fd) != board.mode
        if isinstance(way, str):
            board.type(way)
        else:
            board.process.kill(way)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(ann.recv(), TIMEOUT)
        if code is not None:
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
    mode: list[Any] = []

    def watch_end() -> int | None:
        deadline = time.monotonic() + TIMEOUT
        while not board.is_restored() and time.monotonic() < deadline:
            board._read()
        with suppress(termios.error):
            mode.append(termios.tcgetattr(board.process.child_fd))
        return board.end()

    assert await asyncio.to_thread(watch_end) == code
    assert board.is_restored()
    assert "Traceback" not in board.text
    if code is not None:
        assert "stopped" in board.text


def board_process(server: int) -> int:
    """The process that draws for this server."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server)], capture_output=True, text=True, check=False)
    return int(found.stdout.split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="asks ps as Linux has it")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_board_that_dies_leaves_the_server_going(
    number: int, at_terminal: Callable[..., BoardTerminal]
) -> None:
    board = at_terminal(columns=160)
    async with connect(f"{board.address}/lobby") as ann:
        await follow(board, "1 connection ·")
        os.kill(board_process(board.process.pid), number)
        await follow(board, "the server goes on, with plain lines")
        assert board.is_restored()
        assert termios.tcgetattr(board.process.child_fd) == board.mode
        assert (await say(ann, "hi"))[0] == "you said hi"
        await follow(board, "nobody spoke")
    board.type("\x03")
    assert await asyncio.to_thread(board.end) == 130


@pytest.mark.parametrize(
    ("arguments", "variables"), [(["--no-tui"], {}), ([], {"CI": "true"}), ([], {"TERM": "dumb"}), (["-v"], {})]
)
def test_plain_lines_where_no_board_is_wanted(
    arguments: list[str], variables: dict[str, str], at_terminal: Callable[..., BoardTerminal]
) -> None:
    board = at_terminal(*arguments, **variables)
    board.type("\x03")
    assert board.end() == 130
    assert ENTERED.encode() not in board.written


def test_a_start_that_fails_draws_nothing(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        terminal = Terminal("dev", "--port", str(taken.getsockname()[1]), cwd=folder)
        assert terminal.end() == 2
    assert "is in use" in terminal.text
