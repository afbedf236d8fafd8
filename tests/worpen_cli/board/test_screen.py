"""The board's process, against a server played by the test, at a real terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import socket
import termios
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.worpen_cli.board.parts import FIRST, reply
from worpen_cli.board import exchange
from worpen_cli.board.exchange import Ask, Order, Verb
from worpen_cli.board.screen import LEAST_SECONDS, main

WAIT = 10.0


@dataclass(slots=True)
class Played:
    """The server's end of a board."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    master: int
    task: asyncio.Task[None]

    async def asked(self) -> tuple[Sequence[Order], Ask]:
        """The next question, answered."""
        message: tuple[Sequence[Order], Ask] = await asyncio.wait_for(exchange.receive(self.reader), WAIT)
        self.writer.write(exchange.packed(reply()))
        return message

    async def ordered(self) -> Order:
        """The next order."""
        while not (orders := (await self.asked())[0]):
            pass
        return orders[0]

    def written(self) -> str:
        """What was drawn since the last time."""
        os.set_blocking(self.master, False)
        found = b""
        try:
            while piece := os.read(self.master, 65_536):
                found += piece
        except OSError:
            pass
        return found.decode()


@asynccontextmanager
async def playing(*, color: bool = True) -> AsyncIterator[Played]:
    """A board in this process, at a terminal of its own."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    before = termios.tcgetattr(slave)
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    task = asyncio.create_task(main(theirs, (slave, slave), color=color))
    try:
        yield Played(reader, writer, master, task)
        writer.close()
        await asyncio.wait([task], timeout=WAIT)
        assert termios.tcgetattr(slave) == before
    finally:
        task.cancel()
        os.close(master)
        os.close(slave)


async def test_it_draws_what_it_is_told_and_leaves_when_the_server_does() -> None:
    async with playing() as server:
        await server.asked()
        await server.asked()
        shown = server.written()
        assert "\x1b[?1049h" in shown
        assert "1,234 connections" in shown
        server.writer.close()
        await asyncio.wait_for(server.task, WAIT)
        left = server.written()
        assert all(code in left for code in ("\x1b[?1049l", "\x1b[?25h", "\x1b[?7h", "\x1b[?2004l"))


async def test_keys_become_orders_and_the_size_becomes_rooms() -> None:
    async with playing() as server:
        await server.asked()
        _, ask = await server.asked()
        assert sum(look.room for look in ask.looks.values()) == 19
        os.write(server.master, b"x")
        assert await server.ordered() == Order(Verb.CLOSE, FIRST)
        os.write(server.master, b"mhi\r")
        assert await server.ordered() == Order(Verb.SEND, FIRST, "hi")


async def test_it_asks_no_more_than_ten_times_a_second() -> None:
    async with playing() as server:
        await server.asked()
        began = time.monotonic()
        for _ in range(5):
            os.write(server.master, b"\x1b[B")
            await server.asked()
        assert time.monotonic() - began >= 4 * LEAST_SECONDS


async def test_a_bug_leaves_the_terminal_as_it_was() -> None:
    async with playing() as server:
        await exchange.receive(server.reader)
        server.writer.write(exchange.packed("no reply at all"))
        with pytest.raises(AttributeError):
            await asyncio.wait_for(server.task, WAIT)
        assert "\x1b[?1049l" in server.written()


async def test_a_server_that_hangs_can_be_left() -> None:
    async with playing() as server:
        await exchange.receive(server.reader)
        await asyncio.sleep(2.1)
        os.write(server.master, b"\x03")
        await asyncio.wait_for(server.task, WAIT)
