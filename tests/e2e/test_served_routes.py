"""Route files from text to frames: faults with their places, limits, sleeps, reloads with real programs."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection

from compiler.bytecode.codec import encode
from compiler.diagnostics.render import render_full
from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.events import HookFaulted
from runtime.loader import load
from runtime.server.catalogue import RouteEntry, entries_of
from tests.runtime.server.harness import client, over, started

HEAD = "name: test\npath: /ws/test\nroute_type: WebSocket\n"


def compiled(app: App, text: str) -> list[RouteEntry]:
    """The routes in a text, compiled, written and loaded for a server."""
    compilation = compile_source("test.yaml", text.encode(), CompilerSettings())
    assert compilation.program is not None, render_full(compilation.report.diagnostics)
    return entries_of(load(encode(compilation.program), app.context))


async def heard(speaker: ClientConnection, *messages: str) -> list[Any]:
    """What comes back for each message, one frame for one message."""
    answers = []
    for message in messages:
        await speaker.send(message)
        async with asyncio.timeout(10):
            answers.append(await speaker.recv())
    return answers


FAILING = (
    HEAD
    + """\
ws_hooks:
  on_message:
    - If:
        condition: "{{ message == 'divide' }}"
        then:
          - SetVar: {name: x, value: "{{ 10 / (message | length - 6) }}"}
    - If:
        condition: "{{ message == 'spin' }}"
        then:
          - While:
              condition: true
              max_iterations: 100000
              body:
                - While: {condition: true, max_iterations: 100000, body: [{SetVar: {name: y, value: 1}}]}
    - Return: {value: "{{ message }}"}
"""
)


async def test_faults_name_their_place_and_the_connection_stays() -> None:
    async with started() as app:
        app.swap(compiled(app, FAILING))
        faults: list[HookFaulted] = []
        app.events.subscribe(lambda event: faults.append(event) if isinstance(event, HookFaulted) else None)
        async with client(app) as speaker:
            for message in ("divide", "spin"):
                await speaker.send(message)
            assert await heard(speaker, "still here") == ["still here"]
        division, spinning = faults
        assert (division.code, division.route, division.hook) == ("division_by_zero", "test", "on_message")
        assert (division.place, division.operation) == ("test.yaml:9:42", "SetVar.value")
        assert division.operands == ("10", "0")
        assert spinning.code == "out_of_fuel"
        assert spinning.place.startswith("test.yaml:")


SLEEPING = (
    HEAD
    + """\
limits: {hook_timeout: 0.05}
ws_hooks:
  on_message:
    - Sleep: {duration_ms: "{{ message }}"}
    - Return: {value: "{{ message }}"}
"""
)


async def test_sleep_is_not_counted_and_too_long_a_sleep_is_a_fault_with_a_place() -> None:
    async with started() as app:
        app.swap(compiled(app, SLEEPING))
        faults: list[HookFaulted] = []
        app.events.subscribe(lambda event: faults.append(event) if isinstance(event, HookFaulted) else None)
        async with client(app) as speaker:
            assert await heard(speaker, "120") == ["120"]
            await speaker.send("60001")
            await speaker.send("-1")
            await speaker.send("soon")
            assert await heard(speaker, "0") == ["0"]
        assert [fault.code for fault in faults] == ["hook_timeout", "bad_argument", "type_error"]
        assert {fault.mark.line for fault in faults if fault.mark} == {7}


COUNTING = (
    HEAD
    + """\
ws_hooks:
  on_connect:
    - SetVar: {name: score, value: 0}
  on_message:
    - SetVar: {name: score, value: "{{ score + 1 }}"}
    - Return: {value: "{{ score }}"}
"""
)
RENAMED = "on_reload: {score: points}\n" + COUNTING.replace("score", "points")


async def test_a_reload_keeps_variables_and_renames_them_once() -> None:
    async with started() as app:
        app.swap(compiled(app, COUNTING))
        async with client(app) as speaker:
            assert await heard(speaker, "x", "x") == ["1", "2"]
            assert app.swap(compiled(app, COUNTING.replace("+ 1", "+ 10"))).changed == ("/ws/test",)
            assert await heard(speaker, "x") == ["12"]
            assert app.swap(compiled(app, RENAMED)).changed == ("/ws/test",)
            assert app.swap(compiled(app, "# more of it\n" + RENAMED)).unchanged == ("/ws/test",)
            assert await heard(speaker, "x", "x") == ["13", "14"]


async def test_a_comment_moves_the_places_of_faults_and_nothing_else() -> None:
    async with started() as app:
        app.swap(compiled(app, FAILING))
        places: list[str] = []
        app.events.subscribe(lambda event: places.append(event.place) if isinstance(event, HookFaulted) else None)
        async with client(app) as speaker:
            await speaker.send("divide")
            await heard(speaker, "x")
            told = app.swap(compiled(app, "# one line more\n" + FAILING))
            assert (told.changed, told.unchanged) == ((), ("/ws/test",))
            await speaker.send("divide")
            await heard(speaker, "x")
        assert places == ["test.yaml:9:42", "test.yaml:10:42"]


LISTENING = (
    HEAD
    + """\
ws_hooks:
  on_message:
    - WsOp: {command: broadcast, message: "{{ message }}", channel: ROOM}
"""
)


async def test_a_listener_hears_the_channel_that_the_new_program_names() -> None:
    async with started() as app:
        app.swap(compiled(app, LISTENING))
        async with client(app) as listener, client(app) as speaker:
            assert await heard(speaker, "first") == ["first"]
            assert await listener.recv() == "first"
            app.swap(compiled(app, LISTENING.replace("ROOM", "hall")))
            assert await heard(speaker, "second") == ["second"]
            assert await listener.recv() == "second"
            assert dict(app.hub.channels()) == {"hall": 2}


WORLD = (
    HEAD
    + """\
ws_hooks:
  on_message:
    - WsOp: {command: subscribe, channel: "{{ message }}"}
    - Return: {value: "{{ connections() }} {{ channel_size('a') }} {{ members('a') | length }}"}
"""
)


async def test_functions_see_the_server() -> None:
    async with started() as app:
        app.swap(compiled(app, WORLD))
        async with client(app) as one, client(app) as two:
            assert await heard(one, "a") == ["2 1 1"]
            assert await heard(two, "a") == ["2 2 2"]
        await over(app)
