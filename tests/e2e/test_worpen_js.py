"""The JavaScript client against a real server, in Node and in a browser: cuts, and what is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.app import App
from runtime.server.console import FOLDER
from tests.e2e.browser import browsing
from tests.e2e.news import NEWS, busy_with_cuts, served
from tests.e2e.test_clients import node_with_websocket

CLIENT = FOLDER.parent / "clients" / "worpen.js"
READER = Path(__file__).parent / "news_reader.mjs"


@asynccontextmanager
async def reading(app: App) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Node process that reads the room `a` of a server."""
    command = await asyncio.to_thread(node_with_websocket)
    if command is None:
        pytest.skip("no Node with WebSocket (20.10 or later) is installed")
    process = await asyncio.create_subprocess_exec(
        *command, str(READER), str(CLIENT), f"ws://127.0.0.1:{app.addresses[0][1]}/ws/news/a",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def end_of(app: App, process: asyncio.subprocess.Process) -> list[Any]:
    """Have the reader end, and what it was told."""
    app.broadcast("a", "end")
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    told: list[Any] = json.loads(out)
    return told


async def someone_in(app: App) -> None:
    while not app.hub.size("a"):  # noqa: ASYNC110 (a test may look)
        await asyncio.sleep(0.002)


async def test_node_over_many_cuts_hears_each_message_once_and_in_order() -> None:
    async with served() as app, asyncio.timeout(60), reading(app) as process:
        said = await busy_with_cuts(app, 40)
        told = await end_of(app, process)
    assert told[:2] == ["not connected: nothing was sent", "open"]
    messages = [each for each in told if isinstance(each, list)]
    assert messages == [[str(number), number] for number in range(1, said + 1)]
    assert told.count("again") >= 40
    assert not [each for each in told if isinstance(each, dict) and "lost" in each]
    assert told[-1] == {"closed": 1000, "again": False}


async def test_node_is_told_what_is_lost() -> None:
    async with served(NEWS.replace("size: 40", "size: 2")) as app, asyncio.timeout(60), reading(app) as process:
        await someone_in(app)
        for link in list(app.links.values()):
            link.abort()
        for number in range(5):
            app.broadcast("a", str(number))
        await asyncio.sleep(0)
        while app.hub.size("a"):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await someone_in(app)
        told = await end_of(app, process)
    assert told[2:] == [
        {"closed": 1006, "again": True},
        "again",
        {"lost": 3, "channel": "a"},
        ["3", 4],
        ["4", 5],
        {"recovered": 2},
        {"closed": 1000, "again": False},
    ]


async def test_a_browser_over_many_cuts_hears_each_message_once_and_in_order(tmp_path: Path) -> None:
    async with served(console_token="secret") as app, asyncio.timeout(100), browsing(tmp_path) as page:
        await page.open(f"http://127.0.0.1:{app.addresses[0][1]}/")
        await page.evaluate(
            """(async () => {
              const { connect } = await import('/__worpen__/worpen.js');
              globalThis.told = { messages: [], lost: 0, recovered: 0, again: 0, ended: false };
              const client = connect(`ws://${location.host}/ws/news/a`, {
                base: 2, cap: 10,
                onopen: ({ again }) => { told.again += again; },
                onlost: () => { told.lost += 1; },
                onrecovered: () => { told.recovered += 1; },
                onclose: ({ delay }) => { told.ended = delay === null; },
                onmessage: ({ data }) => { if (data === 'end') client.close(); else told.messages.push(Number(data)); },
              });
            })()"""
        )
        said = await busy_with_cuts(app, 20)
        app.broadcast("a", "end")
        await page.until("told.ended")
        told = await page.evaluate("told")
    assert told["messages"] == list(range(1, said + 1))
    assert told["again"] >= 20
    assert told["recovered"] == told["again"]
    assert told["lost"] == 0
