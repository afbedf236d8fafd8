"""Nodes with channels that keep their messages, ways to them that can be cut, and clients that count what they hear."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime.clients.worpen_client import Lost, Message, Opened, Recovered, WorpenClient
from tests.e2e.cluster.trial import Node, start
from tests.runtime.bus.valkey import valkey

PATIENCE_SECONDS = 30.0


@contextmanager
def nodes(number: int, size: int) -> Iterator[list[Node]]:
    """So many nodes on a store of their own, each a process; their channels keep `size` messages."""
    with valkey() as store, started([store.url] * number, size) as made:
        yield made


@contextmanager
def one_node(size: int) -> Iterator[Node]:
    """A node without a bus."""
    with started([""], size) as made:
        yield made[0]


@contextmanager
def started(urls: Sequence[str], size: int) -> Iterator[list[Node]]:
    """A node on each of these stores."""
    with tempfile.TemporaryDirectory() as folder:
        made = [start(url, Path(folder, f"{number}.ndjson"), 15.0, "", size) for number, url in enumerate(urls)]
        try:
            for node in made:
                node.ready()
            yield made
        finally:
            for node in made:
                node.kill()


class Front:
    """A way to several ports, of which each connection gets the next one that answers. It can be cut."""

    def __init__(self, targets: Sequence[int], room: str) -> None:
        self._targets = list(targets)
        self._room = room
        self._turn = 0
        self._listener: asyncio.Server | None = None
        self._carried: set[asyncio.Task[None]] = set()
        self.port = 0
        self.is_closed = False
        """Whether nobody gets through."""
        self.passed = 0
        """Bytes that came to clients."""

    async def __aenter__(self) -> Front:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        self.cut()
        await asyncio.gather(*self._carried, return_exceptions=True)

    @property
    def url(self) -> str:
        """The room, by this way."""
        return address(self.port, self._room)

    def cut(self) -> None:
        """End what is open, without a word, with all that is on its way."""
        for task in self._carried:
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.is_closed:
                there, back = await self._open()
                try:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._copy(reader, back))
                        both.create_task(self._copy(there, writer, is_down=True))
                finally:
                    back.transport.abort()
        except* (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self._targets:
            self._turn += 1
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._targets[self._turn % len(self._targets)])
        raise ConnectionError("nobody answers")

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_down: bool = False) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
            self.passed += len(data) if is_down else 0
        raise EOFError

    async def has_passed(self, size: int) -> None:
        """Return when clients have got so many more bytes."""
        size += self.passed
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.passed < size:  # noqa: ASYNC110 (a test may look)
                await asyncio.sleep(0.01)


@dataclass(slots=True)
class Reader:
    """A client of `worpen.v1` that is cut, and what it heard."""

    front: Front
    heard: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    lost_at: list[int] = field(default_factory=list)
    """How much was heard when something was told lost."""
    cuts: int = 0
    recovered: int = 0
    """Messages that came by recovery."""
    away: list[float] = field(default_factory=list)
    """Seconds from each connection until all that was missed was there."""
    _client: WorpenClient | None = None

    async def read(self) -> None:
        """Read until `end`."""
        client = self._client = WorpenClient(self.front.url, base=0.002, cap=0.02)
        opened = 0.0
        async with aclosing(client.events()) as events:
            async for event in events:
                match event:
                    case Opened():
                        opened = time.monotonic()
                    case Message("end"):
                        return
                    case Message(data):
                        self.heard.append(str(data))
                    case Lost():
                        self.lost.append(event)
                        self.lost_at.append(len(self.heard))
                    case Recovered(_, messages):
                        self.recovered += messages
                        self.away.append(time.monotonic() - opened)
                    case _:
                        pass

    async def cut(self, times: int, pause: Callable[[], float]) -> None:
        """Be cut so many times, each time some pause after being back."""
        for _ in range(times):
            before = len(self.away)
            await asyncio.sleep(pause())
            self.front.cut()
            self.cuts += 1
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(self.away) == before:  # noqa: ASYNC110 (a test may look)
                    await asyncio.sleep(0.002)


class Talk:
    """Speakers on some nodes, and an observer who is never cut: its list is the truth."""

    def __init__(self, ports: Sequence[int], observed: int, room: str, messages_a_second: float = 150.0) -> None:
        self._ports = ports
        self._observed = address(observed, room)
        self._room = room
        self._pause = len(ports) / messages_a_second
        self._observing: asyncio.Task[None] | None = None
        self._speaking: list[asyncio.Task[None]] = []
        self._is_over = False
        self.heard: list[str] = []

    async def __aenter__(self) -> Talk:
        self._observing = asyncio.create_task(self._observe(await _plain(self._observed)))
        for number, port in enumerate(self._ports):
            speaker = await _plain(address(port, self._room))
            self._speaking.append(asyncio.create_task(self._speak(speaker, f"s{number}")))
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [task for task in (self._observing, *self._speaking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> None:
        """Have speakers be quiet, and then the last word be said by the node that is observed."""
        assert self._observing is not None
        self._is_over = True
        await asyncio.gather(*self._speaking)
        async with asyncio.timeout(PATIENCE_SECONDS), connect(self._observed, compression=None) as speaker:
            await speaker.send("end")
            await self._observing

    async def _observe(self, observer: ClientConnection) -> None:
        async with observer:
            async for text in observer:
                if text == "end":
                    return
                self.heard.append(str(text))

    async def _speak(self, speaker: ClientConnection, name: str) -> None:
        async with speaker:
            listening = asyncio.create_task(_ignore(speaker))
            said = 0
            with contextlib.suppress(ConnectionClosed):
                while not self._is_over:
                    said += 1
                    await speaker.send(f"{name} {said}")
                    await asyncio.sleep(random.uniform(0.5, 1.5) * self._pause)
                await asyncio.sleep(0.2)  # let it arrive before the connection ends
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def address(port: int, room: str) -> str:
    """A room of a node."""
    return f"ws://127.0.0.1:{port}/ws/room/{room}"


async def _ignore(speaker: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for _ in speaker:
            pass


async def _plain(url: str) -> ClientConnection:
    return await connect(url, compression=None, max_queue=None)


def judge(heard: Sequence[str], truth: Sequence[str], name: str = "") -> list[str]:
    """What should not be, in sentences: from its first message on, a client hears what the observer hears."""
    if not heard:
        return [f"{name} heard nothing"]
    if heard[0] not in truth:
        return [f"{name} heard {heard[0]}, and nobody else did"]
    expected = list(truth[truth.index(heard[0]) :])
    if list(heard) == expected:
        return []
    twice = len(heard) - len(set(heard))
    missing = len(set(expected) - set(heard))
    return [f"{name}: {twice} twice, {missing} missing, of {len(expected)}"]


def judge_by_speaker(reader: Reader) -> list[str]:
    """The same where there is no truth, since nodes were alone: of each speaker nothing twice, nothing out of turn, and
    nothing missing but where something was told lost."""
    found: list[str] = []
    latest: dict[str, tuple[int, int]] = {}
    for place, text in enumerate(reader.heard):
        speaker, number = text.split()[0], int(text.split()[1])
        before, at = latest.get(speaker, (number - 1, place))
        if number <= before:
            found.append(f"{text} came after {speaker} {before}")
        elif number != before + 1 and not any(at < lost <= place for lost in reader.lost_at):
            found.append(f"{text} came after {speaker} {before}, and nothing was told lost")
        latest[speaker] = number, place
    return found


def summary(readers: Sequence[Reader]) -> dict[str, Any]:
    """Figures of some readers together."""
    away = sorted(seconds for reader in readers for seconds in reader.away)
    return {
        "cuts": sum(reader.cuts for reader in readers),
        "messages": sum(len(reader.heard) for reader in readers),
        "recovered": sum(reader.recovered for reader in readers),
        "told lost": sum(len(reader.lost) for reader in readers),
        "back after, median ms": round(away[len(away) // 2] * 1000, 1),
        "back after, longest ms": round(away[-1] * 1000, 1),
    }
