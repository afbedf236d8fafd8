"""Records of connections, written and removed; ends of connections whose node is lost; and a node that was taken for
lost itself."""

from __future__ import annotations

import asyncio
from typing import Any

from compiler.language.hooks import INPUT_NUMBERS
from runtime.app import App
from runtime.events import Event, FrameOut, HookFinished
from runtime.server.lives import Lives, Record
from tests.runtime.parts import route
from tests.runtime.server.harness import PATIENCE_SECONDS, ClientConnection, client, over, started


class Kept:
    """A store that writes down what it is asked for."""

    def __init__(self) -> None:
        self.is_sure = True
        self.records: dict[str, Record | None] = {}
        self.written = 0

    def keep(self, connection_id: str, record: bytes) -> None:
        self.records[connection_id] = Record.decode(record)
        self.written += 1

    def release(self, connection_id: str) -> None:
        del self.records[connection_id]


class World:
    """A route whose `on_message` keeps the message, and whose `on_disconnect` says what it sees."""

    def __init__(self) -> None:
        self.ended: list[tuple[Any, ...]] = []
        self.store = Kept()
        self.route = route("/ws/test/:room", slots=("last",), on_message=self.hear, on_disconnect=self.end)

    @staticmethod
    def hear(inputs: Any, slots: Any, _: Any) -> str:
        slots[0] = inputs[INPUT_NUMBERS["message"]]
        return "heard"

    def end(self, inputs: Any, slots: Any, _: Any) -> None:
        names = ("connection_id", "params", "close_code", "close_reason", "remote_addr")
        self.ended.append((*(inputs[INPUT_NUMBERS[name]] for name in names), slots[0]))

    def lives(self, app: App) -> Lives:
        """Have an app keep its records here."""
        floor = app._floor
        assert floor is not None
        made = Lives(floor, app._catalogue, self.store)
        floor.lives = made
        return made


async def say_one(speaker: ClientConnection) -> None:
    """Have the route keep `one`."""
    await speaker.send("one")
    assert await speaker.recv() == "heard"


async def test_a_record_lives_as_long_as_its_connection() -> None:
    world = World()
    async with started(world.route) as app:
        lives = world.lives(app)
        async with client(app, "/ws/test/a?x=1") as speaker:
            await say_one(speaker)
            [record] = world.store.records.values()
            assert record is not None
            assert (record.path, record.given["params"], record.variables) == ("/ws/test/a", {"room": "a"}, {})
            lives.tick()
            lives.tick()
            assert world.store.written == 2
            assert [one and one.variables for one in world.store.records.values()] == [{"last": "one"}]
            lives.risen()
            lives.tick()
            assert world.store.written == 3
        await over(app)
        assert world.store.records == {}
        assert len(world.ended) == 1


async def test_the_newest_are_looked_at_first() -> None:
    world = World()
    async with started(world.route) as app:
        lives = world.lives(app)
        async with client(app, "/ws/test/a") as first, client(app, "/ws/test/b") as second:
            for speaker in (first, second):
                await say_one(speaker)
            lives.tick()
            assert [one and one.variables for one in world.store.records.values()] == [{"last": "one"}] * 2
        await over(app)


async def test_routes_without_on_disconnect_have_no_records() -> None:
    world = World()
    async with started(route(on_message=lambda *_: "x")) as app:
        world.lives(app)
        async with client(app) as speaker:
            await speaker.send("x")
            await speaker.recv()
        await over(app)
    assert world.store.written == 0


async def test_connections_of_a_lost_node_end_here() -> None:
    world = World()
    async with started(world.route) as app:
        lives = world.lives(app)
        given = {"params": {"room": "a"}, "query": {}, "headers": {}, "user": None, "remote_addr": "10.0.0.9"}
        records = {
            "c1": Record("/ws/test/a", given, {"last": "word \ud800", "gone": 1}).encode(),
            "c2": Record("/ws/other", given, {}).encode(),
            "c3": b"nonsense",
            "c4": Record("/ws/%zz", given, {}).encode(),
        }
        assert await lives.revive(records) == ["c1", "c3"]
        assert app.connections == 0
    assert world.ended == [("c1", {"room": "a"}, 1006, "node_lost", "10.0.0.9", "word \ud800")]


async def test_who_follows_all_is_told_what_a_lost_connection_would_send() -> None:
    told: list[Event] = []
    async with started(route(on_disconnect=lambda _, __, emit: emit("send", "bye", False) and None)) as app:
        app.events.subscribe(told.append, detailed=True)
        assert await World().lives(app).revive({"c1": Record("/ws/test", {}, {}).encode()}) == ["c1"]
    [frame] = [event for event in told if isinstance(event, FrameOut)]
    assert (frame.connection_id, frame.recipients, frame.payload) == ("c1", 0, "bye")
    assert [event.hook for event in told if isinstance(event, HookFinished)] == ["on_disconnect"]


async def test_hooks_that_wait_are_waited_for() -> None:
    ended: list[str] = []

    async def end(inputs: Any, slots: Any, emit: Any) -> None:
        await emit("sleep", 20)
        ended.append(inputs[INPUT_NUMBERS["connection_id"]])

    async with started(route(on_disconnect=end, waiting=("on_disconnect",))) as app:
        lives = World().lives(app)
        records = {name: Record("/ws/test", {}, {}).encode() for name in ("c1", "c2")}
        assert await lives.revive(records) == ["c1", "c2"]
        assert ended == ["c1", "c2"]


async def test_a_node_that_doubts_waits_for_proof() -> None:
    world = World()
    async with started(world.route) as app:
        lives = world.lives(app)
        async with client(app, "/ws/test/a") as speaker:
            await say_one(speaker)
            world.store.is_sure = False
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not lives._held:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert world.ended == []
        lives.proven()
        assert len(world.ended) == 1


async def test_a_node_that_was_taken_for_lost_runs_no_hook() -> None:
    world = World()
    async with started(world.route) as app:
        lives = world.lives(app)
        async with client(app, "/ws/test/a") as speaker:
            await say_one(speaker)
            lives.fenced()
            await speaker.wait_closed()
            assert speaker.close_code == 1012
        await over(app)
        assert app.settle().connections == 0
    assert world.ended == []
