"""A small application on a real socket, and a client that sends whatever bytes it is told to."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from runtime.limits import WireLimits
from runtime.transport.acceptor import Acceptor
from runtime.transport.connection import WebSocketConnection
from runtime.transport.frames import encode_binary, encode_text
from runtime.transport.seam import Acceptance, Admission, Connection, HttpResponse, Request, refusal
from runtime.transport.wire import Wire

KEY = base64.b64encode(b"sixteen bytes ok").decode()
MASK = b"\x37\xfa\x21\x3d"
PATIENCE = 20.0
"""Seconds after which a test that waits for something fails."""


class Deliberate(Exception):
    """Raised by tests to play a bug."""


Event = tuple[object, ...]


def echo(listener: Listener, message: str | bytes) -> None:
    listener.connection.send(encode_text(message) if isinstance(message, str) else encode_binary(message))


@dataclass
class Listener:
    """The peer of one connection: keeps what happened, and does what the test says."""

    connection: WebSocketConnection
    request: Request
    on_message: Callable[[Listener, str | bytes], None] = echo
    on_open: Callable[[Listener], None] = lambda _: None
    events: list[Event] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self) -> None:
        self.events.append(("opened",))
        self.on_open(self)

    def received_texts(self, texts: Iterator[str]) -> None:
        """All come by `received`."""

    def received(self, message: str | bytes) -> None:
        self.events.append(("received", message))
        self.on_message(self, message)

    def closed(self, code: int, reason: str) -> None:
        self.events.append(("closed", code, reason))
        self.ended.set()

    @property
    def messages(self) -> list[object]:
        return [event[1] for event in self.events if event[0] == "received"]

    @property
    def endings(self) -> list[tuple[object, ...]]:
        return [event[1:] for event in self.events if event[0] == "closed"]

    async def end(self) -> tuple[object, ...]:
        """Wait for the end; it must come once."""
        await asyncio.wait_for(self.ended.wait(), PATIENCE)
        assert len(self.endings) == 1
        return self.endings[0]


@dataclass
class Recorder:
    """The application: accepts everybody, unless told otherwise."""

    on_message: Callable[[Listener, str | bytes], None] = echo
    on_open: Callable[[Listener], None] = lambda _: None
    decide: Callable[[Request, Listener], Admission | Awaitable[Admission]] = lambda _, peer: Acceptance(peer)
    answer: Callable[[Request], HttpResponse] = lambda request: refusal(404, request.path)
    requests: list[Request] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)

    def respond(self, request: Request) -> HttpResponse:
        self.requests.append(request)
        return self.answer(request)

    def admit(self, request: Request, connection: Connection) -> Admission | Awaitable[Admission]:
        assert isinstance(connection, WebSocketConnection)
        listener = Listener(connection, request, self.on_message, self.on_open)
        self.requests.append(request)
        self.listeners.append(listener)
        return self.decide(request, listener)


@contextlib.asynccontextmanager
async def serving(application: Recorder, limits: WireLimits | None = None) -> AsyncIterator[tuple[Wire, int]]:
    """Serve on a free port; afterwards no connection and no handshake may be left."""
    wire = Wire(application, limits or WireLimits())
    acceptor = Acceptor(wire)
    await acceptor.open("127.0.0.1", 0)
    try:
        yield wire, acceptor.addresses[0][1]
    finally:
        acceptor.close()
        wire.penalties.end_all()
        await until(lambda: not wire.counters.connections and not wire.open_handshakes)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.002)


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, width: int | None = None) -> bytes:
    """A client's frame. `width` is the number of bytes of the extended length: 0, 2 or 8; None is the shortest."""
    size = len(payload)
    if width is None:
        width = 0 if size < 126 else 2 if size < 65536 else 8
    coded = {0: size, 2: 126, 8: 127}[width]
    head = bytes((fin << 7 | rsv << 4 | opcode, 0x80 | coded)) + (size.to_bytes(width, "big") if width else b"")
    return head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))


def read_frames(stream: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Frames of a server, as (first byte, payload), and what is left over."""
    found = []
    while len(stream) >= 2:
        size, start = stream[1], 2
        if size == 126:
            size, start = int.from_bytes(stream[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(stream[2:10], "big"), 10
        if len(stream) < start + size:
            break
        found.append((stream[0], stream[start : start + size]))
        stream = stream[start + size :]
    return found, stream


def upgrade_request(path: str = "/", *extra: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        *extra,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class RawClient:
    """A TCP client that speaks bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.stream = b""

    def send(self, stream: bytes) -> None:
        self.writer.write(stream)

    async def send_chopped(self, stream: bytes, size: int) -> None:
        """Send in pieces, each read by the server before the next one leaves."""
        for at in range(0, len(stream), size):
            if self.writer.is_closing():
                return
            self.writer.write(stream[at : at + size])
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found, _ = read_frames(self.stream)
                if found:
                    rest = self.stream
                    size = len(found[0][1])
                    self.stream = rest[(2 if size < 126 else 4 if size < 65536 else 10) + size :]
                    return found[0]
                more = await self.reader.read(65536)
                if not more:
                    raise EOFError("the server ended the connection")
                self.stream += more

    async def to_the_end(self) -> bytes:
        """All bytes until the server ends the connection."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while more := await self.reader.read(65536):
                    self.stream += more
        return self.stream

    async def frames_to_the_end(self) -> list[tuple[int, bytes]]:
        found, rest = read_frames(await self.to_the_end())
        assert not rest
        return found

    @property
    def transport(self) -> asyncio.Transport:
        return cast(asyncio.Transport, self.writer.transport)

    def leave(self) -> None:
        self.transport.abort()


@contextlib.asynccontextmanager
async def raw(port: int) -> AsyncIterator[RawClient]:
    """A TCP connection, dropped afterwards."""
    client = RawClient(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        client.leave()


@contextlib.asynccontextmanager
async def upgraded(port: int, path: str = "/") -> AsyncIterator[RawClient]:
    """A raw client with an open WebSocket connection."""
    async with raw(port) as client:
        client.send(upgrade_request(path))
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 101 ")
        yield client
