"""A program that asks for more than its manifest names is stopped, whatever the loader believed.

The compiler makes no such program and the loader takes none, so here the loader is made to believe what the file says.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from compiler.bytecode import verifier
from compiler.bytecode.codec import encode
from compiler.bytecode.program import LoadError, Program
from compiler.diagnostics import codes
from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime import interpreter, translator
from runtime.app import App
from runtime.events import Event, Events, HookFaulted
from runtime.loader import load
from runtime.seam import Engine
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services import Addresses
from worpen_cli.journal import level_of, to_sentence

ENGINES: tuple[Engine, ...] = (interpreter.build_hook, translator.build_hook)
PATIENCE = 10.0
ROUTE = """\
name: Reaching
path: /ws/reaching
route_type: WebSocket
ws_hooks:
  on_message:
    - Try:
        operations:
          - OPERATION
        catch:
          - WsOp: {command: send, message: "caught {{ error.code }}"}
        finally:
          - WsOp: {command: send, message: "finally"}
    - WsOp: {command: send, message: "done"}
"""
LINE = 8
OPERATIONS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "publish": ('WsOp: {command: broadcast, channel: "room:{{ message }}", message: x, exclude_self: true}',
                {"channels": ("room:a",)}, "room:b"),
    "publish to any": ('WsOp: {command: broadcast, channel: "{{ message }}", message: x, exclude_self: true}',
                       {"channels": ("a*",)}, "b"),
    "subscribe": ('WsOp: {command: subscribe, channel: "room:{{ message }}"}', {"channels": ("room:a",)}, "room:b"),
    "unsubscribe": ('WsOp: {command: unsubscribe, channel: "room:{{ message }}"}', {"channels": ("room:a",)}, "room:b"),
    "members": ('Log: {message: "{{ members(\'room:\' + message) }}"}', {"channels": ("room:a",)}, "room:b"),
    "size": ('Log: {message: "{{ channel_size(\'room:\' + message) }}"}', {"channels": ("room:a",)}, "room:b"),
    "env": ('If: {condition: "message == \'b\'", then: [{Log: {message: "{{ env(\'SECRET\') }}"}}]}',
            {"environment": ()}, "SECRET"),
    "sql": ('If: {condition: "message == \'b\'", then: [{SqlOp: {query: "SELECT 1 AS one"}}]}',
            {"statements": ("SELECT 2",)}, "SELECT 1 AS one"),
    "redis": ('RedisOp: {command: GET, key: "user:{{ message }}"}', {"keys": ("user:a",)}, "user:b"),
    "http": ('HttpRequest: {url: "http://{{ message }}.invalid/"}', {"hosts": ("a.invalid",)}, "b.invalid"),
}  # fmt: skip


def program_of(operation: str) -> Program:
    settings = CompilerSettings(environment=frozenset({"SECRET"}))
    compilation = compile_source("reaching.yaml", ROUTE.replace("OPERATION", operation).encode(), settings)
    assert compilation.program is not None, compilation.report.diagnostics
    return compilation.program


@asynccontextmanager
async def serving(program: Program, engine: Engine) -> AsyncIterator[tuple[ClientConnection, App, list[Event]]]:
    heard: list[Event] = []
    events = Events()
    events.subscribe(heard.append)
    services = Addresses("sqlite://", http_hosts=("a.invalid", "b.invalid"))
    app = App(Settings(port=0, services=services, environment=frozenset({"SECRET"})), events)
    await app.start(entries_of(load(encode(program), app.context, engine)))
    host, port = app.addresses[0]
    try:
        async with connect(f"ws://{host}:{port}/ws/reaching") as client:
            yield client, app, heard
    finally:
        await app.drain()


async def answers(client: ClientConnection, message: str) -> list[str]:
    """What a message that runs to its end is answered."""
    await client.send(message)
    got: list[str] = []
    while not got or got[-1] != "done":
        got.append(str(await asyncio.wait_for(client.recv(), PATIENCE)))
    return got


@pytest.mark.parametrize("engine", ENGINES, ids=["interpreter", "translator"])
@pytest.mark.parametrize("kind", OPERATIONS)
async def test_what_is_outside_of_the_manifest_stops_the_hook(
    kind: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, names, asked = OPERATIONS[kind]
    true = program_of(operation)
    lying = replace(true, manifest=replace(true.manifest, **names))
    monkeypatch.setattr(verifier, "compute_manifest", lambda *_: lying.manifest)
    async with serving(lying, engine) as (client, app, heard):
        inside = await answers(client, "a")
        await client.send("b")
        # The next answer is that of the next message: no catch, no finally, nothing behind it ran.
        assert await answers(client, "a") == inside
    (fault,) = [event for event in heard if isinstance(event, HookFaulted)]
    assert fault.code == codes.OUTSIDE_MANIFEST.fault_name
    assert (fault.file, fault.mark and fault.mark.line) == ("reaching.yaml", LINE)
    assert any(asked in operand for operand in fault.operands)
    sentence = to_sentence(fault)
    assert level_of(fault) == "error"
    assert re.search(rf"reaching\.yaml:{LINE}:\d+: Reaching on_message [\w.]+: outside_manifest: ", sentence)
    assert app.counters.hook["Reaching", "on_message", "outside_manifest"].runs == 1


@pytest.mark.parametrize("kind", OPERATIONS)
async def test_the_same_program_with_its_true_manifest_runs(kind: str) -> None:
    async with serving(program_of(OPERATIONS[kind][0]), translator.build_hook) as (client, app, heard):
        for message in "ab":
            got = await answers(client, message)
            assert got[-2:] == ["finally", "done"]
    assert not [event for event in heard if isinstance(event, HookFaulted)]
    assert {result for _, _, result in app.counters.hook} == {"ok"}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_the_loader_takes_no_such_program(kind: str) -> None:
    operation, names, _ = OPERATIONS[kind]
    true = program_of(operation)
    with pytest.raises(LoadError) as refused:
        load(encode(replace(true, manifest=replace(true.manifest, **names))), App().context)
    assert refused.value.code is codes.FALSE_MANIFEST


async def test_channels_that_a_route_joins_by_itself_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are outside, they are not joined; the connection opens."""
    true = program_of('WsOp: {command: broadcast, channel: "room", message: x}')
    lying = replace(true, manifest=replace(true.manifest, channels=()))
    monkeypatch.setattr(verifier, "compute_manifest", lambda *_: lying.manifest)
    async with serving(lying, translator.build_hook) as (client, app, heard):
        pong: Any = await client.ping()
        await asyncio.wait_for(pong, PATIENCE)
        assert app.hub.size("room") == 0
        assert app.connections == 1
    assert [(event.hook, event.code) for event in heard if isinstance(event, HookFaulted)] == [
        ("on_connect", "outside_manifest")
    ]
