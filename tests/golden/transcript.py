"""Plays the conversation of a golden file against a server, and writes down what happened."""

from __future__ import annotations

import asyncio
import re

from websockets.asyncio.client import connect

from tests.e2e.conversation import CONNECTION_ID, Client

STEP = re.compile(r"([a-z]+) (?:(connects) (\S+)|(leaves)|> (.*))")
QUIET = 0.05
"""Seconds without a frame after which a step is over; what comes later stands under a later step, and differs."""


async def play(address: str, conversation: str) -> str:
    """Do what the lines of a conversation say, and return it with the frames that were heard.

    Lines with `<` are left out and written anew. Raises ValueError for a line that says nothing known.
    """
    transcript = Transcript(address)
    try:
        for line in conversation.splitlines():
            if line.strip() and not re.match(r"[a-z]+ < ", line):
                await transcript.step(line)
    finally:
        await transcript.end()
    return "".join(f"{line}\n" for line in transcript.lines)


class Transcript:
    """A conversation as it happens: who is connected, and the lines so far."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.clients: dict[str, Client] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.lines: list[str] = []
        self.names: dict[str, str] = {}
        """What connection ids are called: `$alice`."""

    async def step(self, line: str) -> None:
        """Do one line, and write down what everybody hears then."""
        if (match := STEP.fullmatch(line)) is None:
            raise ValueError(f"not a line of a conversation: {line}")
        name, connects, path, leaves, text = match.groups()
        self.lines.append(line)
        if connects:
            self.clients[name] = client = Client(await connect(self.address + path))
            self.tasks.append(asyncio.create_task(client.collect()))
        elif leaves:
            await self.clients.pop(name).connection.close()
        else:
            await self.clients[name].connection.send(text)
        await self.write_down(name)

    async def write_down(self, actor: str) -> None:
        """Wait until nothing more is heard, and write it down, client by client."""
        while True:
            before = sum(len(client.frames) for client in self.clients.values())
            await asyncio.sleep(QUIET)
            for client in self.clients.values():
                await client.settle()
            if before == sum(len(client.frames) for client in self.clients.values()):
                break
        for name in sorted(self.clients, key=lambda name: (name != actor, name)):
            frames = self.clients[name].frames
            while frames:
                self.lines.append(f"{name} < {self.anonymous(actor, frames.popleft())}")

    def anonymous(self, actor: str, frame: str | bytes) -> str:
        """A frame with names for connection ids; an id that was not seen before is the one of who acts."""
        text = frame if isinstance(frame, str) else f"bytes {frame.hex()}"
        return re.sub(CONNECTION_ID, lambda match: self.names.setdefault(match[0], f"${actor}"), text)

    async def end(self) -> None:
        """Close what is still open."""
        for client in self.clients.values():
            await client.connection.close()
        await asyncio.gather(*self.tasks)
