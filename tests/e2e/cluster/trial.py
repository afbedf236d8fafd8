"""Three nodes on one store, clients that talk, and what is done to them meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.conftest import PROJECT
from tests.e2e.cluster.checker import Gap, Heard, Log
from tests.runtime.bus.valkey import Valkey, Wire, valkey

PATIENCE_SECONDS = 20.0
ROOMS = 5


@dataclass(slots=True)
class Node:
    """A node's process."""

    process: subprocess.Popen[str]
    events: Path
    port: int = 0
    name: str = ""

    def told(self) -> list[dict[str, Any]]:
        """The events it wrote until now, whole lines only."""
        text = self.events.read_text(encoding="utf-8") if self.events.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def stop(self) -> None:
        """Have it do nothing, with its connections open."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it go on where it was."""
        os.kill(self.process.pid, signal.SIGCONT)

    def ready(self) -> None:
        """Return when it serves."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.port, self.name = int(line.split()[0]), line.split()[1]

    def kill(self) -> None:
        """End it as nothing can be that has something to say."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@dataclass(slots=True)
class Trial:
    """A running cluster. Node C speaks to the store through a wire that can be cut."""

    store: Valkey
    wire: Wire
    nodes: list[Node]
    logs: list[Log] = field(default_factory=list)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    # Traffic.

    async def talk(
        self, clients: int, messages_a_second: float, what_happens: Callable[[Trial], Awaitable[None]]
    ) -> None:
        """Have clients talk until `what_happens` is over, and then be quiet and leave."""
        tasks = [asyncio.create_task(self._client(number, messages_a_second)) for number in range(clients)]
        visitors = [asyncio.create_task(self._visitors(number)) for number in range(4)]
        try:
            await what_happens(self)
        finally:
            self._ending.set()
            results = await asyncio.gather(*tasks, *visitors, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _client(self, number: int, messages_a_second: float) -> None:
        node = self.nodes[number % len(self.nodes)]
        log = Log(f"client{number}", node.name, f"room{number // len(self.nodes) % ROOMS}")
        self.logs.append(log)
        async with connect(f"ws://127.0.0.1:{node.port}/ws/room/{log.channel}", compression=None) as speaker:
            listening = asyncio.create_task(self._listen(speaker, log))
            said = 0
            with contextlib.suppress(ConnectionClosed):
                while not self._ending.is_set():
                    said += 1
                    await speaker.send(f"{log.client} {said}")
                    with contextlib.suppress(TimeoutError):
                        pause = random.uniform(0.5, 1.5) / messages_a_second
                        await asyncio.wait_for(self._ending.wait(), pause)
                await asyncio.sleep(1.5)
            log.ended = time.time()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    @staticmethod
    async def _listen(speaker: Any, log: Log) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                sender, number = str(await speaker.recv()).split()
                log.heard.append(Heard(time.time(), sender, int(number)))

    async def _visitors(self, number: int) -> None:
        """Come and go, at nodes that are not killed."""
        while not self._ending.is_set():
            node = self.nodes[1 + number % 2]
            async with connect(f"ws://127.0.0.1:{node.port}/ws/room/hall{number}", compression=None):
                await asyncio.sleep(random.uniform(0.1, 0.6))

    # What came of it.

    def gaps(self) -> list[Gap]:
        """All gaps that nodes told of."""
        return [
            Gap(event["time"], node.name, event["source"], event["channel"])
            for node in self.nodes
            for event in node.told()
            if event["event"] == "bus_gap"
        ]

    def hooks(self) -> tuple[set[str], Counter[str], Counter[str]]:
        """The connections that came, how often each left, and how often each left because its node was lost."""
        came: set[str] = set()
        left: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        for node in self.nodes:
            for event in node.told():
                if event["event"] == "log_line":
                    word, connection_id, *rest = event["message"].split()
                    if word == "came":
                        came.add(connection_id)
                    else:
                        left[connection_id] += 1
                        lost[connection_id] += "node_lost" in rest
        return came, left, +lost

    async def until(self, holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for something that is seen in the nodes' events."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.1)


@asynccontextmanager
async def cluster(lease_seconds: float, bug: str = "", size: int = 0) -> AsyncIterator[Trial]:
    """Three nodes; the first one may have a planted bug. With `size` channels keep so many messages."""
    with tempfile.TemporaryDirectory() as folder, valkey() as store:
        nodes: list[Node] = []
        async with Wire(store.port) as wire:
            try:
                for number, url in enumerate((store.url, store.url, wire.url)):
                    plant = bug if number == 0 else ""
                    nodes.append(start(url, Path(folder, f"{number}.ndjson"), lease_seconds, plant, size))
                for node in nodes:
                    await asyncio.to_thread(node.ready)
                yield Trial(store, wire, nodes)
            finally:
                for node in nodes:
                    node.kill()


def start(url: str, events: Path, lease_seconds: float, bug: str = "", size: int = 0) -> Node:
    """Start a node; it is there when it is `ready`."""
    command = [sys.executable, "-m", "tests.e2e.cluster.node", url, str(events), str(lease_seconds), bug, str(size)]
    return Node(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT), events)
