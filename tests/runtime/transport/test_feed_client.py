"""Asking a server's feed, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from runtime.transport.feed_client import FeedClient, FeedError

Answers = dict[str, list[dict[str, Any]]]


@asynccontextmanager
async def feed(answers: Answers) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that answers each question with some messages; its address, and by which paths and origins."""
    asked: list[str] = []

    async def answer(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(f"{connection.request.path} {connection.request.headers['Origin']}")
        await connection.send('{"kind": "snapshot", "number": 0}')
        async for message in connection:
            for document in answers[json.loads(message)["ask"]]:
                await connection.send(json.dumps(document))

    async with serve(answer, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_answers_are_told_from_what_happens_meanwhile() -> None:
    answers: Answers = {"connection": [{"kind": "event"}, {"kind": "lost"}, {"kind": "connection", "id": "x"}]}
    async with feed(answers) as (address, asked):

        def ask() -> dict[str, Any]:
            with FeedClient(address, "abc") as client:
                return client.ask({"ask": "connection", "id": "x"}, "connection")

        assert await asyncio.to_thread(ask) == {"kind": "connection", "id": "x"}
        assert asked == [f"/__worpen__/feed?token=abc http://{address}"]


@pytest.mark.parametrize(
    ("answer", "said"), [([{"kind": "problem", "message": "no such thing"}], "no such thing"), ([], "does not answer")]
)
async def test_no_answer(answer: list[dict[str, Any]], said: str) -> None:
    async with feed({"connection": answer}) as (address, _):

        def ask() -> None:
            with FeedClient(address, "abc", 0.2) as client, pytest.raises(FeedError, match=said):
                client.ask({"ask": "connection"}, "connection")

        await asyncio.to_thread(ask)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no such host:80", ""])
def test_nobody_there(address: str) -> None:
    with pytest.raises(FeedError):
        FeedClient(address, "abc", 0.5)
