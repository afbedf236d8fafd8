"""What the board's orders do to a real server."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.app import App
from tests.runtime.parts import route
from tests.runtime.server.harness import client, started
from worpen_cli.board.desk import Desk, Means
from worpen_cli.board.exchange import Order, Verb
from worpen_cli.journal import Journal


def join(inputs: Any, slots: Any, emit: Any) -> None:
    emit("subscribe", "room")


@asynccontextmanager
async def manned() -> AsyncIterator[tuple[Desk, App, list[Any]]]:
    """A desk without a process, its server, and what it asked of the command."""
    asked: list[Any] = []
    async with started(route(on_connect=join)) as app:
        means = Means(lambda: asked.append("reload"), asked.append, lambda: asked.append("console"), lambda: "address")
        journal = Journal(asked.append)
        desk = Desk(app, journal, means, color=False)
        assert journal.tap is not None
        yield desk, app, asked
        await desk.close()
        assert journal.tap is None


def order(desk: Desk, verb: Verb, subject: str = "", text: str = "") -> str:
    """Give an order; the notice that comes of it."""
    desk.obey(Order(verb, subject, text))
    return desk.feed.notice


async def test_orders_about_connections() -> None:
    async with manned() as (desk, app, _), client(app) as speaker:
        (own,) = app.links
        assert order(desk, Verb.SEND, own, "hi") == f"sent to {own[:8]}"
        assert await speaker.recv() == "hi"
        assert order(desk, Verb.BROADCAST, "room", "all") == "sent to the 1 in room"
        assert await speaker.recv() == "all"
        assert order(desk, Verb.SEND, own, "\ud800") == "not sent: half a surrogate pair is no text"
        assert order(desk, Verb.CLOSE, own) == f"closed {own[:8]}"
        await speaker.wait_closed()
        assert (speaker.close_code, speaker.close_reason) == (1000, "closed at the board")


async def test_orders_about_what_is_not_there() -> None:
    async with manned() as (desk, _, _):
        assert order(desk, Verb.SEND, "gone", "x") == "gone is gone"
        assert order(desk, Verb.CLOSE, "gone") == "gone is gone"
        assert order(desk, Verb.BROADCAST, "nowhere", "x") == "nobody is in nowhere"


async def test_orders_about_the_server() -> None:
    async with manned() as (desk, _, asked):
        assert order(desk, Verb.RELOAD) == "reloading …"
        assert order(desk, Verb.CONSOLE) == "the browser console is off"
        for verb in (Verb.QUIT, Verb.INTERRUPT):
            assert "again to hurry" in order(desk, verb)
        assert asked == ["reload", "console", signal.SIGTERM, signal.SIGINT]
