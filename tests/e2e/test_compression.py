"""Compression of a route over real connections: agreed on there only, inflated no further than the route allows."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime.app import App
from tests.e2e.news import served

HOOKS = "ws_hooks: {on_message: [WsOp: {command: send, message: '{{ message | length }}'}]}"
ROUTES = "\n---\n".join(
    f"name: {name}\npath: /ws/{name}\nroute_type: WebSocket\n{more}{HOOKS}"
    for name, more in (
        ("plain", ""),
        ("packed", "compression: true\n"),
        ("small", "compression: true\nlimits: {max_message_bytes: 1000}\n"),
        ("json", "compression: true\ncodec: json\nlimits: {max_message_bytes: 1000}\n"),
    )
)


def client(app: App, name: str) -> connect:
    return connect(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/{name}", compression="deflate")


def is_compressed(connection: ClientConnection) -> bool:
    return bool(connection.protocol.extensions)


async def test_only_the_routes_that_say_so_compress() -> None:
    async with served(ROUTES) as app, client(app, "plain") as plain, client(app, "packed") as packed:
        assert not is_compressed(plain)
        assert is_compressed(packed)
        for connection in (plain, packed):
            await connection.send("x" * 50_000)
            assert await connection.recv() == "50000"


@pytest.mark.parametrize("name", ["small", "json"])
async def test_a_message_inflates_to_no_more_than_its_route_allows(name: str) -> None:
    async with served(ROUTES) as app, client(app, name) as healthy:
        await healthy.send('"' + "x" * 998 + '"')
        assert await healthy.recv() == ("998" if name == "json" else "1000")
        for bomb in ("x" * 1_001, "0" * 10_000_000):
            async with client(app, name) as hostile:
                await hostile.send(bomb)
                with pytest.raises(ConnectionClosed):
                    await hostile.recv()
                assert hostile.close_code == 1009
        await healthy.send('"still here"')
        assert await healthy.recv() == ("10" if name == "json" else "12")
