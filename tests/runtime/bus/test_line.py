"""Commands on their way to the store: one write for each turn of the loop."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from runtime.bus.line import Line


class Written:
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    async def send_packed_command(self, command: bytes, check_health: bool) -> None:
        self.writes.append(command)


async def test_commands_of_one_turn_leave_in_one_write_and_in_order() -> None:
    connection = Written()
    line = Line(cast("Any", connection))
    writing = asyncio.create_task(line.write())
    line.command(1, b"PUBLISH", b"topic", b"\r\n\x00")
    line.command(0, b"GET", b"")
    await asyncio.sleep(0.01)
    line.command(print, b"PING")
    await asyncio.sleep(0.01)
    assert connection.writes == [
        b"*3\r\n$7\r\nPUBLISH\r\n$5\r\ntopic\r\n$3\r\n\r\n\x00\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
    ]
    assert list(line.asked) == [1, 0, print]
    line.command(0, b"LATE")
    line.end("it was given up")
    with pytest.raises(ConnectionError, match="it was given up"):
        await writing
    assert len(connection.writes) == 2
