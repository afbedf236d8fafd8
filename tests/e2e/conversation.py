"""Conversations: what clients say to a server and hear from it, as data, played over real connections.

A file `NAME.test.yaml` names its `routes` and has `tests`, each with a `name` and `steps`; the first key of a step is
what happens, its value is the client that it happens to:

    connect: alice      to: /ws/chat/lobby
    send: alice         text: …   or   json: …
    expect: bob         text: … | json: … | json_contains: {…}, within: 1s, skip: true
    expect_none: bob    for: 100ms
    close: alice        code: 1000
    expect_close: alice code: 1001, within: 1s

`expect` takes the next frame of that client; with `skip: true` it passes over others. Frames that nobody asked for
fail the test unless it says `unexpected: allow`. In an expected text `$alice` stands for alice's connection id.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Step = Mapping[str, Any]
Frame = str | bytes

CONNECTION_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
PATIENCE = "5s"
"""How long `expect` waits without `within`: long, because only a failing test waits to the end."""

_CLIENT = re.compile(r"\\\$([a-z]+)")
_DURATION = re.compile(r"(\d+)(ms|s)")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One test of a conversation file; `routes` are the files that its server serves."""

    name: str
    routes: tuple[Path, ...]
    steps: tuple[Step, ...]
    unexpected: bool


def read_conversations(file: Path) -> list[Conversation]:
    """The conversations of a file, in order. Raises KeyError where something required is missing."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    routes = tuple(file.parent / name for name in document["routes"])
    return [
        Conversation(test["name"], routes, tuple(test["steps"]), test.get("unexpected") == "allow")
        for test in document["tests"]
    ]


def seconds(text: str) -> float:
    """`100ms` → 0.1. Raises ValueError for anything else."""
    if (match := _DURATION.fullmatch(text)) is None:
        raise ValueError(f"not a duration: {text}")
    return int(match[1]) / (1000 if match[2] == "ms" else 1)


@dataclass(slots=True)
class Client:
    """One connection, its frames that were not asked for yet, and the task that collects them."""

    connection: ClientConnection
    frames: deque[Frame] = field(default_factory=deque)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    closed: bool = False

    async def collect(self) -> None:
        """Take in frames until the connection is over."""
        try:
            async for frame in self.connection:
                async with self.arrived:
                    self.frames.append(frame)
                    self.arrived.notify_all()
        except ConnectionClosed:
            pass
        async with self.arrived:
            self.closed = True
            self.arrived.notify_all()

    async def next_frame(self, within: float) -> Frame:
        """The next frame. Raises AssertionError where none comes in time."""
        async with self.arrived:
            try:
                await asyncio.wait_for(self.arrived.wait_for(lambda: self.frames or self.closed), within)
            except TimeoutError:
                raise AssertionError(f"no frame within {within} s") from None
            assert self.frames, f"closed with {self.connection.close_code} instead of a frame"
            return self.frames.popleft()

    async def settle(self) -> None:
        """Wait until everything that the server has sent so far is here."""
        if not self.closed:
            await (await self.connection.ping())


@dataclass(slots=True)
class Party:
    """The clients of one conversation with the server at `address` (`ws://host:port`)."""

    address: str
    clients: dict[str, Client] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    async def play(self, conversation: Conversation) -> None:
        """Do all steps. Raises AssertionError, with the step's number, where one fails."""
        try:
            for number, step in enumerate(conversation.steps, 1):
                try:
                    await self.perform(step)
                except AssertionError as error:
                    raise AssertionError(f"step {number}, {dict(step)}: {error}") from error
            if not conversation.unexpected:
                await self.expect_nothing_more()
        finally:
            await self.leave()

    async def perform(self, step: Step) -> None:
        """Do one step."""
        verb, name = next(iter(step.items()))
        match verb:
            case "connect":
                await self.connect(name, step["to"])
            case "send":
                await self.clients[name].connection.send(step["text"] if "text" in step else json.dumps(step["json"]))
            case "expect":
                await self.expect(name, step)
            case "expect_none":
                await asyncio.sleep(seconds(step["for"]))
                assert not self.clients[name].frames, f"heard {list(self.clients[name].frames)}"
            case "close":
                await self.clients[name].connection.close(step.get("code", 1000))
            case "expect_close":
                await asyncio.wait_for(
                    self.clients[name].connection.wait_closed(), seconds(step.get("within", PATIENCE))
                )
                assert self.clients[name].connection.close_code == step.get("code", 1000)
            case _:
                raise ValueError(f"no such step: {verb}")

    async def connect(self, name: str, path: str) -> None:
        """Open the connection of a client."""
        client = Client(await connect(self.address + path))
        self.clients[name] = client
        self.tasks.append(asyncio.create_task(client.collect()))

    async def expect(self, name: str, step: Step) -> None:
        """Take the next frame, or with `skip` the next that is as expected."""
        within = seconds(step.get("within", PATIENCE))
        while True:
            frame = await self.clients[name].next_frame(within)
            if self.agrees(frame, step):
                return
            assert step.get("skip"), f"heard {frame!r}"

    def agrees(self, frame: Frame, step: Step) -> bool:
        """Whether a frame is what the step expects; learns the connection ids in it."""
        assert isinstance(frame, str), "a binary frame"
        if "text" in step:
            return self.agrees_with_text(frame, step["text"])
        heard = json.loads(frame)
        return contains(heard, step["json_contains"]) if "json_contains" in step else heard == step["json"]

    def agrees_with_text(self, heard: str, expected: str) -> bool:
        """Whether a text is the expected one, `$name` being the connection id of that client."""
        pattern = _CLIENT.sub(lambda match: self._id_pattern(match[1]), re.escape(expected))
        if (match := re.fullmatch(pattern, heard, re.DOTALL)) is None:
            return False
        self.ids.update(match.groupdict())
        return True

    def _id_pattern(self, name: str) -> str:
        return self.ids.get(name, f"(?P<{name}>{CONNECTION_ID})")

    async def expect_nothing_more(self) -> None:
        """Raises AssertionError where a client has heard something that nobody asked for."""
        for name, client in self.clients.items():
            await client.settle()
            assert not client.frames, f"{name} also heard {list(client.frames)}"

    async def leave(self) -> None:
        """Close every connection."""
        for client in self.clients.values():
            await client.connection.close()
        await asyncio.gather(*self.tasks)


def contains(heard: object, expected: object) -> bool:
    """Whether every key of `expected` is in `heard`, at any depth; lists and scalars are equal."""
    if isinstance(expected, dict):
        return isinstance(heard, dict) and all(
            key in heard and contains(heard[key], part) for key, part in expected.items()
        )
    return heard == expected
