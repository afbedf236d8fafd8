"""A server under attack: hand-made routes, a healthy client that must not notice, and attackers on raw sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from compiler.bytecode.program import Membership
from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import Value
from runtime.app import App
from runtime.limits import ServerLimits, WireLimits
from runtime.loader import LinkedRoute
from runtime.seam import Emit
from runtime.server.settings import Settings
from tests.runtime.parts import entry, route
from tests.runtime.transport.harness import upgrade_request

PATIENCE_SECONDS = 20.0
ROOM = Membership(True, ("room",), ())
_attackers: list[Attacker] = []
_MESSAGE = INPUT_NUMBERS["message"]


def echo(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
    emit("send", inputs[_MESSAGE], False)
    return None


def tell_room(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
    emit("publish", inputs[_MESSAGE], False, False, "room")
    return None


def poison(inputs: Sequence[Value], slots: Any, emit: Emit) -> Value:
    emit("publish", "half a pair: \ud800", False, False, "room")
    return None


ROUTES = (
    route("/ws/echo", name="echo", on_message=echo),
    route("/ws/room", name="room", membership=ROOM, on_message=tell_room),
    route("/ws/poison", name="poison", membership=ROOM, on_message=poison),
)


@asynccontextmanager
async def server(
    *more: LinkedRoute, wire: WireLimits | None = None, limits: ServerLimits | None = None
) -> AsyncIterator[App]:
    """A server with the routes of this module, on both loopback addresses. All limits are the defaults."""
    app = App(Settings(port=0, wire=wire or WireLimits(), limits=limits or ServerLimits(drain_seconds=3)))
    await app.start([entry(one) for one in (*ROUTES, *more)])
    try:
        yield app
    finally:
        for one in _attackers:
            one.close()
        _attackers.clear()
        await app.drain()


def port_of(app: App) -> int:
    """Where a server listens."""
    return app.addresses[0][1]


@dataclass(slots=True)
class Healthy:
    """A client whose messages keep flowing. `exchanged` grows with each reply, which came in order and unchanged."""

    client: ClientConnection
    exchanged: int = 0
    stopping: bool = False
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self) -> None:
        while not self.stopping:
            text = f"message {self.exchanged}"
            await self.client.send(text)
            reply = await self.client.recv()
            assert reply == text, f"wanted {text!r}, got {reply!r}"
            self.exchanged += 1
            self.more.set()
            await asyncio.sleep(0.002)  # well below the rate that the server allows

    async def exchanges(self, count: int) -> None:
        """Return when so many more messages went there and back."""
        wanted = self.exchanged + count
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.exchanged < wanted:
                self.more.clear()
                await self.more.wait()


@asynccontextmanager
async def healthy(app: App) -> AsyncIterator[Healthy]:
    """A healthy client on the echo route; fails the test where it loses, doubles or swaps a message, or is closed."""
    async with connect(f"ws://127.0.0.1:{port_of(app)}/ws/echo", compression=None) as client:
        one = Healthy(client)
        talking = asyncio.create_task(one.talk())
        await one.exchanges(1)
        try:
            yield one
            await one.exchanges(3)
        finally:
            one.stopping = True
            async with asyncio.timeout(PATIENCE_SECONDS):
                await talking


@dataclass(slots=True)
class Attacker:
    """A raw connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        """Hand bytes to the kernel, as far as it takes them; an attacker does not care about errors."""
        if not self.writer.is_closing():
            self.writer.write(data)

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection, in order or by a reset."""
        received = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while piece := await self.reader.read(1 << 16):
                    received += piece
            except ConnectionError:
                pass
        return received

    def stop_reading(self) -> None:
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    def close(self) -> None:
        self.writer.transport.abort()


async def attacker(app: App, path: str = "", sock: socket.socket | None = None) -> Attacker:
    """A raw connection, closed at the end of `server`; with a path, its handshake is done. `sock` is not connected."""
    sock = sock or socket.socket()
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port_of(app)))
    one = Attacker(*await asyncio.open_connection(sock=sock))
    _attackers.append(one)
    if path:
        one.send(upgrade_request(path))
        assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return one


def close_code(received: bytes) -> int:
    """The code of the close frame at the end of what a server sent."""
    start = received.rfind(b"\x88")
    return int.from_bytes(received[start + 2 : start + 4], "big") if start >= 0 else 0


async def eventually(holds: Any) -> None:
    """Return when something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
