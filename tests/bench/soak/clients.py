"""Clients that behave. Each knows what it sent and got, what it expects, and tells its tally how it ended.

Tallies: `accepted`, `messages_in`, `messages_out` (answers), `deliveries` (broadcasts that came), `heard` (recipients
that the server named), `bytes_in`, `bytes_out`, `closed:CODE` for each end as the server must see it, `wrong` for
whatever was not as expected.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from tests.bench.soak.wire import CLOSE, PATIENCE_SECONDS, TEXT, Lost, Wire, masked, noise

ROOM_SIZE: Final = 8
"""Clients that share a room, about."""
HEARD: Final = b"heard by "
"""What the answer in a room begins with."""
LONGEST_PAUSE_SECONDS: Final = 10.0
"""A client that reads only while it talks must not keep the server's pings waiting."""


@dataclass(slots=True)
class Floor:
    """What the clients of a process share."""

    port: int
    life_seconds: float
    """How long a client stays, on average."""
    pause_seconds: float
    """Between two of its messages, on average."""
    tally: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    """The first things that were wrong, in words."""
    open: int = 0
    """Connections that the server must think open, at rest."""
    acting: int = 0
    """Clients in the middle of something."""
    may_act: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    async def act(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something when no rest was called for."""
        await self.may_act.wait()
        self.acting += 1
        try:
            await action()
        finally:
            self.acting -= 1

    def wrong(self, what: str) -> None:
        """Note what should not be."""
        self.tally["wrong"] += 1
        if len(self.notes) < 10:
            self.notes.append(what)

    def ended(self, code: int) -> None:
        """An accepted connection is over."""
        self.open -= 1
        self.tally[f"closed:{code}"] += 1


class Client:
    """One connection after the other on the echo route."""

    path = "/ws/echo"

    def __init__(self, floor: Floor, chance: random.Random) -> None:
        self.floor = floor
        self.chance = chance
        self.wire: Wire

    async def run(self) -> None:
        """Come, talk, go, again and again, until the floor closes."""
        while not self.floor.is_over:
            try:
                await self.floor.act(self.come)
                await self.stay()
                await self.floor.act(self.go)
            except (Lost, TimeoutError, ConnectionError) as lost:
                self.floor.wrong(f"{type(self).__name__}: {type(lost).__name__} {lost}")
                if hasattr(self, "wire"):
                    self.wire.drop()

    async def come(self) -> None:
        """Connect."""
        self.wire = await Wire.open(self.floor.port, self.path, self.floor.tally)
        self.floor.open += 1

    async def stay(self) -> None:
        """Talk for a while."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.chance.expovariate(1 / self.floor.life_seconds)
        while loop.time() < end and not self.floor.is_over:
            pause = self.chance.expovariate(1 / self.floor.pause_seconds)
            await asyncio.sleep(min(pause, LONGEST_PAUSE_SECONDS))
            await self.floor.act(self.talk)

    async def talk(self) -> None:
        """Send some messages at once; all come back in order."""
        said = [noise(self.chance.randrange(1, 400)) for _ in range(self.chance.choice((1, 1, 1, 2, 5)))]
        for text in said:
            self.wire.send(text)
        for text in said:
            if await self.wire.text() != text:
                self.floor.wrong("an echo was not what was sent")
            self.floor.tally["messages_out"] += 1

    async def go(self) -> None:
        """End in one of several ways."""
        match self.chance.randrange(4):
            case 0:
                self.wire.drop()
                self.floor.ended(1006)
            case 1:
                await self.bye()
            case _:
                code = self.chance.choice((1000, 3001, 0))
                self.wire.put(masked(CLOSE, code.to_bytes(2, "big") if code else b""))
                if await self.wire.until_the_end() != (code or 1005):
                    self.floor.wrong(f"close code {code} was answered by {self.wire.close_code}")
                self.floor.ended(code or 1005)

    async def bye(self) -> None:
        """Have the server close."""
        self.wire.send(b"bye")
        code = await self.wire.until_the_end(self.seen_while_leaving)
        if code != 3005:
            self.floor.wrong(f"`bye` was answered by {code}")
        self.floor.ended(3005)

    def seen_while_leaving(self, opcode: int, payload: bytes) -> None:
        """A frame that came before the end."""
        if opcode == CLOSE:
            self.wire.put(masked(CLOSE, payload))


class Listener(Client):
    """A client that takes what comes whenever it comes."""

    def __init__(self, floor: Floor, chance: random.Random) -> None:
        super().__init__(floor, chance)
        self.reading: asyncio.Task[None]
        self.answered: asyncio.Queue[bool] = asyncio.Queue()
        """What was asked is answered; False at the end of the connection."""

    async def come(self) -> None:
        """Connect, and read from now on."""
        await super().come()
        self.answered = asyncio.Queue()
        self.reading = asyncio.create_task(self.read())

    async def read(self) -> None:
        """Take what comes, until the end."""
        try:
            while True:
                self.hear(*await self.wire.frame())
        except Lost:
            self.answered.put_nowait(False)

    def hear(self, opcode: int, payload: bytes) -> None:
        """Count a frame."""
        if opcode == CLOSE:
            self.wire.put(masked(CLOSE, payload))
        elif opcode == TEXT:
            self.floor.tally["messages_out"] += 1
            self.answered.put_nowait(True)

    async def answer(self) -> bool:
        """The next answer came, or the end did. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.answered.get()


class Member(Listener):
    """A client in a room: what anybody says there is heard by so many as the server says."""

    def __init__(self, floor: Floor, chance: random.Random, rooms: int) -> None:
        super().__init__(floor, chance)
        self.rooms = rooms

    async def come(self) -> None:
        """Enter a room."""
        self.path = f"/ws/room/{self.chance.randrange(self.rooms)}"
        await super().come()

    def hear(self, opcode: int, payload: bytes) -> None:
        """Count a frame: an answer, or what somebody said."""
        if opcode == TEXT and not payload.startswith(HEARD):
            self.floor.tally["deliveries"] += 1
            return
        if opcode == TEXT:
            self.floor.tally["heard"] += int(payload.removeprefix(HEARD))
        super().hear(opcode, payload)

    async def talk(self) -> None:
        """Say something; it is answered."""
        self.wire.send(noise(self.chance.randrange(1, 200)))
        if not await self.answer():
            raise Lost("the room's connection ended")

    async def go(self) -> None:
        """Have the server close, so that all that was delivered is read before."""
        self.wire.send(b"bye")
        if await self.answer():
            self.floor.wrong("there was an answer to `bye`")
        self.wire.drop()
        if self.wire.close_code != 3005:
            self.floor.wrong(f"`bye` in a room was answered by {self.wire.close_code}")
        self.floor.ended(3005)


class Sleeper(Listener):
    """A client whose hook waits when it is asked to; it stays."""

    path = "/ws/sleep"

    async def sleep(self) -> None:
        """Have the hook wait once."""
        self.wire.send(b"sleep")
        if not await self.answer():
            self.floor.wrong("a connection ended whose hook waited")
