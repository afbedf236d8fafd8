"""Messages between the server and its board."""

from __future__ import annotations

import asyncio

import pytest

from worpen_cli.board.exchange import Ask, Look, Panel, packed, receive


async def test_messages_come_as_they_were_sent_however_they_are_cut() -> None:
    ask = Ask({Panel.LOG: Look(search="\ud800 سلام", tail=True)}, "id", held=True)
    reader = asyncio.StreamReader()
    raw = packed(ask) + packed("next")
    for at in range(0, len(raw), 7):
        reader.feed_data(raw[at : at + 7])
    reader.feed_eof()
    assert await receive(reader) == ask
    assert await receive(reader) == "next"
    with pytest.raises(EOFError):
        await receive(reader)


async def test_a_message_that_is_cut_off_is_the_end() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(packed("hello")[:-1])
    reader.feed_eof()
    with pytest.raises(EOFError):
        await receive(reader)
