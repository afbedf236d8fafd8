"""A route's own limits, over real sockets: also for connections that were open when a reload changed them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.loader import link
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services import Addresses

PATIENCE = 10.0
ROUTE = """\
name: Limited
path: /ws/limited
route_type: WebSocket
OPTIONS
ws_hooks:
  on_connect:
    - SetVar: {name: count, value: 0}
  on_message:
    - SetVar: {name: count, value: "{{ count + 1 }}"}
    - If: {condition: "message == 'wait'", then: [{Sleep: {ms: 300}}]}
    - WsOp: {command: send, message: "{{ count }} {{ message | length }}"}
"""
AT_ONCE = ROUTE.replace("""    - If: {condition: "message == 'wait'", then: [{Sleep: {ms: 300}}]}\n""", "")
WAITING = ROUTE.replace("  on_connect:", "  on_auth:\n    - Sleep: {ms: 300}\n  on_connect:")


SLOW = AT_ONCE.replace(
    '    - SetVar: {name: count, value: "{{ count + 1 }}"}\n',
    """\
    - SqlOp:
        query: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n
    - SetVar: {name: count, value: "{{ count + 1 }}"}
""",
)


def swap(app: App, options: str = "", route: str = ROUTE) -> None:
    """Serve the route with these options from now on."""
    program = compile_source("a.yaml", route.replace("OPTIONS", options).encode(), CompilerSettings()).program
    assert program is not None
    app.swap(entries_of(link(program, app.context)))


@asynccontextmanager
async def served(options: str = "", route: str = ROUTE) -> AsyncIterator[App]:
    app = App(Settings(port=0, services=Addresses("sqlite://")))
    await app.start()
    swap(app, options, route)
    try:
        yield app
    finally:
        await app.drain()


def client(app: App) -> connect:
    return connect(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/limited", compression=None)


async def ask(one: ClientConnection, message: str) -> str:
    await one.send(message)
    return str(await asyncio.wait_for(one.recv(), PATIENCE))


async def ended(one: ClientConnection) -> tuple[int | None, str | None]:
    """How the server closes a connection."""
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(one.recv(), PATIENCE)
    return one.close_code, one.close_reason


async def test_the_size_of_messages_changes_for_open_connections() -> None:
    async with served() as app, client(app) as one, client(app) as other:
        assert await ask(one, "x" * 5_000) == "1 5000"
        swap(app, "limits: {max_message_bytes: 1000}")
        assert await ask(one, "x" * 1_000) == "2 1000"
        await one.send("x" * 1_001)
        assert await ended(one) == (1009, "message is longer than 1000 bytes")
        swap(app)
        assert await ask(other, "x" * 60_000) == "1 60000"
        swap(app, "limits: {max_message_bytes: 100}")
        assert await ask(other, "x" * 100) == "2 100"
        # Not wider than the server's.
        swap(app, "limits: {max_message_bytes: 1000000}")
        assert await ask(other, "x" * 65_536) == "3 65536"
        await other.send("x" * 65_537)
        assert await ended(other) == (1009, "message is longer than 65536 bytes")
        assert app.settle().limits_reached["max_message_bytes"] == 2


async def test_short_messages_are_limited_too() -> None:
    """The reader has a short way for them that looks at no limit."""
    async with served() as app, client(app) as one:
        assert await ask(one, "x" * 20) == "1 20"
        swap(app, "limits: {max_message_bytes: 10}")
        await one.send("x" * 11)
        assert (await ended(one))[0] == 1009


async def test_a_hook_that_runs_ends_under_the_limits_it_began_with() -> None:
    async with served() as app, client(app) as one:
        await one.send("wait")
        await (await one.ping())
        assert next(iter(app.links.values())).hook == "on_message"
        swap(app, "limits: {max_message_bytes: 10}")
        await one.send("x" * 20)
        assert [await asyncio.wait_for(one.recv(), PATIENCE) for _ in range(2)] == ["1 4", "2 20"]
        await one.send("x" * 20)
        assert (await ended(one))[0] == 1009


async def test_idleness_begins_ends_and_shortens_with_a_reload() -> None:
    async with served("limits: {idle_timeout: 60}") as app, client(app) as idle, client(app) as busy:
        pause = asyncio.sleep(0.4)
        await pause
        swap(app, "limits: {idle_timeout: 1}")
        closing = asyncio.ensure_future(ended(idle))
        for number in range(8):
            assert await ask(busy, "x") == f"{number + 1} 1"
            await asyncio.sleep(0.2)
        assert await closing == (1008, "idle")
        swap(app)
        await asyncio.sleep(1.3)
        assert await ask(busy, "x") == "9 1"
        swap(app, "limits: {idle_timeout: 1}")
        assert await ended(busy) == (1008, "idle")
        assert app.connections == 0


async def test_who_has_been_idle_for_longer_already_is_closed_by_the_reload() -> None:
    async with served() as app, client(app) as one:
        await asyncio.sleep(1.1)
        before = asyncio.get_running_loop().time()
        swap(app, "limits: {idle_timeout: 1}")
        assert app.connections == 1, "not in the middle of the reload"
        assert await ended(one) == (1008, "idle")
        assert asyncio.get_running_loop().time() - before < 1


async def test_the_time_of_hooks_changes_for_open_connections() -> None:
    async with served(route=SLOW) as app, client(app) as one:
        assert await ask(one, "x") == "1 1"
        swap(app, "limits: {hook_timeout: 0.001}", SLOW)
        await one.send("x")
        await _until(lambda: ("Limited", "on_message", "hook_timeout") in app.counters.hook)
        swap(app, route=SLOW)
        assert await ask(one, "x") == "2 1"


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_room_for_connections_is_asked_of_new_ones_only() -> None:
    async with served() as app, client(app) as one, client(app) as two:
        swap(app, "limits: {max_connections: 1}")
        with pytest.raises(InvalidStatus) as refused:
            await client(app)
        assert refused.value.response.status_code == 503
        assert [await ask(who, "x") for who in (one, two)] == ["1 1", "1 1"]


async def test_a_rate_that_a_reload_brings_holds_for_open_connections() -> None:
    async with served(route=AT_ONCE) as app, client(app) as one:
        for number in range(5):
            assert await ask(one, "x") == f"{number + 1} 1"
        swap(app, "rate_limit: {messages_per_minute: 1, burst: 2}", AT_ONCE)
        for _ in range(6):
            await one.send("x")
        await (await one.ping())
        swap(app, route=AT_ONCE)
        assert [await asyncio.wait_for(one.recv(), PATIENCE) for _ in range(2)] == ["6 1", "7 1"]
        assert await ask(one, "xx") == "8 2"
        assert app.counters.messages_dropped == {("rate_limited",): 4}


async def test_a_reload_while_on_auth_waits_brings_its_limits() -> None:
    async with served(route=WAITING) as app:
        opening: Any = asyncio.ensure_future(client(app).__aenter__())
        await asyncio.sleep(0.1)
        assert app.connections == 0
        swap(app, "limits: {max_message_bytes: 10, idle_timeout: 30}", WAITING)
        one = await asyncio.wait_for(opening, PATIENCE)
        assert await ask(one, "x" * 10) == "1 10"
        await one.send("x" * 11)
        assert (await ended(one))[0] == 1009


async def test_what_was_closed_keeps_no_timer() -> None:
    async with served("limits: {idle_timeout: 60}") as app:
        async with client(app) as one:
            assert await ask(one, "x") == "1 1"
            (link_,) = app.links.values()
        await asyncio.wait_for(app.idle(), PATIENCE)
        timer = link_._idle_timer
        assert timer is not None
        assert timer.cancelled()
        swap(app, "limits: {idle_timeout: 1}")
        assert link_._idle_timer is timer
