"""A chunk as one Python function: its text, its compiled code, and the names that the code needs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Final

from compiler.bytecode.program import Chunk, Program, RouteProgram
from runtime.seam import Context
from runtime.translator.places import relocate
from runtime.translator.statements import StatementTranslator
from runtime.translator.support import NAMES

PLACES: Final = "PLACES"
"""The name by which all translated code, and nothing else, knows its places in the source."""
_CLOSING: Final = 3
"""Lines behind those of the instructions: the handler that gives faults their marks."""


class NotTranslatable(Exception):
    """Python refuses a function that is nested as deep as this chunk."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A translated chunk: Python text, its code with the places of the source, and what it names.

    `pcs` has the instruction of each line, None for what belongs to none.
    """

    text: str
    pcs: tuple[int | None, ...]
    code: CodeType
    names: Mapping[str, Any]


def translate(
    program: Program, route: RouteProgram, chunk: Chunk, context: Context, name: str, *, inner: bool = False
) -> Translation:
    """Translate a chunk that `verify` accepts. Raises NotTranslatable."""
    made = StatementTranslator(program, route, chunk, context.moment, fuel=context.fuel, inner=inner)
    made.run(0, len(chunk.code))
    text, pcs = _text(made, name, inner)
    code = _compiled(text)
    filename = program.source_name or f"<{route.name}>"
    code, places = relocate(code, pcs, chunk, name, filename)
    names = {key: NAMES[key] for key in code.co_names if key in NAMES} | made.names
    names[PLACES] = places
    for number, expression in enumerate(chunk.inner):
        names[f"inner_{number}"] = _inner(program, route, expression, context, number)
    own = len(made.out.lines)
    around = len(pcs) + 1 - own
    first = around - _CLOSING if own else 0
    shown = (*([None] * first), *made.out.pcs, *([None] * (len(pcs) + 1 - first - own)))
    return Translation(text, shown, code, names)


def _inner(program: Program, route: RouteProgram, chunk: Chunk, context: Context, number: int) -> FunctionType:
    made = translate(program, route, chunk, context, f"inner_{number}", inner=True)
    return FunctionType(made.code, dict(made.names))


def _text(made: StatementTranslator, name: str, inner: bool) -> tuple[str, list[int]]:
    """The whole function, and for each line but the first its instruction."""
    keyword = "async def" if made.chunk.waits else "def"
    parameters = "tank, l0" if inner else "inputs, slots, emit"
    opening: list[str] = []
    if inner:
        opening = [f" if not tank[0]: raise out_of_fuel({made.fuel})", " tank[0] -= 1"]
    elif made.uses_tank:
        opening = [f" tank = [{made.fuel}]"]
    elif made.layout.burners and not made.single:
        opening = [f" fuel = {made.fuel}"]
    body = ["  " + line for line in made.out.lines] or ["  pass"]
    closing = [" except LEAVING as problem:", "  leave(problem, PLACES)", "  raise"]
    lines = [f"{keyword} {name}({parameters}):", *opening, " try:", *body, *closing]
    pcs = [0] * (len(opening) + 1) + (made.out.pcs or [0]) + [0] * len(closing)
    return "\n".join(lines) + "\n", pcs


def _compiled(text: str) -> CodeType:
    """The code of the one function in a text. Raises NotTranslatable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = compile(text, "<translated>", "exec", dont_inherit=True)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise NotTranslatable(str(error)) from error
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
