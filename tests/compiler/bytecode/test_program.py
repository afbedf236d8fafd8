"""Programs as values."""

from __future__ import annotations

from dataclasses import replace

from compiler.bytecode.program import LoadError, Mark, SourceMap
from compiler.diagnostics import codes
from tests.assembly import program

MADE = program(
    "CONST [] ; INNER {LOCAL 0 ; RETURN} ; CALL map/2 ; RETURN", slots=["n"], templates=["SLOT n ; RETURN"], marked=True
)


def test_chunks_come_with_their_inner_expressions() -> None:
    route = MADE.routes[0]
    hook = route.hooks["on_message"]
    assert list(route.chunks) == [route.membership.templates[0], hook, hook.inner[0]]


def test_equality_leaves_the_spelling_out() -> None:
    route = MADE.routes[0]
    bare = replace(route.hooks["on_message"], source_map=SourceMap(), local_names=())
    twin = replace(MADE, source_name="", source_hash="", routes=(replace(route, hooks={"on_message": bare}),))
    assert twin == MADE


def test_marks_of_instructions() -> None:
    mark = Mark(3, 5, 3, 9, "If.condition")
    assert SourceMap((mark,)).mark(0) is mark
    assert SourceMap((mark,)).mark(1) is None
    assert SourceMap().mark(0) is None
    assert mark.operation == "If"
    assert replace(mark, field="").operation is None


def test_a_refusal_has_a_code_and_a_sentence() -> None:
    error = LoadError(codes.DAMAGED_PROGRAM, "the file ends too early")
    assert (error.code, error.message, str(error)) == (
        codes.DAMAGED_PROGRAM,
        "the file ends too early",
        "the file ends too early",
    )
