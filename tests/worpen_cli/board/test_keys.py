"""Keys of a terminal, and the terminal's mode while they are read."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
from collections.abc import Sequence

import pytest

from worpen_cli.board.keys import PASTE, Stroke, raw_keys, to_stroke

WAIT = 10.0


async def typed(*pieces: bytes, count: int) -> list[Stroke]:
    """The strokes that some bytes make, each piece written by itself."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    heard: list[Stroke] = []
    enough = asyncio.Event()

    def hear(strokes: Sequence[Stroke]) -> None:
        heard.extend(strokes)
        if len(heard) >= count:
            enough.set()

    try:
        with raw_keys(slave, hear, enough.set):
            assert not termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
            for piece in pieces:
                os.write(master, piece)
            await asyncio.wait_for(enough.wait(), WAIT)
        assert termios.tcgetattr(slave) == before
    finally:
        os.close(master)
        os.close(slave)
    return heard


async def test_keys_have_names() -> None:
    raw = b"q\t\x1b[Z\x1b[A\x1b[B\x1b[5~\x1b[6~\x1b[H\x1b[F\r\x7f\x03\x15"
    names = [
        "q", "tab", "backtab", "up", "down", "pageup", "pagedown", "home", "end", "enter", "backspace", "ctrl-c",
        "ctrl-u",
    ]  # fmt: skip
    assert [stroke.key for stroke in await typed(raw, count=len(names))] == names


async def test_an_escape_alone_is_a_key() -> None:
    assert await typed(b"\x1b", count=1) == [Stroke("escape")]


async def test_characters_of_any_alphabet_type_themselves() -> None:
    assert await typed("é山".encode(), count=2) == [Stroke("é", "é"), Stroke("山", "山")]


async def test_what_is_pasted_is_one_stroke() -> None:
    assert await typed(b"\x1b[200~qx\nr\x1b[201~", count=1) == [Stroke(PASTE, "qx r")]


@pytest.mark.parametrize("name", ["\x00", "<sigint>", "<cursor-position-response>"])
def test_what_is_no_key(name: str) -> None:
    assert to_stroke(name, "") is None
