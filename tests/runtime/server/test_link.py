"""One served connection: messages in and out, and what is told of it."""

from __future__ import annotations

import asyncio
import gc
import time
from array import array
from collections import Counter
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from compiler.diagnostics import codes
from compiler.language.faults import Fault, Mark
from compiler.language.hooks import INPUT_NUMBERS
from runtime.app import App
from runtime.events import (
    Connected,
    Disconnected,
    Event,
    FrameIn,
    FrameOut,
    HookFaulted,
    HookFinished,
    LogLine,
)
from runtime.host import Host
from runtime.metrics import TIMED_RUNS
from runtime.server.link import Link
from runtime.session import Session, State
from runtime.transport.connection import WebSocketConnection
from runtime.transport.frames import FrameReader
from tests.runtime.parts import route
from tests.runtime.server.harness import PATIENCE_SECONDS, client, over, started
from tests.runtime.transport.harness import masked

MESSAGE, TYPE = INPUT_NUMBERS["message"], INPUT_NUMBERS["message_type"]


async def test_messages_and_their_types() -> None:
    async with started(route(on_message=lambda i, s, e: [i[MESSAGE], i[TYPE]])) as app, client(app) as speaker:
        for message, answer in (("hi", '["hi","text"]'), (b"hi", '["hi","binary"]'), (b"\xff", '["/w==","binary"]')):
            await speaker.send(message)
            assert await speaker.recv() == answer


def there() -> Counter[str]:
    """What there is of connections in memory, by the names of classes."""
    known = (Link, Session, Host, WebSocketConnection, FrameReader)
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one) in known)


@pytest.mark.parametrize("end", ["left", "cut", "closed", "waited"])
async def test_what_has_ended_leaves_memory_without_the_collector(end: str) -> None:
    async def linger(_: Any, __: Any, emit: Any) -> None:
        await emit("sleep", 1)

    hooks: dict[str, Any] = {"on_message": obey}
    if end == "waited":
        hooks |= {"on_disconnect": linger, "waiting": ("on_disconnect",)}
    gc.collect()
    gc.disable()
    try:
        async with started(route(**hooks)) as app:
            before = there()
            for _ in range(3):
                async with client(app) as speaker:
                    await speaker.send("return")
                    assert await speaker.recv() == "returned"
                    assert (there() - before).keys() == {
                        "Link", "Session", "Host", "WebSocketConnection", "FrameReader"
                    }  # fmt: skip
                    if end == "cut":
                        speaker.transport.abort()
                    elif end == "closed":
                        await speaker.send("close")
                        await speaker.wait_closed()
            del speaker
            await over(app)
            for _ in range(int(PATIENCE_SECONDS / 0.05)):
                if not (left := there() - before):
                    break
                await asyncio.sleep(0.05)
            assert left == {}
    finally:
        gc.enable()


def obey(inputs: Any, _: Any, emit: Any) -> Any:
    """Do what the message says."""
    match inputs[MESSAGE]:
        case "return":
            return "returned"
        case "throw":
            raise Fault(codes.THROWN, "no")
        case "break":
            raise KeyError("a bug")
        case "close":
            emit("close", 3001, "bye")
        case "shout":
            emit("send", "1", False)
            emit("broadcast", "2", False, False)
            emit("send", "3", False)
        case message:
            emit("send", message, False)
    return None


@pytest.mark.parametrize("order", ["text", "return", "throw", "break", "close", "\ud800"])
async def test_the_short_way_of_messages_is_the_long_one(order: str) -> None:
    async def outcome(*, observed: bool) -> tuple[Any, ...]:
        async with started(route(on_message=obey)) as app, client(app) as speaker:
            end = app.events.subscribe(lambda _: None, detailed=True) if observed else lambda: None
            got: list[Any] = []
            await speaker.send("first")
            got.append(await speaker.recv())
            (link,) = app.links.values()
            link.received(order)
            end()
            got += [link.runs, link.result, link.hook, link.session.state, link.session.hook]
            got += [link.session.inputs[MESSAGE], link.session.inputs[TYPE]]
            got.append({key: tally.runs for key, tally in app.counters.hook.items()})
            await speaker.send("last")
            try:
                got += [await speaker.recv(), await speaker.recv() if order in ("text", "return") else ""]
            except ConnectionClosed:
                got.append((speaker.close_code, (speaker.close_reason or "")[:5]))
            return tuple(got)

    assert await outcome(observed=False) == await outcome(observed=True)


@pytest.mark.parametrize("order", ["text", "return", "throw", "break", "close", "\ud800"])
async def test_messages_that_come_together_are_heard_as_if_alone(order: str) -> None:
    async def outcome(*, observed: bool) -> tuple[Any, ...]:
        async with started(route(on_message=obey)) as app, client(app) as speaker:
            end = app.events.subscribe(lambda _: None, detailed=True) if observed else lambda: None
            await speaker.send("first")
            got: list[Any] = [await speaker.recv()]
            (link,) = app.links.values()
            texts = iter(["a", "b", order, "c", "d"])
            link.received_texts(texts)
            left = [*texts]
            assert bool(left) is (observed or order != "text")
            got += [link.session.state, link.session.hook, link.session.inputs[MESSAGE]]
            for text in left if link.session.state is State.OPEN else []:
                link.received(text)
            end()
            got += [link.runs, link.result, link.hook, {key: tally.runs for key, tally in app.counters.hook.items()}]
            await speaker.send("last")
            try:
                got += [await speaker.recv() for _ in range(6 if order in ("text", "return") else 5)]
            except ConnectionClosed:
                got.append((speaker.close_code, (speaker.close_reason or "")[:5]))
            return tuple(got)

    found, expected = await outcome(observed=False), await outcome(observed=True)
    # Observed, no text was taken before the state was looked at.
    assert found[4:] == expected[4:]


async def test_answers_to_messages_that_come_together_keep_their_place() -> None:
    async with started(route(on_message=obey)) as app, client(app) as speaker:
        await speaker.send("first")
        texts = [await speaker.recv()]
        (link,) = app.links.values()
        link.received_texts(iter(["a", "shout", "return", "b"]))
        link.received_texts(iter(["c", "throw", "d"]))
        await speaker.send("last")
        while texts[-1] != "last":
            texts.append(await speaker.recv())
        assert texts == ["first", "a", "1", "2", "3", "returned", "c", "last"]


async def test_a_connection_that_is_dropped_hears_no_more_of_what_came_together() -> None:
    def drop(inputs: Any, _: Any, emit: Any) -> None:
        emit("send", "answer", False)
        if inputs[MESSAGE] == "drop":
            app.links[inputs[INPUT_NUMBERS["connection_id"]]].abort()

    async with started(route(on_message=drop)) as app, client(app) as speaker:
        await speaker.send("first")
        await speaker.recv()
        (link,) = app.links.values()
        texts = iter(["a", "drop", "b", "c"])
        link.received_texts(texts)
        assert [*texts] == ["b", "c"]
        with pytest.raises(ConnectionClosed):
            await speaker.recv()

    async with started(route(on_message=drop)) as app, client(app) as speaker:
        await speaker.send("first")
        await speaker.recv()
        (link,) = app.links.values()
        link._connection.data_received(b"".join(masked(1, text) for text in (b"a", b"drop", b"b", b"c")))  # type: ignore[attr-defined]
        assert link.runs == 3


async def test_hooks_of_messages_that_come_together_share_their_time() -> None:
    def slow(inputs: Any, slots: Any, emit: Any) -> Any:
        if inputs[MESSAGE] == "wait":
            time.sleep(0.05)
        if inputs[MESSAGE] == "throw":
            raise Fault(codes.THROWN, "no")

    async with started(route(on_message=slow)) as app, client(app) as speaker:
        await speaker.send("first")
        (link,) = app.links.values()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while link.runs < 1:  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(0.002)

        def seconds() -> float:
            return sum(tally.seconds for tally in app.counters.hook.values())

        before, start = seconds(), time.perf_counter()
        end = app.events.measure()
        link.received_texts(iter(["wait", "a", "b", "throw"]))
        end()
        assert 0.05 <= seconds() - before <= time.perf_counter() - start
        assert {key[2]: tally.runs for key, tally in app.counters.hook.items()} == {"ok": 4, "thrown": 1}
        assert link.timings is not None
        assert len(link.timings) == 4
        assert sum(link.timings) >= 0.05


async def test_hooks_are_told_of_that_end_before_a_connection_is_there_and_after_it_left() -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(*_: object) -> None:
        await answer

    told: list[tuple[str, str]] = []

    def note(event: Event) -> None:
        if isinstance(event, HookFinished):
            told.append((event.connection_id, event.hook))

    hooks: dict[str, Any] = {"on_auth": lambda *_: None, "on_message": wait, "waiting": ("on_message",)}
    async with started(route(**hooks)) as app:
        end = app.events.subscribe(note, detailed=True)
        async with client(app) as speaker:
            await speaker.send("wait")
            await until_runs(app, 2)
            [link] = app.links.values()
            assert told == [(link.connection_id, "on_auth")]
            end()
            answer.set_result(None)
            await asyncio.sleep(0)  # the hook ends; of that the link hears a turn later
            link.forsake(1012, "another node has it")
            app.events.watch(link.connection_id, note)
            await asyncio.sleep(0)
        assert not link.followed
        assert told == [(link.connection_id, "on_auth"), (link.connection_id, "on_message")]


async def until_runs(app: App, runs: int) -> None:
    """Return when the only connection has begun so many hook runs."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while [link.runs for link in app.links.values()] != [runs]:  # noqa: ASYNC110 (a test may look)
            await asyncio.sleep(0.005)


async def test_runs_are_timed_while_somebody_looks() -> None:
    async with started(route(on_message=obey)) as app, client(app) as speaker:
        await speaker.send("first")
        await speaker.recv()
        (link,) = app.links.values()

        def timed() -> int:
            return len(link.timings or ())

        link.received("not looked at")
        assert timed() == 0
        end = app.events.measure()
        link.received("looked at")
        link.received("throw")
        assert timed() == 2
        end()
        link.received("not looked at")
        assert timed() == 2


@pytest.mark.parametrize("together", [False, True])
async def test_of_many_runs_some_are_timed(together: bool) -> None:
    async with started(route(on_message=lambda *_: None)) as app, client(app) as speaker:
        await speaker.send("first")
        await (await speaker.ping())
        (link,) = app.links.values()
        app.events.time_every(8)
        end = app.events.measure()
        for _ in range(5):
            texts = iter(["again"] * 16)
            if together:
                link.received_texts(texts)
            for text in texts:
                link.received(text)
        assert len(link.timings or ()) == 10
        app.events.time_every(1)
        link.received("again")
        link.received("again")
        assert len(link.timings or ()) == 12
        end()


@pytest.mark.parametrize("together", [False, True])
async def test_of_runs_that_are_timed_the_latest_are_remembered(together: bool) -> None:
    async with started(route(on_message=lambda *_: None)) as app, client(app) as speaker:
        await speaker.send("first")
        await (await speaker.ping())
        (link,) = app.links.values()
        app.events.measure()
        link.timings = array("f", [99.0] * TIMED_RUNS)

        def run(number: int) -> None:
            if together:
                link.received_texts(iter(["again"] * number))
            for _ in range(0 if together else number):
                link.received("again")

        run(TIMED_RUNS - 1)
        assert sorted(link.timings)[-2:] != [99.0, 99.0]
        assert max(link.timings) == 99.0
        run(1)
        assert max(link.timings) < 99.0
        assert len(link.timings) == TIMED_RUNS


async def test_messages_wait_for_a_hook_and_keep_their_order() -> None:
    async def echo(inputs: Any, slots: Any, emit: Any) -> Any:
        message = inputs[MESSAGE]
        await emit("sleep", 1)
        return message

    async with started(route(on_message=echo, waiting=("on_message",))) as app, client(app) as speaker:
        sent = [str(number) for number in range(200)]
        for message in sent:
            await speaker.send(message)
        assert [await speaker.recv() for _ in sent] == sent


async def test_one_connection_that_waits_holds_up_no_other() -> None:
    async def slow(inputs: Any, slots: Any, emit: Any) -> Any:
        await emit("sleep", 30_000)

    async with (
        started(route("/ws/slow", on_message=slow, waiting=("on_message",)), route(on_message=lambda *_: "ok")) as app,
        client(app, "/ws/slow") as waiting,
        client(app) as other,
    ):
        await waiting.send("x")
        await other.send("x")
        assert await other.recv() == "ok"


async def test_what_is_told_of_a_life() -> None:
    mark = Mark(3, 7, 3, 9, "WsOp.message")

    def on_message(inputs: Any, slots: Any, emit: Any) -> Any:
        if inputs[MESSAGE] == "bad":
            fault = Fault(codes.DIVISION_BY_ZERO, "division by zero", 1, 0)
            fault.mark = mark
            raise fault
        emit("log", "info", "a line")
        return "ok"

    heard: list[Any] = []
    async with started(route(on_message=on_message)) as app:
        app.events.subscribe(heard.append, detailed=True)
        async with client(app, "/api/ws/test") as speaker:
            await speaker.send("good")
            await speaker.recv()
            await speaker.send("bad")
        await over(app)
        assert app.counters.hook.keys() == {
            ("test", "on_message", "ok"),
            ("test", "on_message", "division_by_zero"),
        }
        assert app.counters.disconnects == {("1000",): 1}
    own = heard[0].connection_id
    kinds = [Connected, FrameIn, LogLine, FrameOut, HookFinished, FrameIn, HookFaulted, Disconnected]
    assert [type(event) for event in heard][: len(kinds)] == kinds
    assert heard[0] == Connected(own, "test", 1, "/api/ws/test", "127.0.0.1")
    assert heard[1] == FrameIn(own, "test", "good", run=1)
    assert heard[3] == FrameOut(own, "test", own, 1, "ok", "on_message", 1, "test.yaml")
    assert heard[6].run == 2
    fault = heard[6]
    assert (fault.place, fault.operation, fault.code, fault.operands) == (
        "test.yaml:3:7",
        "WsOp.message",
        "division_by_zero",
        ("1", "0"),
    )
    assert heard[7] == Disconnected(own, "test", 1000, "")


async def test_who_closes_is_in_no_count_and_gets_nothing_more() -> None:
    heard: list[Any] = []

    def leave(inputs: Any, slots: Any, emit: Any) -> Any:
        emit("publish", "room", False, False, "room")
        emit("close", 1000, "")
        heard.append(
            (emit("publish", "late", False, False, "room"), emit("send", "late", False), emit("subscribe", "room"))
        )

    async with started(route(on_message=leave)) as app, client(app) as speaker:
        await speaker.send("x")
        assert await speaker.recv() == "room"
        with pytest.raises(ConnectionClosed):
            await speaker.recv()
    assert heard == [(0, 0, 0)]


async def test_on_disconnect_reaches_others_and_counts_nobody() -> None:
    counted: list[int] = []

    def bye(inputs: Any, slots: Any, emit: Any) -> Any:
        counted.append(emit("publish", "bye", False, False, "room"))

    def say(inputs: Any, slots: Any, emit: Any) -> Any:
        emit("publish", inputs[MESSAGE], False, False, "room")

    both = route(on_message=say, on_disconnect=bye)
    async with started(both) as app:
        async with client(app) as stays:
            async with client(app) as leaves:
                for speaker in (stays, leaves):
                    await speaker.send("hi")
                    await speaker.recv()
            assert [await stays.recv() for _ in range(2)] == ["hi", "bye"]
        await over(app)
    assert counted == [1, 0]
