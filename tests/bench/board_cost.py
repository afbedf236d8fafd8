"""What looking costs the server: its CPU time per message with and without somebody who looks.

    python -m tests.bench.board_cost [--blocks 15] [--seconds 2] [board typing connection console nobody]

One server with 1 000 connections in 100 rooms takes 5 000 messages a second, each answered by one frame. Other numbers:
`--connections`, `--rate`; with a rate of 0 each connection sends as soon as it is answered. Who looks:

    board       the live board of `worpen dev`, at a terminal of 80×24, as it is when it opens
    typing      the same, with somebody who moves the mark all the time, so that it draws as often as it ever does
    connection  the same, looking into one of the connections that talk: its frames, hook runs, variables
    console     the browser console's feed, with one of the connections watched
    nobody      nothing at all, which shows how far off the measurement itself is: it should find 1.000

What is measured is the CPU time of the server's process (the board and the browser are others) on a core of its own;
load, board and all else have the other one. Nothing queues at that rate, so the server's time per message says what it
could do at most: a ratio of 1.03 is 3 % of its throughput. With `--rate 0` it does all it can, and the rates say the
same, where nothing else runs on the machine and the load does not take longer than the server.

The server's process is the same in all turns, since two would differ by more than the board costs, by where their
memory lies; the board's process is too: while nobody is to look it is stopped, and the server's side of it is closed.
Time in which it is stopped counts for it between two pictures, so that there are rather more than usual in a turn.
Turns are short and mirrored: see `pairs`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import pexpect
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.loader import link
from runtime.server.catalogue import entries_of
from runtime.server.console import FEED
from runtime.server.settings import Settings
from tests.bench import chased, paced
from tests.bench.paced import Client, Turn, connected
from tests.bench.pairs import estimate, mirrored, pin, spent
from worpen_cli.board.exchange import Ask, Order, Reply
from worpen_cli.board.feed import Feed
from worpen_cli.board.launch import RunningBoard

PROJECT: Final = Path(__file__).parents[2]
MOST: Final = 1.03
SERVER_CORE, OTHER_CORE = 0, 1
SETTLE: Final = 0.1
"""Seconds in which what was asked before is answered."""
KEY_SECONDS: Final = 0.05
"""Between two keys: less than the board takes from picture to picture."""
WARM: Final = 2
"""So many turns go before those that count."""
TOKEN: Final = "0123456789abcdef"
ROOMS: Final = 100
ROUTE: Final = """\
name: Echo
path: /ws/players/:room
route_type: WebSocket
ws_hooks:
  on_connect:
    - WsOp: {command: subscribe, channel: "{{ params.room }}"}
  on_message:
    - WsOp: {command: send, message: "{{ message }}"}
"""


# The server's process.


class Attached:
    """A board whose feed can be closed and opened while its process goes on."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.feed = self._open()
        self._running = RunningBoard(self._answer, self._obey, color=True)

    def _open(self) -> Feed:
        return Feed(self._app, lambda: "ws://localhost")

    def _answer(self, ask: Ask) -> Reply:
        return self.feed.reply(ask)

    def _obey(self, order: Order) -> None:
        raise AssertionError(f"nobody ordered {order}")

    def look(self) -> None:
        """Begin to look."""
        self.feed = self._open()

    def look_away(self) -> None:
        """Look no more."""
        self.feed.close()


async def serve() -> None:
    """Be the server, with a board: looks at SIGUSR1, away at SIGUSR2, until it is killed."""
    compilation = compile_source("echo.yaml", ROUTE.encode(), CompilerSettings())
    assert compilation.program is not None
    app = App(Settings(port=0, console_token=TOKEN))
    await app.start(entries_of(link(compilation.program, app.context)))
    board = Attached(app)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, board.look)
    loop.add_signal_handler(signal.SIGUSR2, board.look_away)
    print(f"port {app.addresses[0][1]}.", flush=True)
    await asyncio.Event().wait()


# Who looks.


class Onlooker(Protocol):
    """Somebody who looks now and then."""

    async def look(self) -> None:
        """Begin."""

    async def look_away(self) -> None:
        """End."""

    @property
    def seen(self) -> int:
        """A number that grows while somebody looks, and only then."""


class Nobody:
    """Does not look."""

    seen = 0

    async def look(self) -> None:
        """Do nothing."""

    async def look_away(self) -> None:
        """Do nothing."""


class Bench:
    """The server's process and the board's, and the terminal between."""

    def __init__(self) -> None:
        own = ["-m", "tests.bench.board_cost", "--serve"]
        self._spawned = pexpect.spawn(sys.executable, own, dimensions=(24, 80), timeout=30, cwd=str(PROJECT))
        self._spawned.expect(r"port (\d+)\.")
        self.port = int(self._spawned.match.group(1))
        self.server: int = self._spawned.pid
        (self.board,) = map(int, Path(f"/proc/{self.server}/task/{self.server}/children").read_text().split())
        self.drawn = 0
        self._last = b""
        pin(self.server, SERVER_CORE)
        pin(self.board, OTHER_CORE)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Be a terminal that takes all that is written to it."""
        try:
            while data := os.read(self._spawned.child_fd, 65_536):
                self._last = (self._last + data)[-65_536:]
                self.drawn += len(data)
        except OSError:
            return

    async def shows(self, text: bytes) -> None:
        """Return when the board has drawn a text. Raises TimeoutError."""
        async with asyncio.timeout(10):
            while text not in self._last:  # noqa: ASYNC110 (another thread reads)
                await asyncio.sleep(0.1)

    def type(self, keys: str) -> None:
        """Type at the board; what it drew before is forgotten."""
        self._last = b""
        self._spawned.send(keys)

    async def look(self) -> None:
        """Have the board go on."""
        os.kill(self.server, signal.SIGUSR1)
        os.kill(self.board, signal.SIGCONT)

    async def look_away(self) -> None:
        """Have the board do nothing."""
        os.kill(self.board, signal.SIGSTOP)
        await asyncio.sleep(SETTLE)
        os.kill(self.server, signal.SIGUSR2)

    @property
    def seen(self) -> int:
        """Bytes drawn."""
        return self.drawn

    def end(self) -> None:
        """End both processes."""
        self._spawned.close(force=True)


class Typing:
    """Somebody at the board who holds keys down."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._typing: asyncio.Task[None] | None = None

    @property
    def seen(self) -> int:
        """Bytes drawn."""
        return self._bench.seen

    async def look(self) -> None:
        """Have the board go on, and type."""
        await self._bench.look()
        self._typing = asyncio.create_task(self._type())

    async def _type(self) -> None:
        for key in itertools.cycle("jjjkkk"):
            self._bench.type(key)
            await asyncio.sleep(KEY_SECONDS)

    async def look_away(self) -> None:
        """Type no more, and have the board do nothing."""
        if self._typing is not None:
            self._typing.cancel()
            self._typing = None
        await self._bench.look_away()


class Console:
    """A browser's feed, with one connection watched."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reading: asyncio.Task[None] | None = None
        self.seen = 0

    async def look(self) -> None:
        """Open it."""
        host = f"localhost:{self._port}"
        origin = Origin(f"http://{host}")
        socket = await connect(f"ws://{host}{FEED}?token={TOKEN}", origin=origin, max_size=None)
        snapshot = json.loads(await socket.recv())
        watched = snapshot["connections"]["list"][0]["id"]
        await socket.send(json.dumps({"ask": "watch", "id": watched}))
        self._reading = asyncio.create_task(self._read(socket))
        await asyncio.sleep(SETTLE)

    async def _read(self, socket: ClientConnection) -> None:
        async with socket:
            async for _ in socket:
                self.seen += 1

    async def look_away(self) -> None:
        """Close it."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            self._reading = None


@asynccontextmanager
async def onlooker(kind: str, bench: Bench) -> AsyncIterator[Onlooker]:
    """Somebody of this kind, who does not look yet."""
    match kind:
        case "board" | "typing":
            await bench.look_away()
            yield bench if kind == "board" else Typing(bench)
            await bench.look()
        case "connection":
            bench.type("\r")
            await bench.shows(b"on_message #")
            await bench.look_away()
            yield bench
            await bench.look()
            bench.type("\x1b")
            await bench.shows(b"2 connections")
        case _:
            await bench.look_away()
            yield Console(bench.port) if kind == "console" else Nobody()
            await bench.look()


# The measurement.


Load: TypeAlias = Callable[[float], Coroutine[Any, Any, Turn]]
"""Sends for so many seconds."""


def make_load(clients: Sequence[Client], process: int, rate: float) -> Load:
    """A load of so many messages a second, or of as many as are answered (0)."""
    if rate:
        return lambda seconds: paced.turn(clients, process, rate, seconds)
    groups = [chased.Group([client], 1) for client in clients]
    return lambda seconds: chased.turn(groups, process, seconds)


async def compare(kind: str, bench: Bench, load: Load, options: argparse.Namespace) -> bool:
    """Measure and print what one kind costs; whether that is little enough."""
    found: dict[bool, list[Turn]] = {True: [], False: []}
    own, pictured, is_looking = 0.0, 0, False
    # The connection that is looked into has something to show meanwhile.
    talking = asyncio.create_task(load(WARM * options.seconds))
    async with onlooker(kind, bench) as somebody:
        await talking
        for _, looks in mirrored(options.blocks):
            if looks != is_looking:
                await (somebody.look() if looks else somebody.look_away())
                is_looking = looks
            seen, board = somebody.seen, spent(bench.board)
            found[looks].append(await load(options.seconds))
            own += (spent(bench.board) - board).ran
            assert looks or somebody.seen == seen, f"{kind}: somebody looked"
            pictured += somebody.seen > seen
        if is_looking:
            await somebody.look_away()
    assert pictured >= options.blocks / 2 or kind == "nobody", f"{kind}: nobody looked"
    print(f"{kind}: {options.connections:,} connections")
    _print(found, own / (len(found[True]) * options.seconds))
    rates, costs = (_ratios(found, name) for name in ("rate", "microseconds"))
    print(f"  messages a second, with / without: {estimate(rates)}")
    print(f"  CPU per message, with / without: {estimate(costs)}, {len(costs)} blocks")
    return estimate(costs).middle <= MOST


def _ratios(found: dict[bool, list[Turn]], name: str) -> list[float]:
    """With by without, one for each block."""
    both = ([getattr(turn, name) for turn in found[looks]] for looks in (True, False))
    looked, alone = ([sum(values[at : at + 2]) for at in range(0, len(values), 2)] for values in both)
    return [one / other for one, other in zip(looked, alone, strict=True)]


def _print(found: dict[bool, list[Turn]], board: float) -> None:
    for looks, turns in found.items():
        cost, rate, busy, disturbed = (
            statistics.median(getattr(one, name) for one in turns)
            for name in ("microseconds", "rate", "busy", "disturbed")
        )
        own = f", the board {board:.1%}" if looks and board else ""
        print(
            f"  {'with' if looks else 'without':8}{cost:6.2f} µs a message at {rate:,.0f} messages/s; "
            f"the server had {busy:.1%} of its core{own}, and waited {disturbed:.1%} of the time for it"
        )


async def measure(options: argparse.Namespace) -> int:
    """Measure all that is asked for; 1 where one costs too much."""
    pin(os.getpid(), OTHER_CORE)
    bench = Bench()
    try:
        paths = (f"/ws/players/{number % ROOMS}" for number in range(options.connections))
        clients = await connected(bench.port, paths)
        await bench.shows(b"Echo@1")
        load = make_load(clients, bench.server, options.rate)
        return int(not all([await compare(kind, bench, load, options) for kind in options.kinds]))
    finally:
        bench.end()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=["board", "typing", "connection", "console", "nobody"])
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=5_000, help="messages a second, all connections together")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_intermixed_args()
    if options.serve:
        uvloop.run(serve())
        return 0
    return uvloop.run(measure(options))


if __name__ == "__main__":
    sys.exit(main())
