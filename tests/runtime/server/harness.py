"""A server on a free port with routes made by hand, and plain requests to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from runtime.app import App
from runtime.loader import LinkedRoute
from runtime.server.catalogue import BrokenRoute
from runtime.server.settings import Settings
from tests.runtime.parts import entry

PATIENCE_SECONDS = 10.0


@asynccontextmanager
async def started(*routes: LinkedRoute | BrokenRoute, **settings: Any) -> AsyncIterator[App]:
    """A server with these routes."""
    app = App(Settings(**{"port": 0, **settings}))
    await app.start([one if isinstance(one, BrokenRoute) else entry(one) for one in routes])
    try:
        yield app
    finally:
        await app.drain()


def port(app: App) -> int:
    """The port it listens on."""
    return app.addresses[0][1]


def client(app: App, path: str = "/ws/test", **headers: str) -> connect:
    """A client to be; `await` it, or use it with `async with`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return connect(f"ws://127.0.0.1:{port(app)}{path}", additional_headers=fields, compression=None)


async def over(app: App) -> None:
    """Return when every connection's life is complete."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app.idle()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plain request got."""

    status: int
    headers: Mapping[str, str]
    body: str


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
"""The headers that make a request a handshake."""


async def ask(app: App, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """The answer to a request that ends in something else than a WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port(app))
    fields = {"Host": "127.0.0.1", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        raw = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    top, _, body = raw.partition("\r\n\r\n")
    status, *lines = top.split("\r\n")
    return Answer(int(status.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, body)


__all__ = ["PATIENCE_SECONDS", "UPGRADE", "Answer", "ClientConnection", "ask", "client", "over", "port", "started"]
