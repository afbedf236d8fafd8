"""Everything together: start, swap, drain."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import weakref
from typing import Any

import pytest

from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import Value
from runtime.app import App, run, serve_until_signal, show_address, signals_lead_to
from runtime.events import Draining, Listening, Stopped, Swapped
from runtime.server.catalogue import BrokenRoute, Condition
from runtime.server.settings import Settings
from tests.runtime.bus.valkey import valkey
from tests.runtime.parts import entry, route
from tests.runtime.server.harness import ClientConnection, ask, client, over, port, started


def answering(text: str, path: str = "/ws/test", **parts: Any) -> Any:
    return route(path, on_message=lambda *_: text, **parts)


async def test_it_listens_on_both_addresses_of_localhost() -> None:
    app, heard = App(Settings(port=0)), list[Any]()
    app.events.subscribe(heard.append)
    await app.start()
    assert ("127.0.0.1", port(app)) in app.addresses
    assert {number for _, number in app.addresses} == {port(app)}
    assert heard[-1] == Listening(tuple(show_address(host, number) for host, number in app.addresses))
    await app.drain()


def test_addresses_for_people() -> None:
    assert show_address("127.0.0.1", 3000) == "127.0.0.1:3000"
    assert show_address("::1", 3000) == "[::1]:3000"


async def test_a_port_in_use_is_an_error_and_nothing_is_left_open() -> None:
    with socket.socket(socket.AF_INET6) as taken:
        with socket.socket() as free:  # at the other address nobody has it
            free.bind(("127.0.0.1", 0))
            number = free.getsockname()[1]
            try:
                taken.bind(("::1", number))
            except OSError:
                pytest.skip("this machine has no ::1")
        taken.listen()
        with pytest.raises(OSError, match=r"."):
            await App(Settings(port=number)).start()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", number)


async def test_a_port_is_free_again_after_the_end() -> None:
    async with started(answering("a")) as app:
        number = port(app)
    async with started(answering("a"), port=number) as again:
        assert port(again) == number


async def test_a_swap_says_what_it_did() -> None:
    a, b, c = (entry(answering("x", f"/ws/{name}")) for name in "abc")
    async with started() as app:
        app.swap([a, b, c])
        changed = entry(answering("x", "/ws/b", slots=("v",)))
        told = app.swap([a, changed, BrokenRoute("/ws/d", "no"), entry(answering("x", "/ws/e"))])
        assert told == Swapped(("/ws/e",), ("/ws/b",), ("/ws/a",), ("/ws/c",), ("/ws/d",))
        assert [(str(served.pattern), served.condition) for served in app.routes()] == [
            ("/ws/a", Condition.OK), ("/ws/b", Condition.OK), ("/ws/d", Condition.BROKEN), ("/ws/e", Condition.OK),
        ]  # fmt: skip
        assert app.counters.reloads[("changed",)] == 1


async def test_the_next_message_runs_the_new_program() -> None:
    async with started(answering("old")) as app, client(app) as speaker:
        for text in ("old", "new"):
            app.swap([entry(answering(text, slots=(text,)))])
            await speaker.send("x")
            assert await speaker.recv() == text


async def test_variables_are_kept_and_renamed() -> None:
    def count(inputs: Any, slots: Any, emit: Any) -> Any:
        slots[-1] = slots[-1] + 1 if isinstance(slots[-1], int) else 1
        return slots[-1]

    async with started(route(slots=("a",), on_message=count)) as app, client(app) as speaker:
        await speaker.send("x")
        assert await speaker.recv() == "1"
        renamed: dict[str, Value] = {"on_reload": {"a": "b"}}
        for slots, options in ((("z", "a"), dict[str, Value]()), (("y", "b"), renamed)):
            app.swap([entry(route(slots=slots, options=options, on_message=count))])
            await speaker.send("x")
            await speaker.recv()
        await speaker.send("x")
        assert await speaker.recv() == "4"


async def test_a_hook_that_runs_finishes_on_the_old_program() -> None:
    async def slow(inputs: Any, slots: Any, emit: Any) -> Any:
        await emit("sleep", 100)
        return "old"

    async with started(route(on_message=slow, waiting=("on_message",))) as app, client(app) as speaker:
        await speaker.send("1")
        await speaker.send("2")
        await asyncio.sleep(0.02)
        app.swap([entry(answering("new"))])
        assert [await speaker.recv(), await speaker.recv()] == ["old", "new"]


class Cycle:
    """Garbage that only the collector finds, as the hooks of an old program are."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize("changed", [True, False])
async def test_a_reload_leaves_no_garbage_behind(changed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.app.COLLECT_SECONDS", 0.01)
    gc.disable()
    try:
        async with started(route()) as app:
            garbage = weakref.ref(Cycle())
            app.swap([entry(route(slots=("new",) if changed else ()))])
            await asyncio.sleep(0.1)
            assert (garbage() is None) is changed
    finally:
        gc.enable()


async def test_no_room_is_kept_for_connections_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.app.COLLECT_SECONDS", 0.5)
    monkeypatch.setattr("runtime.transport.wheel.EBB_RIDERS", 50)

    def sizes(app: App) -> list[int]:
        (served,) = app.routes()
        assert app._wire is not None
        tables = (app.links, served.links, app.hub._everybody, *app._wire.wheel._spokes)
        return [sum(map(sys.getsizeof, tables[:3])), sum(map(sys.getsizeof, tables[3:]))]

    async with asyncio.timeout(30), started(route()) as app, client(app) as lasting:
        assert app._wire is not None
        before = sizes(app)
        others = [await client(app) for _ in range(150)]
        while app._wire.wheel._most < 150:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
        full = sizes(app)
        assert full[0] > 4 * before[0]
        assert full[1] > 2 * before[1]
        for other in others:
            other.transport.abort()
        while not all(now < 2 * once for now, once in zip(sizes(app), before, strict=True)):  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
        await lasting.send("still here")


async def test_a_route_that_breaks_and_comes_back() -> None:
    async with started(BrokenRoute("/ws/test", "error: no")) as app:
        assert (await ask(app, "/ws/test")).status == 503
        app.swap([entry(answering("fine"))])
        async with client(app) as speaker:
            await speaker.send("x")
            assert await speaker.recv() == "fine"
        await over(app)
        app.swap([])
        assert (await ask(app, "/ws/test")).status == 404


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_drains(number: signal.Signals) -> None:
    async with started(answering("x")) as app:
        heard: list[Any] = []
        app.events.subscribe(heard.append)
        before = signal.getsignal(number)
        serving = asyncio.create_task(serve_until_signal(app))
        await asyncio.sleep(0)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await serving
        assert heard == [Draining(0, 30.0), Stopped(0)]
        assert signal.getsignal(number) is before


def test_the_loop_is_uvloop_where_that_is_installed() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def loop() -> Any:
        return asyncio.get_running_loop()

    assert isinstance(run(loop()), uvloop.Loop)


def test_a_signal_ends_a_server_on_that_loop() -> None:
    async def main() -> int:
        app = App(Settings(port=0))
        await app.start([entry(answering("x"))])
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(10):
            await serve_until_signal(app)
        return app.connections

    assert run(main()) == 0


async def test_somebody_at_a_console_acts_on_connections() -> None:
    def join(inputs: Any, slots: Any, emit: Any) -> None:
        emit("subscribe", "room")

    async with started(route(on_connect=join)) as app, client(app) as one, client(app) as other:
        first, second = app.links
        assert app.send(first, "hi, سلام")
        assert await one.recv() == "hi, سلام"
        assert not app.send("nobody", "hi")
        assert app.broadcast("room", "all") == 2
        assert [await one.recv(), await other.recv()] == ["all", "all"]
        assert app.broadcast("nowhere", "all") == 0
        assert [link.far.messages_out for link in app.links.values()] == [2, 1]
        with pytest.raises(UnicodeEncodeError):
            app.send(first, "\ud800")
        assert app.close(second, 1000, "out")
        assert not app.close("nobody")
        await other.wait_closed()
        assert (other.close_code, other.close_reason) == (1000, "out")


async def test_what_a_connection_counts_while_somebody_looks() -> None:
    async with started(answering("a")) as app, client(app) as speaker:
        await speaker.send("x")
        await speaker.recv()
        (link,) = app.links.values()
        assert (link.timings, link.result, link.runs, link.hook) == (None, "ok", 1, "on_message")
        end = app.events.measure()
        for _ in range(3):
            await speaker.send("x")
            await speaker.recv()
        end()
        assert link.timings is not None
        assert len(link.timings) == 3
        assert (link.far.messages_in, link.far.messages_out) == (4, 4)
        assert app.settle().messages_in == 4


async def test_traffic_is_of_channels_that_there_are() -> None:
    def publish(inputs: Any, slots: Any, emit: Any) -> None:
        emit("publish", "hi", False, False, "room")

    async with started(route(on_message=publish)) as app:
        app.events.measure()
        async with client(app) as speaker:
            await speaker.send("x")
            await speaker.recv()
            assert app.traffic == {"room": 1}
        await over(app)
        assert app.traffic == {}


async def test_two_nodes_on_a_bus_are_one_server() -> None:
    def said(inputs: Any, slots: Any, emit: Any) -> None:
        emit("publish", inputs[INPUT_NUMBERS["message"]], False, False, "room")

    async def joined(speaker: ClientConnection, word: str) -> None:
        await speaker.send(word)
        assert await speaker.recv() == word

    talk = route(on_message=said)
    with valkey() as store:
        async with (
            started(talk, bus_url=store.url) as one,
            started(talk, bus_url=store.url) as two,
            client(one) as ann,
            client(two) as bob,
        ):
            await joined(ann, "a")
            await joined(bob, "b")
            assert await ann.recv() == "b"
            await ann.send("hello")
            assert [await ann.recv(), await bob.recv()] == ["hello", "hello"]
            assert "worpen_bus_is_down 0" in (await ask(two, "/metrics")).body


async def test_signals_reach_the_loop_while_they_are_wanted() -> None:
    heard: asyncio.Queue[int] = asyncio.Queue()
    before = signal.getsignal(signal.SIGTERM)
    with signals_lead_to(heard.put_nowait):
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(heard.get(), 10) == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
