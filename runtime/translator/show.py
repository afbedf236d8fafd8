"""Translated code for people to read: each line with the line of the route that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from compiler.bytecode.program import Chunk, Mark, Program, RouteProgram
from runtime.seam import Context
from runtime.translator.function import NotTranslatable, translate

_WIDTH: Final = 88
"""The column at which the lines of the route stand."""


class Nowhere:
    """A moment for code that is only looked at."""

    def now(self) -> float:
        """The beginning of time."""
        return 0.0

    def random_bytes(self, count: int) -> bytes:
        """Zeros."""
        return bytes(count)

    def environment(self, name: str) -> str | None:
        """Nothing is set."""
        return None

    def connections(self) -> int:
        """Nobody."""
        return 0

    def members(self, channel: str) -> Sequence[str]:
        """Nobody."""
        return ()

    def channel_size(self, channel: str) -> int:
        """Nobody."""
        return 0


def show(program: Program) -> Iterator[tuple[str, str]]:
    """For each hook of each route its name and its Python function as text, inner expressions first."""
    for route in program.routes:
        for name, chunk in route.hooks.items():
            yield name, "\n".join(_functions(program, route, chunk, name, inner=False))


def _functions(program: Program, route: RouteProgram, chunk: Chunk, name: str, *, inner: bool) -> Iterator[str]:
    for number, expression in enumerate(chunk.inner):
        yield from _functions(program, route, expression, f"inner_{number}", inner=True)
    try:
        made = translate(program, route, chunk, Context(Nowhere()), name, inner=inner)
    except (NotTranslatable, RecursionError) as refusal:
        yield f"# {name} is interpreted: Python takes no function that is nested so deep ({refusal})\n"
        return
    marks = (None if pc is None else chunk.source_map.mark(pc) for pc in made.pcs)
    yield "".join(_beside(line, mark) for line, mark in zip(made.text.splitlines(), marks, strict=True))


def _beside(line: str, mark: Mark | None) -> str:
    """A line of Python, and behind it where it came from."""
    return f"{line}\n" if mark is None else f"{line:<{_WIDTH}}  # {mark.line}:{mark.column}\n"
