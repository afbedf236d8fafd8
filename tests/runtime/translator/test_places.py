"""Lines and marks of translated code: Python's own tracebacks and faults lead to the route's file."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import Any

import pytest

from compiler.bytecode.program import Mark, SourceMap
from compiler.language.faults import Fault
from runtime import translator
from runtime.seam import Context
from tests.assembly import Performed, Quiet, inputs, program

TEXT = "CONST 'a' ; FALSE ; EMIT send ; DROP ; NULL ; CONST 1 ; SUB ; RETURN"


def hook_at(*lines: int) -> Any:
    """The hook with its instructions on these lines."""
    made = program(TEXT, marked=True)
    route = made.routes[0]
    chunk = route.hooks["on_message"]
    marks = tuple(Mark(line, 300 + line, line + line % 2, 301 + line, f"Op.f{line}") for line in lines)
    chunk = replace(chunk, source_map=SourceMap(marks))
    return translator.build_hook(made, replace(route, hooks={"on_message": chunk}), chunk, Context(Quiet()))


def test_a_fault_has_the_mark_of_its_instruction() -> None:
    with pytest.raises(Fault) as caught:
        hook_at(14, 14, 14, 14, 9, 9, 70_000, 9)(inputs(), [], Performed().emit)
    assert caught.value.mark == Mark(70_000, 70_300, 70_000, 70_301, "Op.f70000")


def test_a_bug_shows_the_route_in_the_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        hook_at(5, 5, 14, 5, 5, 5, 5, 5)(inputs(), [], Performed({"send": KeyError("bug")}).emit)
    shown = [(frame.filename, frame.lineno, frame.name) for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert ("routes/test.yaml", 14, "on_message") in shown


def test_columns_are_those_of_the_mark() -> None:
    with pytest.raises(Fault) as caught:
        hook_at(2, 2, 2, 2, 2, 2, 7, 2)(inputs(), [], Performed().emit)
    frames = traceback.extract_tb(caught.value.__traceback__)
    (frame,) = [frame for frame in frames if frame.filename == "routes/test.yaml"]
    assert (frame.lineno, frame.end_lineno, frame.colno, frame.end_colno) == (7, 8, 306, 307)


def test_a_stripped_program_has_no_marks() -> None:
    made = program(TEXT)
    route = made.routes[0]
    hook: Any = translator.build_hook(made, route, route.hooks["on_message"], Context(Quiet()))
    with pytest.raises(Fault) as caught:
        hook(inputs(), [], Performed().emit)
    assert caught.value.mark is None
