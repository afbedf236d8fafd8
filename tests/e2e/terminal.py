"""Run worpen at a terminal, and read what stands on its screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

from tests.canary import look
from tests.e2e.cli import TIMEOUT, command_line, environment

ROWS, COLUMNS = 30, 100
LONGEST_SECRET = 1024
"""Bytes of what was written that are looked at again with what follows."""


class _Screen(pyte.Screen):
    """A screen that answers when it is asked where its cursor is, as terminals do."""

    answer: Callable[[str], object] = staticmethod(len)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """A process at a terminal of its own."""

    def __init__(
        self, *arguments: str | Path, cwd: Path, rows: int = ROWS, columns: int = COLUMNS, **variables: str
    ) -> None:
        program, *rest = command_line(*arguments)
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.process = pexpect.spawn(
            program, list(rest), cwd=str(cwd), env=environment(**variables), dimensions=(rows, columns), timeout=TIMEOUT
        )
        self._screen.answer = self.process.send
        self._last = b""

    @property
    def text(self) -> str:
        """What stands on the screen, without blanks at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def line_with(self, text: str) -> str:
        """The first line of the screen that holds a text."""
        return next(line for line in self.text.splitlines() if text in line)

    def style_of(self, text: str) -> list[pyte.screens.Char]:
        """How the characters of a text stand on the screen, where it stands first."""
        for row in range(self._screen.lines):
            if (column := self._screen.display[row].find(text)) >= 0:
                return [self._screen.buffer[row][column + offset] for offset in range(len(text))]
        raise AssertionError(f"no {text!r} in:\n{self.text}")

    def wait_for(self, text: str) -> None:
        """Return when a text stands on the screen; fail after the time limit."""
        deadline = time.monotonic() + TIMEOUT
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.text}"
            self._read()

    def until(self, holds: Callable[[], bool]) -> None:
        """Return when something holds of the screen; fail after the time limit."""
        deadline = time.monotonic() + TIMEOUT
        while not holds():
            assert time.monotonic() < deadline, f"not so:\n{self.text}"
            self._read()

    def insist_on(self, wanted: str | Callable[[], bool], keys: str, undo: str) -> None:
        """Type keys, and take them back and type them again, until a text stands on the screen, or something holds."""
        holds = wanted if callable(wanted) else lambda: wanted in self.text
        deadline = time.monotonic() + TIMEOUT
        while True:
            self.type(keys)
            pause = time.monotonic() + 0.5
            while time.monotonic() < pause:
                self._read()
                if holds():
                    return
            assert time.monotonic() < deadline, f"not so:\n{self.text}"
            self.type(undo)

    def type(self, keys: str) -> None:
        """Send keys."""
        self.process.send(keys)

    def end(self) -> int | None:
        """Wait for the process to end; its exit code."""
        deadline = time.monotonic() + TIMEOUT
        while self._read():
            assert time.monotonic() < deadline, f"still running:\n{self.text}"
        self.process.close()
        status: int | None = self.process.exitstatus
        return status

    def _read(self) -> bool:
        """Take what has been written; False after the end."""
        try:
            written = self.process.read_nonblocking(4096, timeout=0.1)
            look("a terminal", self._last + written)
            self._last = written[-LONGEST_SECRET:]
            self._stream.feed(written)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True
