"""The attacks: so many attackers at once, on one core, each of whom begins anew as soon as the server has ended it."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from tests.bench.soak.wire import BINARY, PING, PONG, TEXT, Wire, masked
from tests.runtime.transport.harness import upgrade_request

MIB: Final = 1 << 20
TCP_ESTABLISHED: Final = 1
PIECE: Final = 16_000
MEMBERS: Final = 1_000
STALLED: Final = MEMBERS // 10
SHOUTS_A_SECOND: Final = 20
SIGN_OF_LIFE: Final = masked(PONG)


class Attack(Protocol):
    """Attackers of a process: `begin` and `stop` come in turns."""

    tally: Counter[str]

    async def begin(self, port: int) -> None:
        """Attack from now on."""

    async def stop(self) -> None:
        """Leave the server alone; returns when all sockets are closed."""


@dataclass(slots=True, kw_only=True)
class Crowd:
    """So many attackers who all do the same, again and again."""

    attackers: int
    tally: Counter[str] = field(default_factory=Counter)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def begin(self, port: int) -> None:
        """See `Attack`."""
        self._tasks = [asyncio.create_task(self._again(port)) for _ in range(self.attackers)]

    async def stop(self) -> None:
        """See `Attack`."""
        await cancelled(self._tasks)

    async def _again(self, port: int) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class Flood(Crowd):
    """Attackers who connect, send, and are ended."""

    sent: bytes
    path: str = "/ws/echo"
    headers: tuple[str, ...] = ()
    attackers: int = field(default=10, kw_only=True)

    async def _again(self, port: int) -> None:
        while True:
            try:
                await self._once(port)
            except OSError:
                await asyncio.sleep(0.01)

    async def _once(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(upgrade_request(self.path, *self.headers) + self.sent)
            while await reader.read(MIB):
                pass
            self.tally["ended by the server"] += 1
        finally:
            writer.transport.abort()


@dataclass(slots=True)
class SlowHandshakes(Crowd):
    """Requests that come a byte at a time and never end; who is dropped comes back a second later."""

    attackers: int = field(default=2_000, kw_only=True)

    async def _again(self, port: int) -> None:
        await asyncio.sleep(random.random())
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(1)
                continue
            try:
                for byte in upgrade_request("/ws/echo"):
                    if writer.transport.is_closing():
                        break
                    writer.write(bytes((byte,)))
                    await asyncio.sleep(1)
                self.tally["dropped"] += 1
            finally:
                writer.transport.abort()


@dataclass(slots=True)
class StalledReaders:
    """A room in which somebody speaks all the time. During the attack a tenth of it reads nothing; the others must get
    all that is said."""

    tally: Counter[str] = field(default_factory=Counter)
    _members: list[Member] = field(default_factory=list)
    _stalled: list[Wire] = field(default_factory=list)
    _talking: asyncio.Task[None] | None = None
    _said: int = 0

    async def begin(self, port: int) -> None:
        """See `Attack`."""
        for member in self._members[:STALLED]:
            member.leave()
        self._stalled = [await Wire.open(port, "/ws/room", Counter(), 16 * 1024) for _ in range(STALLED)]
        for wire in self._stalled:
            wire.writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def stop(self) -> None:
        """See `Attack`."""
        for wire in self._stalled:
            self.tally["stalled readers"] += 1
            self.tally["dropped by the server"] += is_ended(wire.writer.get_extra_info("socket"))
            wire.drop()

    async def prepare(self, port: int) -> None:
        """Fill the room and speak."""
        self._members = [await Member.enter(port) for _ in range(MEMBERS)]
        self._talking = asyncio.create_task(self._talk())

    async def refill(self, port: int) -> None:
        """Bring the tenth back."""
        for number in range(STALLED):
            if self._members[number].is_gone:
                self._members[number] = await Member.enter(port)

    async def finish(self) -> None:
        """Count what was lost by those who read: all of them were there to the end."""
        assert self._talking is not None
        await cancelled([self._talking])
        readers = self._members[STALLED:]
        # The healthy client goes first, so that much of what came still waits to be read here.
        heard = -1
        while heard < (heard := sum(member.heard for member in readers)):  # noqa: ASYNC110 - bytes set no event
            await asyncio.sleep(2)
        self.tally["said"] = self._said
        self.tally["gone of 900"] = sum(member.is_gone for member in readers)
        self.tally["read by 900"] = sum(member.heard for member in readers)
        self.tally["lost by 900"] = self._said * len(readers) - self.tally["read by 900"]
        for member in self._members:
            member.leave()

    async def _talk(self) -> None:
        frame = masked(TEXT, b"x" * PIECE)
        speaker = self._members[-1]
        while True:
            if self._said % (10 * SHOUTS_A_SECOND) == 0:
                for member in self._members:
                    if not member.writer.is_closing():
                        member.writer.write(SIGN_OF_LIFE)
            speaker.writer.write(frame)
            self._said += 1
            await asyncio.sleep(1 / SHOUTS_A_SECOND)


class Member(asyncio.Protocol):
    """A client in the room that counts bytes: all messages are of one size."""

    FRAME = PIECE + 4

    def __init__(self) -> None:
        self.received = 0
        self.is_gone = False
        self.ready = asyncio.Event()
        self.writer: asyncio.Transport

    @classmethod
    async def enter(cls, port: int) -> Member:
        """A member whose handshake is done."""
        transport, member = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        member.writer = transport
        transport.write(upgrade_request("/ws/room"))
        await asyncio.wait_for(member.ready.wait(), 30)
        return member

    @property
    def heard(self) -> int:
        """Messages that came whole."""
        return self.received // self.FRAME

    def data_received(self, data: bytes) -> None:
        """Count; the answer to the handshake comes first."""
        if not self.ready.is_set():
            _, _, data = data.partition(b"\r\n\r\n")
            self.ready.set()
        # Nobody here is silent for so long that the server pings.
        self.received += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server ended it, or `leave` did."""
        self.is_gone = True

    def leave(self) -> None:
        """Be gone."""
        self.is_gone = True
        self.writer.abort()


@dataclass(slots=True)
class Reconnects(Crowd):
    """Clients who all come at once, come back when they are told to, and stay when they are let in."""

    attackers: int = field(default=10_000, kw_only=True)

    async def _again(self, port: int) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(1 + random.random())
                continue
            try:
                await self._stay(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(1 + random.random())
            finally:
                writer.transport.abort()

    async def _stay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade_request("/ws/echo"))
        answer = await reader.readuntil(b"\r\n\r\n")
        if answer.startswith(b"HTTP/1.1 101 "):
            self.tally["let in"] += 1
            while await reader.read(1 << 12):
                pass
            return
        self.tally["sent away"] += 1
        writer.transport.abort()
        after = answer.lower().partition(b"retry-after:")[2].split()
        await asyncio.sleep(float(after[0]) if after else 1)


def deflated(size: int) -> bytes:
    """Zeros as permessage-deflate packs them."""
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed[:-4]


def bomb(size: int, pieces: int = 1) -> bytes:
    """A compressed message that inflates to so many bytes, in so many frames."""
    packed = deflated(size)
    cuts = [len(packed) * number // pieces for number in range(pieces + 1)]
    parts = [packed[start:end] for start, end in itertools.pairwise(cuts)]
    frames = [masked(0 if number else BINARY, part, fin=number == pieces - 1) for number, part in enumerate(parts)]
    return bytes((frames[0][0] | 0x40,)) + frames[0][1:] + b"".join(frames[1:])


DEFLATE: Final = ("Sec-WebSocket-Extensions: permessage-deflate",)
SURROGATE: Final = b"\xed\xa0\x80"
FRAGMENTS: Final = masked(TEXT, b"x", fin=False) + masked(0, b"x", fin=False) * 20_000

ATTACKS: Final[dict[str, Callable[[], Attack]]] = {
    "10 floods of messages": lambda: Flood(masked(TEXT, b"x" * 64) * 20_000),
    "10 floods of empty messages": lambda: Flood(masked(TEXT) * 40_000),
    "10 floods of pings": lambda: Flood(masked(PING, b"x" * 20) * 20_000),
    "10 floods of fragments": lambda: Flood(FRAGMENTS),
    "2 000 slow handshakes": SlowHandshakes,
    "100 of 1 000 members stall": StalledReaders,
    "bombs of 100 MiB": lambda: Flood(bomb(100 * MIB), "/ws/packed", DEFLATE, attackers=2),
    "bombs of 60 MiB in 4 frames": lambda: Flood(bomb(60 * MIB, 4), "/ws/packed", DEFLATE, attackers=2),
    "lone surrogates": lambda: Flood(masked(TEXT, SURROGATE)),
    "headers of 9 KB": lambda: Flood(b"", headers=("X: " + "x" * 9_000,)),
    "messages of 1 MiB": lambda: Flood(masked(BINARY, b"x" * MIB)),
    "10 000 clients that come back": Reconnects,
}
"""Each by its name, of the size that it has to be."""


def is_ended(connection: socket.socket) -> bool:
    """Whether the other side ended a connection, as the kernel knows it: who does not read is not told."""
    state: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != TCP_ESTABLISHED


async def cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """End tasks, and wait for it."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks.clear()
