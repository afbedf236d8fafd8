"""A route whose channels keep their messages, served in this process, so that a test can cut its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.history import Keep
from runtime.loader import link
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings

NEWS = """\
name: News
path: /ws/news/:room
route_type: WebSocket
history: {size: 40, ttl: 60}
EXTRA
ws_hooks:
  on_connect:
    - SetVar: {name: room, value: "{{ params.room }}"}
  on_message:
    - If:
        condition: "{{ message == 'whisper' }}"
        then:
          - Return: {value: "only you"}
    - WsOp: {command: broadcast, channel: "{{ room }}", message: "{{ message }}"}
"""


@asynccontextmanager
async def served(source: str = NEWS, extra: str = "", **settings: Any) -> AsyncIterator[App]:
    """A server with this route; `extra`: further keys of it."""
    program = compile_source("news.yaml", source.replace("EXTRA", extra).encode(), CompilerSettings()).program
    assert program is not None
    app = App(Settings(port=0, **settings))
    await app.start()
    app.swap(entries_of(link(program, app.context)))
    try:
        yield app
    finally:
        await app.drain()


async def busy_with_cuts(app: App, cuts: int) -> int:
    """Send numbers, from 1, to the room `a` while its only client is cut so many times; how many they were.

    Each cut happens amid messages, some of them on their way, some sent while the client is away.
    """
    said = 0
    for cut in range(cuts):
        while not app.hub.size("a"):  # noqa: ASYNC110 (a test may look)
            await asyncio.sleep(0.002)
        for number in range(6):
            said += 1
            _say(app, said)
            if number == cut % 6:
                for link_ in list(app.links.values()):
                    link_.abort()
            if number % 2:
                await asyncio.sleep(0)
        await asyncio.sleep(0.002)
    while not app.hub.size("a"):  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    return said


def _say(app: App, number: int) -> None:
    """Send a number to the room, also where nobody is in it."""
    assert app._floor is not None
    node = app._floor.node
    assert node.recall is not None
    frame = node.wire.encode_text(str(number))
    node.recall.publish("a", frame, Keep(400, 60.0), None, lambda: node.bus.publish("a", frame, None))
