"""Programs by hand, translated."""

from __future__ import annotations

from compiler.bytecode.program import Program
from compiler.bytecode.verifier import verify
from runtime.seam import Context
from runtime.translator import Translation, translate
from tests.assembly import Quiet, program


def translated(text: str, *, fuel: int = 100, marked: bool = False) -> Translation:
    """A hook's translation; its variables are n and m."""
    made = program(text, slots=["n", "m"], marked=marked)
    verify(made)
    return of(made, fuel)


def of(made: Program, fuel: int = 100) -> Translation:
    route = made.routes[0]
    return translate(made, route, route.hooks["on_message"], Context(Quiet(), fuel), "on_message")


def body(text: str, *, fuel: int = 100) -> list[str]:
    """The lines that a hook's instructions became."""
    lines = translated(text, fuel=fuel).text.splitlines()
    return [line[2:] for line in lines[lines.index(" try:") + 1 : -3]]
