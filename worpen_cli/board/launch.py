"""The server's hold on its board: starts the process, answers it, and sees that the terminal is what it was.

The board restores the terminal by itself whenever it can; where it was killed, it is done here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from worpen_cli.board import exchange
from worpen_cli.board.exchange import Ask, Order, Reply

RESTORE: Final = "\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[?2004l\x1b[0m"
"""Leaves the alternate screen, shows the cursor, wraps lines, does not mark pastes, draws plainly."""
LEAVE_SECONDS: Final = 3.0
"""A board that has not left after this long is killed."""
POLL_SECONDS: Final = 0.01
_PROGRAM: Final = (
    "import sys; sys.path[:] = eval(sys.argv[1]); from worpen_cli.board.screen import begin; begin(sys.argv[2:])"
)
"""Run with the path of this process, so that it is the same worpen, and nothing from the working folder."""


def is_possible(environment: dict[str, str]) -> bool:
    """Whether there is a terminal to draw on, with somebody before it."""
    if sys.platform == "win32" or environment.get("CI", "") not in ("", "0", "false"):
        return False
    return sys.stdin.isatty() and sys.stdout.isatty() and environment.get("TERM", "dumb") != "dumb"


class RunningBoard:
    """A board that runs. `answer` is called with its questions, `obey` with its orders; `ended` is set when it is over,
    for whatever reason."""

    def __init__(self, answer: Callable[[Ask], Reply], obey: Callable[[Order], None], *, color: bool) -> None:
        import termios

        self.ended = asyncio.Event()
        self._reply = answer
        self._obey = obey
        self._terminal = (sys.stdin.fileno(), sys.stdout.fileno())
        self._mode = termios.tcgetattr(self._terminal[0])
        ours, theirs = socket.socketpair()
        self._process = self._start(theirs, color=color)
        theirs.close()
        self._task = asyncio.create_task(self._answer(ours))

    def _start(self, end: socket.socket, *, color: bool) -> subprocess.Popen[bytes]:
        descriptors = (end.fileno(), *self._terminal)
        words = [repr(sys.path), *map(str, descriptors), "color" if color else "plain"]
        return subprocess.Popen([sys.executable, "-P", "-c", _PROGRAM, *words], pass_fds=descriptors)

    async def _answer(self, ours: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            while True:
                message: tuple[Sequence[Order], Ask] = await exchange.receive(reader)
                for order in message[0]:
                    self._obey(order)
                writer.write(exchange.packed(self._reply(message[1])))
        except EOFError:
            pass
        finally:
            writer.close()
            self.ended.set()

    async def end(self) -> int:
        """Have the board leave, and restore the terminal; its exit code, 0 where it left in good order."""
        self._task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._task
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                code = await self._left()
        except TimeoutError:
            self._process.kill()
            code = await self._left()
        self._restore(code)
        return code

    async def _left(self) -> int:
        """Its exit code, once it has ended. Not by a thread of the loop: all of them may hang."""
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 (a process sets no event)
            await asyncio.sleep(POLL_SECONDS)
        return code

    def _restore(self, code: int) -> None:
        import termios

        ignored: Any = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            if code != 0:
                with suppress(OSError):
                    os.write(self._terminal[1], RESTORE.encode())
            with suppress(termios.error):
                termios.tcsetattr(self._terminal[0], termios.TCSADRAIN, self._mode)
        finally:
            signal.signal(signal.SIGTTOU, ignored)
