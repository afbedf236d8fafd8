"""Every way in which a connection ends: `on_disconnect` runs exactly once, over real sockets.

CROWD in the environment is how many connections end in each way: 5, or 1 000 in `make endings`. Hooks themselves write
down whose end they saw.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from compiler.diagnostics import codes
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import Value
from runtime.app import App
from runtime.limits import ServerLimits, WireLimits
from runtime.loader import LinkedRoute
from runtime.seam import Emit
from runtime.server.settings import Settings
from tests.runtime.parts import entry, route

CROWD = int(os.environ.get("CROWD", "5"))
AT_ONCE = 64
"""So many clients connect at once."""
SLOWNESS = max(1.0, CROWD / 100)
"""Clients and server share a process: a large crowd needs longer to answer anything."""
PATIENCE_SECONDS = 10.0 * SLOWNESS
WIRE = WireLimits(
    ping_seconds=0.3 * SLOWNESS, pong_seconds=0.3 * SLOWNESS, close_seconds=0.5 * SLOWNESS,
    max_message_bytes=1_000, unsent_bytes=64 * 1024,
)  # fmt: skip


@dataclass(slots=True)
class Record:
    """What the hooks of a server saw, by connection."""

    begun: list[str] = field(default_factory=list)
    ended: list[tuple[str, int]] = field(default_factory=list)

    @property
    def codes(self) -> set[int]:
        """The close codes that `on_disconnect` was given."""
        return {code for _, code in self.ended}


def input_of(inputs: Sequence[Value], name: str) -> Any:
    """An input by its name."""
    return inputs[INPUT_NUMBERS[name]]


def recording(record: Record, *, waiting: tuple[str, ...] = (), **hooks: Any) -> LinkedRoute:
    """A route that writes down its connections, and obeys what it is told by messages."""

    def on_connect(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
        record.begun.append(input_of(inputs, "connection_id"))
        return "welcome"

    def on_message(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
        match input_of(inputs, "message"):
            case "close":
                emit("close", 3005, "as you wish")
            case "fault":
                raise Fault(codes.THROWN, "no")
            case "fuel":
                raise OutOfFuel("no")
            case "bug":
                raise KeyError("bug")
            case "flood":
                for _ in range(100):
                    emit("send", "x" * 100_000, False)
            case _:
                pass
        return "done"

    def on_disconnect(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
        record.ended.append((input_of(inputs, "connection_id"), input_of(inputs, "close_code")))
        return None

    own = {"on_connect": on_connect, "on_message": on_message, "on_disconnect": on_disconnect}
    return route(waiting=waiting, **{**own, **hooks})


@asynccontextmanager
async def started(*routes: LinkedRoute, limits: ServerLimits | None = None) -> AsyncIterator[App]:
    """A server with these routes."""
    app = App(Settings(port=0, limits=limits or ServerLimits(drain_seconds=5 * SLOWNESS), wire=WIRE))
    await app.start([entry(one) for one in routes])
    try:
        yield app
    finally:
        await app.drain()


def address(app: App) -> str:
    """Where the route is."""
    return f"ws://127.0.0.1:{app.addresses[0][1]}/ws/test"


async def crowd(app: App, size: int = CROWD) -> list[ClientConnection]:
    """Clients whose `on_connect` is done."""
    clients: list[ClientConnection] = []
    while missing := min(AT_ONCE, size - len(clients)):
        clients += await asyncio.gather(*(arrival(app) for _ in range(missing)))
    return clients


async def arrival(app: App) -> ClientConnection:
    """One of them."""
    client = await connect(address(app), compression=None, close_timeout=2 * SLOWNESS, ping_interval=None)
    assert await client.recv() == "welcome"
    return client


async def over(app: App) -> None:
    """Return when every connection's life is complete."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app.idle()


def expect_each_once(record: Record, size: int = CROWD) -> None:
    assert len(record.begun) == size
    assert len(set(record.begun)) == size
    assert Counter(connection for connection, _ in record.ended) == Counter(record.begun)
    codes_seen = Counter(code for _, code in record.ended)
    print(f"{size} connections, on_disconnect ran once for each of {len(record.ended)}; codes {dict(codes_seen)}")


def raw(client: ClientConnection) -> socket.socket:
    """The client's own socket."""
    return client.transport.get_extra_info("socket")  # type: ignore[no-any-return]


async def leave(client: ClientConnection) -> None:
    await client.close(3001, "bye")


async def vanish(client: ClientConnection) -> None:
    client.transport.abort()


async def reset(client: ClientConnection) -> None:
    raw(client).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.transport.abort()


async def half_close(client: ClientConnection) -> None:
    client.transport.write_eof()


async def fall_asleep(client: ClientConnection) -> None:
    client.transport.pause_reading()


async def break_the_protocol(client: ClientConnection) -> None:
    client.transport.write(b"\x81\x02no")


async def say_too_much(client: ClientConnection) -> None:
    await client.send("x" * 2_000)


def say(text: str) -> Callable[[ClientConnection], Awaitable[None]]:
    async def way(client: ClientConnection) -> None:
        await client.send(text)

    return way


async def stop_reading(client: ClientConnection) -> None:
    client.transport.pause_reading()
    await client.send("flood")


async def fail_and_leave(client: ClientConnection) -> None:
    for text in ("fault", "fuel", "hi"):
        await client.send(text)
    assert await client.recv() == "done"
    await client.close()


WAYS = {
    "client closes": (leave, 3001),
    "client vanishes": (vanish, 1006),
    "client resets": (reset, 1006),
    "client half closes": (half_close, 1006),
    "client answers no ping": (fall_asleep, 1006),
    "client breaks the protocol": (break_the_protocol, 1002),
    "client says too much": (say_too_much, 1009),
    "client stops reading": (stop_reading, 1006),
    "operation closes": (say("close"), 3005),
    "hook has a bug of ours": (say("bug"), 1011),
    "hooks fail, client closes": (fail_and_leave, 1000),
}


@pytest.mark.parametrize(("way", "code"), WAYS.values(), ids=WAYS)
async def test_ways_to_end(way: Callable[[ClientConnection], Awaitable[None]], code: int) -> None:
    record = Record()
    async with started(recording(record)) as app:
        clients = await crowd(app)
        for client in clients:
            await way(client)
        await over(app)
        expect_each_once(record)
        assert record.codes == {code}
        for client in clients:
            client.transport.abort()


async def sleeps(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
    """A hook that hangs, as far as tests are concerned."""
    await emit("sleep", 60_000)
    return None


async def test_a_client_that_leaves_while_a_hook_waits() -> None:
    record = Record()
    async with started(recording(record, waiting=("on_message",), on_message=sleeps)) as app:
        clients = await crowd(app)
        for client in clients:
            await client.send("sleep")
            await client.close()
        await over(app)
    expect_each_once(record)


async def test_a_client_that_leaves_during_on_connect() -> None:
    record = Record()

    async def on_connect(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
        record.begun.append(input_of(inputs, "connection_id"))
        emit("send", "welcome", False)
        await emit("sleep", 60_000)
        return None

    async with started(recording(record, waiting=("on_connect",), on_connect=on_connect)) as app:
        for client in await crowd(app):
            await client.close()
        await over(app)
    expect_each_once(record)


async def test_drain_closes_with_1012() -> None:
    record = Record()
    async with started(recording(record)) as app:
        clients = await crowd(app)
        await app.drain()
        expect_each_once(record)
        assert record.codes == {1012}
        for client in clients:
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1012


async def test_drain_is_bounded_with_hooks_and_clients_that_hang() -> None:
    record = Record()

    async def on_disconnect(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
        record.ended.append((input_of(inputs, "connection_id"), input_of(inputs, "close_code")))
        await emit("sleep", 60_000)
        return None

    limits = ServerLimits(drain_seconds=1.5 * SLOWNESS)
    hanging = recording(record, waiting=("on_disconnect", "on_message"), on_message=sleeps, on_disconnect=on_disconnect)
    async with started(hanging, limits=limits) as app:
        clients = await crowd(app)
        for client in clients:
            await client.send("sleep")
            client.transport.pause_reading()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app.drain()
        expect_each_once(record)
        assert app.connections == 0
        assert app.wire_counters.limits_reached["drain_seconds"] == 1
        for client in clients:
            client.transport.abort()


async def test_a_second_signal_hurries_a_drain() -> None:
    record = Record()
    hanging = recording(record, waiting=("on_disconnect",), on_disconnect=sleeps)
    async with started(hanging, limits=ServerLimits(drain_seconds=3_600, hurried_drain_seconds=0.6 * SLOWNESS)) as app:
        clients = await crowd(app)
        draining = asyncio.create_task(app.drain())
        await asyncio.sleep(0.1)
        assert not draining.done()
        app.hurry()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await draining
        assert app.connections == 0
        assert app.wire_counters.limits_reached == {"drain_seconds": 1}
        for client in clients:
            await client.close()


async def test_a_removed_route_closes_its_connections_with_1001() -> None:
    record, other = Record(), route("/ws/other", on_connect=lambda *_: "welcome")
    async with started(recording(record), other) as app:
        clients = await crowd(app)
        async with connect(address(app).replace("test", "other")) as stays:
            app.swap([entry(other)])
            for client in clients:
                with pytest.raises(ConnectionClosed):
                    await client.recv()
            assert await stays.recv() == "welcome"
        await over(app)
        expect_each_once(record)
        assert record.codes == {1001}


async def test_reload_by_restart_closes_with_1012() -> None:
    record = Record()
    async with started(recording(record)) as app:
        clients = await crowd(app)
        app.swap([entry(route(slots=("new",)))], restart=True)
        for client in clients:
            with pytest.raises(ConnectionClosed):
                await client.recv()
        await over(app)
        expect_each_once(record)
        assert record.codes == {1012}


async def test_a_reload_ends_nothing() -> None:
    record = Record()
    async with started(recording(record)) as app:
        clients = await crowd(app)
        app.swap([entry(route(slots=("new",), on_message=lambda *_: "new"))])
        for client in clients:
            await client.send("hi")
            assert await client.recv() == "new"
        assert record.ended == []
        for client in clients:
            await client.close()


async def test_a_route_without_messages_for_its_idle_timeout() -> None:
    record = Record()
    async with started(recording(record, options={"limits": {"idle_timeout": 0.2 * SLOWNESS}})) as app:
        clients = await crowd(app)
        await over(app)
        expect_each_once(record)
        assert record.codes == {1008}
        for client in clients:
            await client.close()


async def test_a_hook_over_its_time_is_ended_and_the_connection_stays() -> None:
    record = Record()
    seen: list[str] = []

    async def on_message(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
        with contextlib.suppress(Fault):
            await emit("sleep", input_of(inputs, "message"))
        return "slept"

    slow = recording(record, waiting=("on_message",), on_message=on_message)
    async with started(slow) as app:
        app.events.subscribe(lambda event: seen.append(getattr(event, "code", "")))
        (client,) = await crowd(app, 1)
        await client.send("61000")
        await client.send("0")
        assert await client.recv() == "slept"
        assert "hook_timeout" in seen
        await client.close()
        await over(app)
    expect_each_once(record, 1)
