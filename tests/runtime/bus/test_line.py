"""Commands on their way to the store, and what comes back: on a real connection to a listener of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runtime.bus.line import Line
from runtime.bus.resp import Refusal

PATIENCE_SECONDS = 10.0


class Streams:
    """What the library has opened: as much of it as is taken over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer


class Far:
    """A line, the other end of it, and what was heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, bytes]] = []
        self.answers: list[tuple[Any, Any]] = []
        self.line = Line(lambda topic, content: self.heard.append((topic, content)), self.answered)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    def answered(self, then: Any, answer: Any) -> None:
        if isinstance(answer, Refusal):
            raise ConnectionError(str(answer))
        self.answers.append((then, answer))

    async def until(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.heard) + len(self.answers) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(early: bytes = b"") -> AsyncIterator[Far]:
    """`early`: what the other end says before the line is taken over."""
    far, accepted = Far(), asyncio.Event()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far.reader, far.writer = reader, writer
        accepted.set()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await accepted.wait()
        if early:
            far.writer.write(early)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(reader._buffer) < len(early):  # type: ignore[attr-defined]  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        far.line.take_over(Streams(reader, writer))  # type: ignore[arg-type]
        try:
            yield far
        finally:
            far.writer.close()
            writer.transport.abort()
            await asyncio.wait({far.line.ended}, timeout=PATIENCE_SECONDS)
            assert far.line.ended.exception() is not None


async def test_commands_leave_in_order_and_those_of_one_turn_together() -> None:
    async with connected() as far:
        written: list[bytes] = []
        transport = far.line._transport
        assert transport is not None
        far.line._transport = type("Noting", (), {"write": staticmethod(written.append)})()
        far.line.command(1, b"PUBLISH", b"topic", b"\r\n\x00")
        far.line.command(0, b"GET", b"")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        far.line.command(print, b"PING")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert written == [
            b"*3\r\n$7\r\nPUBLISH\r\n$5\r\ntopic\r\n$3\r\n\r\n\x00\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
            b"*1\r\n$4\r\nPING\r\n",
        ]
        assert list(far.line.asked) == [1, 0, print]
        far.line.command(0, b"HDEL")
        far.line.flush()
        assert written[2:] == [b"*1\r\n$4\r\nHDEL\r\n"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(written) == 3
        far.line._transport = transport


async def test_what_comes_is_a_message_or_the_answer_to_the_oldest_command() -> None:
    async with connected() as far:
        far.line.command(7, b"PUBLISH", b"t", b"x")
        far.line.command(0, b"GET", b"k")
        assert await far.reader.readexactly(45) == b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nt\r\n$1\r\nx\r\n*2\r\n$3\r\nGET\r\n$"
        far.writer.write(b">3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$1\r\nx\r\n:1\r\n$")
        await far.until(2)
        far.writer.write(b"2\r\nhi\r\n")
        await far.until(3)
        assert (far.heard, far.answers) == ([(b"t", b"x")], [(7, 1), (0, b"hi")])


async def test_what_came_before_it_was_taken_over_is_not_lost() -> None:
    async with connected(b">3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$1\r\nx\r\n>3\r\n$7\r\nmes") as far:
        assert far.heard == [(b"t", b"x")]
        far.writer.write(b"sage\r\n$1\r\nt\r\n$1\r\ny\r\n")
        await far.until(2)
        assert far.heard[1] == (b"t", b"y")


async def test_a_line_that_was_given_up_says_and_hears_nothing() -> None:
    async with connected() as far:
        far.line.command(0, b"LATE")
        far.line.end("it was given up")
        with pytest.raises(ConnectionError, match="it was given up"):
            await far.line.ended
        far.writer.write(b">3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$1\r\nx\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(far.reader.read(1), 0.1)
        assert far.heard == []


@pytest.mark.parametrize(
    ("said", "reason"), [(b"-ERR no\r\n", "ERR no"), (b"nonsense\r\n", "no RESP3"), (b":1\r\n:2\r\n", "empty")]
)
async def test_what_cannot_be_ends_it(said: bytes, reason: str) -> None:
    async with connected() as far:
        far.line.command(0, b"PING")
        far.writer.write(said + b">3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$1\r\nx\r\n")
        with pytest.raises(Exception, match=reason):
            await asyncio.wait_for(far.line.ended, PATIENCE_SECONDS)
        assert far.heard == []


async def test_a_connection_that_is_closed_ends_it() -> None:
    async with connected() as far:
        far.writer.close()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(far.line.ended, PATIENCE_SECONDS)
