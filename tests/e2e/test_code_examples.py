"""The examples of the codes: `bad` has exactly its finding, `good` has none of warning level or above.

What can only happen while a hook runs is found by sending `hello` to a real server; what is wrong with program
files is built from real ones.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from compiler.bytecode.codec import encode
from compiler.bytecode.program import LoadError, Program, SourceMap
from compiler.diagnostics import codes
from compiler.diagnostics.codes import CODES, Code, Severity
from compiler.pipeline import Settings, check_source, check_together, compile_source
from runtime.app import App
from runtime.events import Event, Events, HookFaulted, HookFinished
from runtime.limits import ServerLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings as ServerSettings
from runtime.services import Addresses, guard
from tests.runtime.bus.valkey import valkey

HEAD = "name: Example\npath: /ws/example\nroute_type: WebSocket\nws_hooks:\n  on_message:\n"
ADDRESS = "/ws/example"
SENT = "hello"
WHILE_RUNNING = [code for code in CODES.values() if code.number // 100 == 6]
OF_FILES = [code for code in CODES.values() if code.number // 100 == 7]
WHEN_CHECKED = [code for code in CODES.values() if code.number // 100 < 6]


def route_of(example: str) -> str:
    """The route file that an example stands for: a whole one, a list of operations, or an expression that is sent."""
    if example.startswith("{{"):
        example = f"- WsOp:\n    command: send\n    message: >-\n      {example}"
    return HEAD + textwrap.indent(example, "    ") + "\n" if example.startswith("- ") else example


def findings(example: str) -> list[tuple[str, Severity]]:
    name = "route.json" if example.startswith("{") and not example.startswith("{{") else "route.yaml"
    checked = check_source(name, route_of(example).encode(), Settings())
    report = check_together([checked], Settings())
    report.extend(checked.report)
    return [(found.code.name, found.severity) for found in report.sorted()]


def grave(example: str) -> list[str]:
    return [name for name, severity in findings(example) if severity is not Severity.INFO]


@asynccontextmanager
async def world(code: Code, folder: Path) -> AsyncIterator[ServerSettings]:
    """Settings of a server in whose surroundings the fault of a code happens: to what it asks outside, or nowhere."""
    down = codes.SQL_UNAVAILABLE, codes.REDIS_UNAVAILABLE
    addresses = Addresses(f"sqlite:///{folder / 'world.db'}", http_hosts=("api.example.com",))
    limits = ServerLimits(sql_seconds=0.3)
    if code in down:
        addresses = replace(addresses, database_url="postgresql://127.0.0.1:9/x", redis_url="redis://127.0.0.1:9")
    if not code.name.startswith(("redis", "call")) or code in down:
        yield ServerSettings(port=0, services=addresses, limits=limits)
        return
    with valkey() as server:
        if code is codes.REDIS_TIMEOUT:
            server.hang()
        yield ServerSettings(port=0, services=replace(addresses, redis_url=server.url), limits=limits)


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No name is looked up: there is none, or the answer takes too long."""

    async def look_up(host: str, port: int) -> list[str]:
        if "http-timeout" in request.node.name:
            await asyncio.sleep(10)
        raise OSError("unknown")

    monkeypatch.setattr(guard, "look_up", look_up)


async def faults(example: str, code: Code, folder: Path) -> list[str]:
    """The faults of the hook when `hello` is sent to a server with this route, in the world of this code."""
    async with world(code, folder) as settings:
        return await faults_with(example, settings)


async def faults_with(example: str, settings: ServerSettings) -> list[str]:
    program = compile_source("route.yaml", route_of(example).encode(), Settings()).program
    assert program is not None, findings(example)
    over: asyncio.Queue[Event] = asyncio.Queue()
    events = Events()
    events.subscribe(over.put_nowait, detailed=True)
    app = App(settings, events)
    await app.start(entries_of(load(encode(program), app.context)))
    try:
        host, port = app.addresses[0]
        async with connect(f"ws://{host}:{port}{ADDRESS}") as connection:
            await connection.send(SENT)
            while not isinstance(event := await over.get(), (HookFaulted, HookFinished)):
                pass
            return [event.code] if isinstance(event, HookFaulted) else []
    finally:
        await app.drain()


@pytest.mark.parametrize("code", WHEN_CHECKED, ids=lambda code: code.name)
def test_the_bad_example_has_exactly_its_finding(code: Code) -> None:
    expected = [(code.name, code.severity)]
    found = findings(code.bad)
    assert [row for row in found if row[1] is not Severity.INFO or code.severity is Severity.INFO] == expected


@pytest.mark.parametrize("code", [*WHEN_CHECKED, *WHILE_RUNNING], ids=lambda code: code.name)
def test_the_good_example_has_no_finding(code: Code) -> None:
    assert grave(code.good) == []
    assert code.name not in [name for name, _ in findings(code.good)]


@pytest.mark.parametrize("code", WHILE_RUNNING, ids=lambda code: code.name)
async def test_the_bad_example_faults_unless_the_compiler_sees_it_coming(code: Code, tmp_path: Path) -> None:
    seen = grave(code.bad)
    assert seen == [code.name] or (seen == [] and await faults(code.bad, code, tmp_path) == [code.fault_name])


@pytest.mark.parametrize("code", WHILE_RUNNING, ids=lambda code: code.name)
async def test_the_good_example_runs_without_a_fault(code: Code, tmp_path: Path) -> None:
    assert await faults(code.good, code, tmp_path) == []


def refused_files() -> dict[str, bytes]:
    """For each code of program files, the bytes of a file that has it."""
    program = compile_source("route.yaml", route_of("- Log: {message: hi}").encode(), Settings()).program
    assert isinstance(program, Program)
    raw, route = encode(program), program.routes[0]
    cut = replace(route.hooks["on_message"], code=route.hooks["on_message"].code[:-1], source_map=SourceMap(()))
    unsafe = replace(program, routes=(replace(route, hooks={"on_message": cut}),))
    modest = replace(program, manifest=replace(program.manifest, effects=()))
    return {
        codes.NOT_A_PROGRAM.name: b"any other file",
        codes.PROGRAM_VERSION.name: raw[:4] + bytes([raw[4] + 1]) + raw[5:],
        codes.DAMAGED_PROGRAM.name: raw[:-1],
        codes.INVALID_PROGRAM.name: encode(unsafe),
        codes.FALSE_MANIFEST.name: encode(modest),
    }


@pytest.mark.parametrize(
    "code", [code for code in OF_FILES if code is not codes.OUTSIDE_MANIFEST], ids=lambda code: code.name
)
def test_a_file_as_described_is_refused(code: Code) -> None:
    with pytest.raises(LoadError) as refused:
        load(refused_files()[code.name], App().context)
    assert refused.value.code is code
