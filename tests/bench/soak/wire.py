"""A client's side of the wire, as small as can be: it counts bytes and frames, and does what no library lets one do."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable
from typing import Final

from tests.runtime.transport.harness import upgrade_request

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
PATIENCE_SECONDS: Final = 30.0
_MASK: Final = b"\x37\xfa\x21\x3d"
_TABLES: Final = tuple(bytes(byte ^ key for byte in range(256)) for key in _MASK)


class Lost(Exception):
    """The connection ended in the middle of something."""


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame."""
    size = len(payload)
    head = bytes(((fin << 7) | opcode,))
    if size < 126:
        head += bytes((0x80 | size,))
    elif size < 1 << 16:
        head += b"\xfe" + size.to_bytes(2, "big")
    else:
        head += b"\xff" + size.to_bytes(8, "big")
    hidden = bytearray(size)
    for at in range(min(4, size)):
        hidden[at::4] = payload[at::4].translate(_TABLES[at])
    return head + _MASK + hidden


class Wire:
    """A TCP connection whose frames are counted in `tally`: `in` and `out` are the server's directions."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: Counter[str]) -> None:
        self.reader = reader
        self.writer = writer
        self.tally = tally
        self.close_code = 1006
        """What the server's close frame said, once it came."""

    @classmethod
    async def reach(cls, port: int, tally: Counter[str], window: int = 0) -> Wire:
        """A connection without a handshake. `window`: bytes that the kernel receives before they are read."""
        sock = socket.socket()
        sock.setblocking(False)
        if window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=sock), tally)

    @classmethod
    async def open(cls, port: int, path: str, tally: Counter[str], window: int = 0) -> Wire:
        """A connection whose handshake was accepted. Raises Lost where it was not."""
        one = await cls.reach(port, tally, window)
        one.writer.write(upgrade_request(path))
        answer = await one.head()
        if not answer.startswith(b"HTTP/1.1 101 "):
            one.drop()
            raise Lost(f"refused: {answer[:40]!r}")
        tally["accepted"] += 1
        return one

    async def head(self) -> bytes:
        """The head of the answer to a request."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            raise Lost("no answer") from gone

    def send(self, text: bytes) -> None:
        """Send a text message."""
        self.tally["messages_in"] += 1
        self.put(masked(TEXT, text))

    def put(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self.tally["bytes_in"] += len(raw)
        self.writer.write(raw)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload. Pings are answered and passed over. Raises Lost at the end."""
        while True:
            opcode, payload = await self._one()
            if opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
            if opcode != PING:
                return opcode, payload
            self.put(masked(PONG, payload))

    async def _one(self) -> tuple[int, bytes]:
        try:
            first, size = await self.reader.readexactly(2)
            extra = {126: 2, 127: 8}.get(size, 0)
            if extra:
                size = int.from_bytes(await self.reader.readexactly(extra), "big")
            payload = await self.reader.readexactly(size) if size else b""
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            raise Lost("the server ended the connection") from gone
        self.tally["bytes_out"] += 2 + extra + size
        return first & 15, payload

    async def text(self) -> bytes:
        """The next frame, which must be text. Raises Lost."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            opcode, payload = await self.frame()
        if opcode != TEXT:
            raise Lost(f"a frame of kind {opcode} instead of text: {payload!r}")
        return payload

    async def until_the_end(self, seen: Callable[[int, bytes], None] = lambda *_: None) -> int:
        """Read until the server ends the connection; the close code it said, 1006 without one."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    opcode, payload = await self.frame()
                    seen(opcode, payload)
        except Lost:
            self.drop()
        return self.close_code

    def drop(self) -> None:
        """End the TCP connection at once."""
        self.writer.transport.abort()


def noise(size: int) -> bytes:
    """Random hexadecimal digits."""
    return os.urandom(size // 2 + 1).hex()[:size].encode()
