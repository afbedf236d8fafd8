"""The board's process: asks the server, draws, passes keys on, and leaves the terminal as it was.

It ends when the server closes the socket, on signals, and when the terminal is gone. Nothing here is shared with the
server but the socket and the terminal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from worpen_cli.board import exchange
from worpen_cli.board.exchange import Ask, Order, Reply
from worpen_cli.board.keys import Stroke, raw_keys
from worpen_cli.board.model import Board, press, question, take
from worpen_cli.board.view import draw, rooms

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

LEAST_SECONDS: Final = 0.1
"""Between two pictures, whatever is typed."""
IDLE_SECONDS: Final = 0.4
"""Between two pictures while nothing is typed."""
BUSY_SECONDS: Final = 1.0
"""The same while the server has much to do, so that it can."""
BUSY_RATE: Final = 1_000.0
"""Messages a second, in and out, that are much."""
PATIENCE_SECONDS: Final = 2.0
"""A server that has not answered for so long hangs."""
NICENESS: Final = 5
"""The server goes before its board where both want the same core."""
BEGIN: Final = "\x1b[?7l\x1b[?2004h"
"""Lines do not wrap, so that a character of a width we do not know spoils one line at most; pastes are marked."""
END: Final = "\x1b[?7h\x1b[?2004l"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if sys.platform != "win32" else ()


class Screen:
    """One board at one terminal."""

    _task: asyncio.Future[None]

    def __init__(self, terminal: tuple[int, int], console: Console) -> None:
        """`terminal`: descriptors to read keys from and to draw on."""
        self._keys, self._canvas = terminal
        self._console = console
        self._board = Board()
        self._orders: list[Order] = []
        self._woken = asyncio.Event()
        self._ended = False
        self._asked_at = 0.0

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Draw until there is no server, no terminal, or a signal."""
        self._task = asyncio.ensure_future(self._draw_on(reader, writer))
        with suppress(EOFError, ConnectionError, asyncio.CancelledError):
            await self._task

    async def _draw_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._signals(), self._drawing() as live, raw_keys(self._keys, self._press, self._end):
            while not self._ended:
                await self._draw_once(reader, writer, live)
                await self._rest()

    async def _draw_once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, live: Live) -> None:
        size = self._size()
        self._board, ask = question(self._board, rooms(self._board, *size))
        orders, self._orders = self._orders, []
        message: tuple[Sequence[Order], Ask] = (orders, ask)
        writer.write(exchange.packed(message))
        self._asked_at = time.monotonic()
        reply: Reply = await exchange.receive(reader)
        self._asked_at = 0.0
        self._board = take(self._board, reply)
        self._console.size = size
        live.update(draw(self._board, *size), refresh=True)

    async def _rest(self) -> None:
        await asyncio.sleep(LEAST_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._pause() - LEAST_SECONDS)
        self._woken.clear()

    def _pause(self) -> float:
        reply = self._board.reply
        is_busy = reply is not None and reply.totals.received_rate + reply.totals.sent_rate > BUSY_RATE
        return BUSY_SECONDS if is_busy else IDLE_SECONDS

    def _size(self) -> tuple[int, int]:
        try:
            return os.get_terminal_size(self._canvas)
        except OSError:
            return 80, 24

    # What happens meanwhile.

    def _press(self, strokes: Sequence[Stroke]) -> None:
        for stroke in strokes:
            if stroke.key == "ctrl-c" and self._is_unanswered():
                self._task.cancel()  # with the terminal as it was, another Ctrl-C reaches the server itself
            self._board, orders = press(self._board, stroke)
            self._orders += orders
        self._woken.set()

    def _is_unanswered(self) -> bool:
        """Whether the server seems to hang."""
        return self._asked_at > 0 and time.monotonic() - self._asked_at > PATIENCE_SECONDS

    def _end(self) -> None:
        self._ended = True
        self._woken.set()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._task.cancel)
        loop.add_signal_handler(signal.SIGWINCH, self._woken.set)
        yield

    @contextmanager
    def _drawing(self) -> Iterator[Live]:
        from rich.live import Live

        with ExitStack() as stack:
            stack.callback(self._write, END)
            self._write(BEGIN)
            live = Live(
                console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False,
                vertical_overflow="crop",
            )  # fmt: skip
            yield stack.enter_context(live)

    def _write(self, codes: str) -> None:
        with suppress(OSError):
            os.write(self._canvas, codes.encode())


def make_console(canvas: int, *, color: bool) -> Console:
    """A rich console that draws on this descriptor."""
    from rich.console import Console

    file = os.fdopen(os.dup(canvas), "w", encoding="utf-8", errors="backslashreplace")
    return Console(
        file=file, force_terminal=True, no_color=not color, highlight=False, markup=False, emoji=False,
        legacy_windows=False,
    )  # fmt: skip


async def main(server: socket.socket, terminal: tuple[int, int], *, color: bool) -> None:
    """Be the board of the server at the other end of this socket."""
    reader, writer = await asyncio.open_unix_connection(sock=server)
    console = make_console(terminal[1], color=color)
    with console.file, closing(writer):
        await Screen(terminal, console).run(reader, writer)


def begin(arguments: Sequence[str]) -> None:
    """Run the process: the socket's descriptor, those of the terminal, and `color` or `plain`."""
    os.nice(NICENESS)
    server, keys, canvas = map(int, arguments[:3])
    asyncio.run(main(socket.socket(fileno=server), (keys, canvas), color=arguments[3] == "color"))
