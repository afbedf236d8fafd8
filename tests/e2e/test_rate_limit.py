"""`rate_limit` over real sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path

from websockets.asyncio.client import connect

from runtime.app import App
from runtime.events import Event, Events, LogLine
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from tests.e2e.serving import program_bytes

ROUTE = """\
name: Limited
path: /ws/limited
route_type: WebSocket
rate_limit: {messages_per_minute: 60, burst: 10}
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "{{ message }}"}
"""


async def test_what_is_over_the_rate_is_dropped_counted_and_told_once(tmp_path: Path) -> None:
    (tmp_path / "limited.yaml").write_text(ROUTE)
    heard: list[Event] = []
    events = Events()
    events.subscribe(heard.append)
    app = App(Settings(port=0), events)
    await app.start(entries_of(load(program_bytes(tmp_path / "limited.yaml"), app.context)))
    host, port = app.addresses[0]
    try:
        async with (
            connect(f"ws://{host}:{port}/ws/limited") as client,
            connect(f"ws://{host}:{port}/ws/limited") as other,
        ):
            for number in range(15):
                await client.send(str(number))
            assert [await asyncio.wait_for(client.recv(), 10) for _ in range(10)] == [str(n) for n in range(10)]
            await other.send("mine")
            assert await asyncio.wait_for(other.recv(), 10) == "mine"
            await asyncio.sleep(1.1)
            await client.send("later")
            assert await asyncio.wait_for(client.recv(), 10) == "later"
    finally:
        await app.drain()
    assert app.counters.messages_dropped["rate_limited",] == 5
    assert [(line.level, "rate_limit" in line.message) for line in heard if isinstance(line, LogLine)] == [
        ("warn", True)
    ]
