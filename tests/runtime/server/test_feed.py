"""What the browser console is told, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from runtime.app import App
from runtime.events import FrameIn, FrameOut, LogLine
from runtime.server.catalogue import BrokenRoute
from runtime.server.console import FEED
from runtime.server.feed import (
    FINDINGS_CHARACTERS,
    LOG_LINES,
    LOOK_SECONDS,
    MESSAGE_BYTES,
    MOST_FEEDS,
    MOST_WATCHED,
    PAYLOAD_CHARACTERS,
    ROOM_BYTES,
    SCHEMA,
    BrokenFile,
    Follower,
    encoded,
    event_message,
)
from runtime.server.snapshot import MOST_ROUTES
from runtime.transport.frames import content_of
from tests.runtime.parts import entry, route
from tests.runtime.server.harness import PATIENCE_SECONDS, client, over, port, started

TOKEN = "0123456789abcdef"
BROKEN = BrokenFile("chat.yaml", ("/ws/chat",), "error: no\n", [{"code": "W401"}])


class Console:
    """A feed, as a page has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; others are passed over."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["kind"] == kind:
                    return message

    async def event(self, name: str) -> dict[str, Any]:
        """The message of the next event of this name."""
        while (message := await self.next("event"))["event"]["event"] != name:
            pass
        return message

    async def ask(self, **question: Any) -> None:
        await self.socket.send(json.dumps(question))

    async def connections(self) -> list[str]:
        """The ids of all connections now; what was asked before is done then."""
        await self.ask(ask="snapshot")
        message = await self.next("snapshot")
        return [connection["id"] for connection in message["connections"]["list"]]


@asynccontextmanager
async def following(app: App) -> AsyncIterator[Console]:
    host = f"localhost:{port(app)}"
    address, origin = f"ws://{host}{FEED}?token={TOKEN}", Origin(f"http://{host}")
    async with connect(address, origin=origin, max_queue=None) as socket:
        yield Console(socket)


def talk(path: str = "/ws/talk", **parts: Any) -> Any:
    def speak(inputs: Any, slots: Any, emit: Any) -> None:
        slots[0] = inputs[1]
        emit("publish", inputs[1], False, False, "room")

    return route(path, name="talk", slots=("last",), on_message=speak, **parts)


async def test_the_snapshot_comes_first() -> None:
    async with started(talk(), console_token=TOKEN) as app, client(app, "/ws/talk"):
        app.tell_findings([BROKEN])
        async with following(app) as console:
            snapshot = json.loads(await console.socket.recv())
            assert (snapshot["kind"], snapshot["schema"], snapshot["prefix"]) == ("snapshot", SCHEMA, "/api")
            (shown,) = snapshot["routes"]["list"]
            assert (shown["path"], shown["addresses"]) == ("/ws/talk", ["/ws/talk", "/api/ws/talk"])
            assert snapshot["connections"]["total"] == 1
            assert snapshot["connections"]["list"][0]["pattern"] == "/ws/talk"
            assert snapshot["findings"] == [BROKEN.document()]
            await console.ask(ask="snapshot")
            assert (await console.next("snapshot"))["connections"] == snapshot["connections"]


async def test_connections_come_and_go() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        async with client(app, "/ws/talk"):
            connected = await console.event("connected")
            assert connected["event"]["path"] == "/ws/talk"
            assert connected["at"] > 1_600_000_000_000
        assert (await console.event("disconnected"))["event"]["code"] == 1000


async def test_channels_are_told_when_they_change() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        async with client(app, "/ws/talk") as alice:
            await alice.send("hi")
            while not (channels := (await console.next("channels"))["channels"])["total"]:
                pass
            (room,) = channels["list"]
            assert (room["name"], room["size"], len(room["members"])) == ("room", 1, 1)
        while (await console.next("channels"))["channels"]["total"]:
            pass


async def test_channels_are_not_told_again_while_they_are_the_same() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console, client(app, "/ws/talk") as alice:
        await alice.send("hi")
        while not (await console.next("channels"))["channels"]["total"]:
            pass
        await alice.send("hi again")
        await asyncio.sleep(2.5 * LOOK_SECONDS)
        await console.ask(ask="snapshot")
        kinds = []
        while (message := json.loads(await console.socket.recv()))["kind"] != "snapshot":
            kinds.append(message["kind"])
        assert "channels" not in kinds


async def test_a_swap_tells_all_routes() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        app.swap([entry(talk()), entry(route("/ws/new", name="new"))])
        assert (await console.event("swapped"))["event"]["added"] == ["/ws/new"]
        assert [shown["path"] for shown in (await console.next("routes"))["routes"]["list"]] == ["/ws/talk", "/ws/new"]


async def test_findings_come_and_go() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        app.tell_findings([BROKEN])
        assert (await console.next("findings"))["findings"] == [BROKEN.document()]
        app.tell_findings([])
        assert (await console.next("findings"))["findings"] == []


async def test_frames_of_watched_connections_only() -> None:
    async with (
        started(talk(), console_token=TOKEN) as app,
        following(app) as console,
        client(app, "/ws/talk") as alice,
        client(app, "/ws/talk") as bob,
    ):
        ids = [(await console.event("connected"))["event"]["connection_id"] for _ in range(2)]
        assert not app.events.detailed
        for _ in range(2):  # asking twice tells once
            await console.ask(ask="watch", id=ids[1])
        await console.ask(ask="connection", id=ids[0])
        await console.next("connection")
        assert app.events.detailed
        await alice.send("from alice")
        await bob.send("from bob")
        frame = await console.event("frame_in")  # of what alice sent nothing was told
        assert (frame["of"], frame["event"]["payload"], frame["bytes"]) == (ids[1], "from bob", 8)
        await console.ask(ask="unwatch", id=ids[1])
        await console.ask(ask="connection", id=ids[1])
        details = (await console.next("connection"))["connection"]
        assert details["variables"] == {"last": "from bob"}
        assert not app.events.detailed


async def test_watching_ends_with_the_connection_and_with_the_feed() -> None:
    async with started(talk(), console_token=TOKEN) as app, client(app, "/ws/talk"):
        async with following(app) as console:
            async with client(app, "/ws/talk"):
                short = (await console.event("connected"))["event"]["connection_id"]
                await console.ask(ask="watch", id=short)
            await console.event("disconnected")
            await console.ask(ask="watch", id=short)
            assert (await console.next("problem"))["message"] == "no connection has this id"
            assert not app.events.detailed
            (left,) = await console.connections()
            await console.ask(ask="watch", id=left)
            await console.connections()
            assert app.events.detailed
        async with asyncio.timeout(PATIENCE_SECONDS):
            while app.events.wanted:  # noqa: ASYNC110 (the server hears of the end a little later)
                await asyncio.sleep(0.01)
        assert not app.events.detailed


async def test_one_connection_from_inside() -> None:
    async with started(talk("/ws/talk/:room"), console_token=TOKEN) as app, following(app) as console:
        async with client(app, "/ws/talk/lobby?a=1") as alice:
            connection_id = (await console.event("connected"))["event"]["connection_id"]
            await alice.send("hello")
            await alice.recv()
            await console.ask(ask="connection", id=connection_id)
            answer = await console.next("connection")
            assert answer["id"] == connection_id
            details = answer["connection"]
            assert (details["route"], details["path"], details["pattern"]) == (
                "talk",
                "/ws/talk/lobby",
                "/ws/talk/:room",
            )
            assert details["inputs"]["params"] == {"room": "lobby"}
            assert details["inputs"]["query"] == {"a": "1"}
            assert details["variables"] == {"last": "hello"}
            assert details["channels"] == ["room"]
        await over(app)
        await console.ask(ask="connection", id=connection_id)
        assert (await console.next("connection"))["connection"] is None


@pytest.mark.parametrize(
    "question",
    ["", "[", "[]", "7", '{"ask": "close"}', '{"ask": "watch", "id": 7}', "[" * 50_000, b"\xff\xfe", '{"id": "x"}'],
)
async def test_questions_that_make_no_sense(question: str | bytes) -> None:
    async with started(console_token=TOKEN) as app, following(app) as console:
        await console.socket.send(question)
        assert (await console.next("problem"))["message"]
        await console.ask(ask="snapshot")
        assert (await console.next("snapshot"))["routes"] == {"total": 0, "list": []}


async def test_there_is_an_end_to_feeds_and_watching() -> None:
    async with started(talk(), console_token=TOKEN) as app:
        feeds = [following(app) for _ in range(MOST_FEEDS)]
        for feed in feeds:
            await feed.__aenter__()
        with pytest.raises(InvalidStatus) as refused:
            await following(app).__aenter__()
        assert refused.value.response.status_code == 503
        for feed in feeds:
            await feed.__aexit__(None, None, None)


async def test_too_many_watched() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        clients = [await client(app, "/ws/talk") for _ in range(MOST_WATCHED + 1)]
        for connection_id in await console.connections():
            await console.ask(ask="watch", id=connection_id)
        assert str(MOST_WATCHED) in (await console.next("problem"))["message"]
        for one in clients:
            await one.close()


async def test_of_too_many_findings_the_names_are_told() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        long = BrokenFile("a.yaml", ("/ws/a",), "x" * FINDINGS_CHARACTERS, [])
        app.tell_findings([BROKEN, long])
        told = (await console.next("findings"))["findings"]
        assert told == [BROKEN.document(), {**long.document(), "text": ""}]


async def test_a_long_answer_is_refused_and_the_feed_goes_on() -> None:
    def remember(inputs: Any, slots: Any, emit: Any) -> None:
        slots[0] = "x" * MESSAGE_BYTES

    large = route("/ws/large", name="large", slots=("all",), on_connect=remember)
    async with started(large, console_token=TOKEN) as app, following(app) as console, client(app, "/ws/large"):
        connection_id = (await console.event("connected"))["event"]["connection_id"]
        await console.ask(ask="connection", id=connection_id)
        assert "too long" in (await console.next("problem"))["message"]
        await console.ask(ask="snapshot")
        assert (await console.next("snapshot"))["connections"]["total"] == 1


async def test_the_largest_snapshot_can_be_sent() -> None:
    broken = [BrokenRoute(f"/ws/broken{number}", "é" * 5_000) for number in range(2 * MOST_ROUTES)]
    findings = [BrokenFile(f"{number}.yaml", (), "x" * 5_000, []) for number in range(2 * MOST_ROUTES)]
    async with started(*broken, console_token=TOKEN) as app:
        app.tell_findings(findings)
        async with following(app) as console:
            snapshot = await console.next("snapshot")
            assert (snapshot["routes"]["total"], len(snapshot["routes"]["list"])) == (2 * MOST_ROUTES, MOST_ROUTES)
            assert len(snapshot["findings"]) == len(findings)


def test_payloads_are_cut_and_their_size_is_told() -> None:
    message = event_message(FrameIn("c", "r", "é" * (PAYLOAD_CHARACTERS + 1)))
    assert message["bytes"] == 2 * (PAYLOAD_CHARACTERS + 1)
    assert len(message["event"]["payload"]) == PAYLOAD_CHARACTERS
    binary = event_message(FrameOut("c", "r", "everybody", 1, bytes(PAYLOAD_CHARACTERS + 1)))
    assert binary["bytes"] == PAYLOAD_CHARACTERS + 1
    assert set(binary["event"]["payload"]) == {"base64"}


def test_half_surrogates_can_be_told() -> None:
    encoded(event_message(FrameIn("c", "r", "\ud800"))).encode("ascii")


async def test_of_lines_of_logs_that_come_too_fast_only_the_number_is_told() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        flood = 3 * LOG_LINES
        for number in range(flood):
            app.events.publish(LogLine("c", "talk", "on_message", "info", f"line {number}"))
        told = [await console.event("log_line") for _ in range(LOG_LINES)]
        assert told[-1]["event"]["message"] == f"line {LOG_LINES - 1}"
        assert (await console.next("lost"))["events"] == flood - LOG_LINES
        app.events.publish(LogLine("c", "talk", "on_message", "info", "after"))
        assert (await console.event("log_line"))["event"]["message"] == "after"


class Slow:
    """A connection that takes nothing for a while."""

    is_open = True

    def __init__(self) -> None:
        self.queued_bytes = ROOM_BYTES + 1
        self.sent: list[dict[str, Any]] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(json.loads(content_of(frame)))


async def test_events_that_find_no_room_are_counted_and_told_when_there_is_room() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        assert app._console is not None
        slow: Any = Slow()
        follower = Follower(app._console.feed, slow)
        follower.tell({"kind": "answer"})
        for _ in range(3):
            follower.tell({"kind": "event"}, can_be_lost=True)
        follower.tell_lost()
        assert slow.sent == [{"kind": "answer"}]
        slow.queued_bytes = ROOM_BYTES
        follower.tell({"kind": "event"}, can_be_lost=True)
        assert slow.sent[1:] == [{"kind": "lost", "events": 3}, {"kind": "event"}]


async def test_the_end_of_the_server_ends_the_feeds() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        await app.drain()
        assert (await console.event("stopped"))["event"]["abandoned"] == 0
        with pytest.raises(ConnectionClosed) as closed:
            await console.next("nothing")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


async def test_a_feed_is_no_connection_of_a_route() -> None:
    async with started(talk(), console_token=TOKEN) as app, following(app) as console:
        await console.next("snapshot")
        assert app.connections == 0
        assert len(app.hub) == 0
