"""One process of clients: `python -m tests.bench.soak.generator PORT CLIENTS HOSTILE SLEEPERS LIFE PAUSE SEED`.

Obeys lines on its input, each answered by a line of JSON: `go`, `rest` (nothing begins any more; answered when nobody
is in the middle of anything), `count`, `sleep` (hooks wait; answered at once), `end` (everybody leaves).
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

from tests.bench.soak.clients import ROOM_SIZE, Client, Floor, Member, Sleeper
from tests.bench.soak.hostile import Hostile

MEMBERS = 0.2
"""The share of clients that are in rooms."""
LATE_SECONDS = 2.0
ARRIVALS_A_SECOND = 150
"""Of each process, at the beginning: less than the server admits."""


class Generator:
    """The clients of this process."""

    def __init__(self, floor: Floor, clients: int, hostile: int, sleepers: int, seed: int) -> None:
        self.floor = floor
        members = round(clients * MEMBERS)
        chances = (random.Random(seed * 100_003 + number) for number in range(clients + hostile + sleepers))
        rooms = max(1, members // ROOM_SIZE)
        self.sleepers = [Sleeper(floor, next(chances)) for _ in range(sleepers)]
        self.crowd: list[Client] = [
            *(Member(floor, next(chances), rooms) for _ in range(members)),
            *(Client(floor, next(chances)) for _ in range(clients - members)),
            *(Hostile(floor, next(chances)) for _ in range(hostile)),
        ]
        self.tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Let all come, some at a time."""
        for one in self.sleepers:
            await self.floor.act(one.come)
        self.keep(self.arrive())
        self.keep(self.watch_the_clock())

    async def watch_the_clock(self) -> None:
        """Tell when this process stood still for so long that the server must have taken clients for dead."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.5)
            late = time.monotonic() - before - 0.5
            if late > LATE_SECONDS:
                self.floor.notes.append(f"the clients themselves stood still for {late:.1f} s: other programs ran")

    async def arrive(self) -> None:
        """Start the clients in random order."""
        random.Random(7).shuffle(self.crowd)
        for one in self.crowd:
            self.keep(one.run())
            await asyncio.sleep(1 / ARRIVALS_A_SECOND)

    def keep(self, work: Any) -> None:
        """Run beside everything else."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.done)

    def done(self, task: asyncio.Task[None]) -> None:
        """Note what broke a client."""
        self.tasks.discard(task)
        if not task.cancelled() and (exception := task.exception()) is not None:
            self.floor.wrong(f"a client broke: {exception!r}")

    async def obey(self, command: str) -> dict[str, Any]:
        """Do what a line says; what it is answered by."""
        match command:
            case "go":
                self.floor.may_act.set()
                if not self.tasks:
                    await self.begin()
            case "rest" | "end":
                self.floor.may_act.clear()
                while self.floor.acting:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.02)
                if command == "end":
                    await self.leave()
            case "sleep":
                for one in self.sleepers:
                    self.keep(one.sleep())
            case _:
                pass
        return {"open": self.floor.open, "tally": self.floor.tally, "notes": self.floor.notes}

    async def leave(self) -> None:
        """Everybody aborts: what is open now ends without a word."""
        self.floor.is_over = True
        for task in list(self.tasks):
            task.cancel()
        for one in (*self.sleepers, *self.crowd):
            if hasattr(one, "wire") and not one.wire.writer.transport.is_closing():
                one.wire.drop()
                self.floor.ended(1006)


async def main(port: int, clients: int, hostile: int, sleepers: int, life: float, pause: float, seed: int) -> None:
    """Obey until the input ends."""
    generator = Generator(Floor(port, life, pause), clients, hostile, sleepers, seed)
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(await generator.obey(line.decode().strip())), flush=True)


if __name__ == "__main__":
    import uvloop

    *whole, life, pause, seed = sys.argv[1:]
    port, clients, hostile, sleepers = map(int, whole)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(port, clients, hostile, sleepers, float(life), float(pause), int(seed)))
