"""What the board is told of a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.events import FrameOut
from runtime.loader import link
from runtime.server.catalogue import BrokenRoute, entries_of
from runtime.server.settings import Settings
from tests.canary import CANARY
from worpen_cli.board.exchange import SHOWN_CHARACTERS, Ask, Listing, Look, Panel, Reply
from worpen_cli.board.feed import FRAMES, Feed, frame_row, milliseconds, seen_frame

ROUTE = """\
name: Players
path: /ws/players/:room
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: name, value: "{{ query.name }}"}
    - WsOp: {command: subscribe, channel: "{{ params.room }}"}
  on_message:
    - WsOp: {command: send, message: "you said {{ message }}"}
    - WsOp:
        command: broadcast
        channel: "{{ params.room }}"
        message: "{{ name }}: {{ message }}"
    - If:
        condition: "{{ message == 'boom' }}"
        then:
          - Throw: {message: no, code: boom}
"""
ROOMS = dict.fromkeys(Panel, 10)


@asynccontextmanager
async def fed(tmp_path: Path) -> AsyncIterator[tuple[Feed, App]]:
    """A server with one route that works and one that does not, and its feed."""
    compilation = compile_source("players.yaml", ROUTE.encode(), CompilerSettings())
    assert compilation.program is not None
    app = App(Settings(port=0))
    await app.start([*entries_of(link(compilation.program, app.context)), BrokenRoute("/ws/bad", "error: no\nmore")])
    feed = Feed(app, lambda: "ws://localhost:1")
    try:
        yield feed, app
    finally:
        feed.close()
        await app.drain()
        assert not app.events.wanted
        assert not app.events.measured
        assert not app.events.detailed


def ask(feed: Feed, detail: str = "", *, held: bool = False, **looks: Any) -> Reply:
    """A picture with ten rows of each list."""
    wanted = {panel: Look(**{"room": 10, "tail": panel.value > 3, **looks}) for panel in Panel}
    return feed.reply(Ask(wanted, detail, held))


def rows(reply: Reply, panel: Panel) -> tuple[Any, ...]:
    found: Listing[Any] = reply.lists[panel]
    return found.rows


def client(app: App, room: str = "lobby", name: str = "Ann") -> connect:
    return connect(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/players/{room}?name={name}", compression=None)


async def say(speaker: ClientConnection, text: str, answers: int = 2) -> list[Any]:
    await speaker.send(text)
    return [await asyncio.wait_for(speaker.recv(), 10) for _ in range(answers)]


async def test_the_lists(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, app), client(app) as ann, client(app, "garden") as bob:
        await say(ann, "hi")
        reply = ask(feed)
        assert (reply.totals.connections, reply.totals.address, reply.totals.state) == (2, "ws://localhost:1", "")
        good, bad = rows(reply, Panel.ROUTES)
        assert (good.key, good.name, good.generation, good.condition, good.connections) == (
            "/ws/players/:room", "Players", 1, "ok", 2,
        )  # fmt: skip
        assert (bad.key, bad.condition, bad.reason) == ("/ws/bad", "broken", "error: no")
        first, second = rows(reply, Panel.CONNECTIONS)
        assert (first.route, first.generation, first.current, first.who) == ("Players", 1, 1, "127.0.0.1")
        assert (first.received, first.sent, first.result) == (1, 2, "ok")
        assert (second.received, second.sent) == (0, 0)
        assert first.p99 > 0
        assert 0 <= first.idle <= first.age
        assert [(row.key, row.members) for row in rows(reply, Panel.CHANNELS)] == [("lobby", 1), ("garden", 1)]
        await bob.close()


async def test_rates_are_taken_over_a_while(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, app), client(app) as ann:
        ask(feed)
        await asyncio.sleep(1.05)
        for _ in range(10):
            await say(ann, "hi")
        reply = ask(feed)
        assert 4 < reply.totals.received_rate < 10
        assert 8 < reply.totals.sent_rate < 20
        assert rows(reply, Panel.CHANNELS)[0].rate > 4
        assert app.events.timed_every == 1


async def test_of_many_messages_some_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worpen_cli.board.feed.MANY_MESSAGES", 1)
    async with fed(tmp_path) as (feed, app), client(app) as ann:
        ask(feed)
        for _ in range(10):
            await say(ann, "hi")
        await asyncio.sleep(1.05)
        ask(feed)
        assert app.events.timed_every == 8
        await asyncio.sleep(1.05)
        ask(feed)
        assert app.events.timed_every == 1


async def test_a_connection_that_is_looked_into(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, app), client(app) as ann, client(app, name="Bob") as bob:
        own, other = app.links
        assert ask(feed, own).detail is not None
        await say(ann, "hi")
        await say(bob, "ho", 3)
        await say(ann, "boom", 3)
        reply = ask(feed, own)
        detail = reply.detail
        assert detail is not None
        assert (detail.row.key, detail.ended, detail.channels) == (own, "", ("lobby",))
        assert detail.variables == (("name", '"Ann"'),)
        assert detail.handshake[:3] == (("path", "/ws/players/lobby"), ("param room", "lobby"), ("query name", "Ann"))
        shown = [
            (r.is_input, r.text, r.hook, r.run, r.sender == own, r.place, r.size) for r in rows(reply, Panel.FRAMES)
        ]
        assert shown == [
            (True, "hi", "on_message", 2, True, "", 2),
            (False, "you said hi", "on_message", 2, True, "players.yaml:9", 11),
            (False, "Ann: hi", "on_message", 2, True, "players.yaml:10", 7),
            (False, "Bob: ho", "on_message", 2, False, "players.yaml:10", 7),
            (True, "boom", "on_message", 3, True, "", 4),
            (False, "you said boom", "on_message", 3, True, "players.yaml:9", 13),
            (False, "Ann: boom", "on_message", 3, True, "players.yaml:10", 9),
        ]
        outcomes = [row.outcome.split()[0] if row.outcome else "" for row in rows(reply, Panel.FRAMES)]
        assert outcomes == ["ok", "ok", "ok", "", "boom", "boom", "boom"]
        assert list(app.events.watched) == [own]
        assert ask(feed, other).lists[Panel.FRAMES].total == 0
        assert list(app.events.watched) == [other]
        ask(feed)
        assert not app.events.detailed


async def test_the_page_outlives_its_connection(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, app):
        async with client(app) as ann:
            (own,) = app.links
            ask(feed, own)
            await say(ann, "hi")
            await ann.close(4000, "bye")
        await app.idle()
        reply = ask(feed, own)
        assert reply.detail is not None
        assert reply.detail.ended == "4000 bye"
        assert len(rows(reply, Panel.FRAMES)) == 3
        assert ask(feed).detail is None
        assert ask(feed, own).detail is None


async def test_only_the_latest_frames_are_kept(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, app), client(app) as ann:
        (own,) = app.links
        ask(feed, own)
        for number in range(FRAMES // 3 + 10):
            await say(ann, str(number))
        await ann.send(b"\x00\xff")
        await say(ann, "last", 4)
        frames = ask(feed, own).lists[Panel.FRAMES]
        assert frames.total == FRAMES
        assert frames.rows[-1].text == "Ann: last"
        assert any(row.text == "binary 00 ff" and row.size == 2 for row in frames.rows)


@pytest.mark.parametrize(
    ("payload", "size", "kept", "shown"),
    [
        ("é" * 10, 20, 10, "é" * 10),
        ("é" * 9_000, 18_000, SHOWN_CHARACTERS, "é" * SHOWN_CHARACTERS),
        (b"\x01" * 9_000, 9_000, SHOWN_CHARACTERS, "binary " + " ".join(["01"] * (SHOWN_CHARACTERS // 3))),
        ("\ud800", 1, 1, "\ud800"),
    ],
)
def test_of_a_long_payload_no_more_is_kept_than_is_shown(
    payload: str | bytes, size: int, kept: int, shown: str
) -> None:
    seen = seen_frame(7, FrameOut("own", "Players", "own", 1, payload, "on_message", 3, "players.yaml", 9))
    row = frame_row(seen, "ok in 1 ms")
    assert (len(seen.event.payload), row.text, row.size) == (kept, shown, size)
    assert (row.key, row.hook, row.run, row.sender, row.place) == ("7", "on_message", 3, "own", "players.yaml:9")
    assert (row.is_input, row.outcome) == (False, "ok in 1 ms")


async def test_while_held_log_and_frames_stand_still(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, app), client(app) as ann:
        (own,) = app.links
        ask(feed, own)
        feed.note("before", "info")
        await say(ann, "hi")
        ask(feed, own, held=True)
        feed.note("after", "info")
        await say(ann, "ho")
        held = ask(feed, own, held=True)
        assert (held.lists[Panel.LOG].total, held.lists[Panel.FRAMES].total) == (1, 3)
        going_on = ask(feed, own)
        assert (going_on.lists[Panel.LOG].total, going_on.lists[Panel.FRAMES].total) == (2, 6)


async def test_the_log(tmp_path: Path) -> None:
    async with fed(tmp_path) as (feed, _):
        feed.note("one\ntwo", "error")
        feed.note("1a2b3c4d-0000-4000-8000-000000000001 left 1a2b3c4d-0000-4000-8000-000000000001", "info")
        first, second, third = rows(ask(feed), Panel.LOG)
        assert (first.text, second.text, second.level) == ("one", "two", "error")
        assert third.text == "1a2b3c4d left 1a2b3c4d-0000-4000-8000-000000000001"
        assert [row.text for row in rows(ask(feed, search="TWO"), Panel.LOG)] == ["two"]


async def test_secrets_of_a_handshake_are_not_shown(tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {CANARY}", "Cookie": f"{CANARY}=1", "X-Plain": "shown"}
    async with fed(tmp_path) as (feed, app):
        address = f"ws://127.0.0.1:{app.addresses[0][1]}/ws/players/a?token={CANARY}&name=ann"
        offered = [Subprotocol("bearer"), Subprotocol(CANARY)]
        async with connect(address, additional_headers=headers, subprotocols=offered):
            reply = ask(feed, next(iter(app.links)))
            assert reply.detail is not None
            shown = dict(reply.detail.handshake)
            for secret in ("header authorization", "header cookie", "header sec_websocket_protocol", "query token"):
                assert shown[secret] == "(not shown)"
            assert (shown["header x_plain"], shown["query name"]) == ("shown", "ann")
            assert CANARY not in repr(reply)


def test_durations_for_people() -> None:
    assert [milliseconds(s) for s in (0.00031, 0.0042, 0.0123, 2.5)] == ["0.31 ms", "4.2 ms", "12 ms", "2,500 ms"]
