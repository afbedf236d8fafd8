"""Collects the lines of a Python function, each with the instruction that it came from.

Blocks are laid out when they end: `wrap` indents what was written since they began and puts their opening before it.
So nobody needs to know beforehand whether a branch has lines at all.
"""

from __future__ import annotations

from typing import Final

_STEP: Final = " "


class CodeWriter:
    """Lines of Python; `pc` is the instruction that the next ones belong to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pcs: list[int] = []
        self.pc = 0

    @property
    def place(self) -> int:
        """How many lines there are: the place of the next one."""
        return len(self.lines)

    def write(self, line: str) -> None:
        """One more line."""
        self.lines.append(line)
        self.pcs.append(self.pc)

    def wrap(self, place: int, opening: str, pc: int) -> None:
        """Put the lines from a place on under an opening, which belongs to the instruction `pc`."""
        body = [_STEP + line for line in self.lines[place:]] or [_STEP + "pass"]
        pcs = self.pcs[place:] or [pc]
        self.lines[place:] = [opening, *body]
        self.pcs[place:] = [pc, *pcs]

    def insert(self, place: int, line: str, pc: int) -> None:
        """Put a line before those from a place on."""
        self.lines.insert(place, line)
        self.pcs.insert(place, pc)

    def cut(self, place: int) -> None:
        """Take back all lines from a place on."""
        del self.lines[place:]
        del self.pcs[place:]
