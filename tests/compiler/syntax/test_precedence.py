from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.syntax.parser import parse_expression
from compiler.syntax.precedence import misleading_parts
from compiler.syntax.suspicions import edited
from tests.compiler.syntax.outline import outline


@pytest.mark.parametrize(
    ("source", "places", "meant"),
    [
        ("!message | contains('x')", [0], "!(message | contains('x'))"),
        ("a && !b.c | trim | f && d", [5], "a && !(b.c | trim | f) && d"),
        ("f(!a | g, !b | h)", [2, 10], "f(!(a | g), !(b | h))"),
        ("x == 'a' || 'b'", [12], "x == 'a' || x == 'b'"),
        ("c && x.y == 1 || 2", [], None),
        ("[x == 1 || 2.5]", [11], "[x == 1 || x == 2.5]"),
        ("!x == 1 || 'a'", [11], "!x == 1 || !x == 'a'"),
    ],
)
def test_what_binds_otherwise_than_it_looks(source: str, places: list[int], meant: str | None) -> None:
    tree, problems = parse_expression(source)
    assert tree is not None
    assert [(problem.code, problem.span.start) for problem in problems] == [(codes.PRECEDENCE, at) for at in places]
    if meant is not None:
        mended = edited(source, [edit for problem in problems for edit in problem.edits])
        assert mended == meant
        again, problems = parse_expression(mended)
        assert again is not None
        assert not problems
        assert outline(again) != outline(tree)
    assert misleading_parts(tree, source) == list(parse_expression(source)[1])


@pytest.mark.parametrize(
    "source",
    [
        "!(message | f)", "(!message) | f", "-x | abs", "!is_email(x)", "a | f == !b", "x == 'a' || x == 'b'",
        "x == 'a' || y", "x || 'b'", "(x == 'a') || 'b'", "x == 'a' || true", "x == 'a' || null", "x == 'a' ?? 'b'",
        "x > 1 || 'b'", "x == 'a' && 'b'",
    ],
)  # fmt: skip
def test_what_is_meant_as_written(source: str) -> None:
    tree, problems = parse_expression(source)
    assert tree is not None
    assert not problems


def test_the_advice_is_the_repair() -> None:
    assert parse_expression("!m | f")[1][0].help == "write `!(m | f)`"
    assert parse_expression("x == 'a' || 'b'")[1][0].help == "write `x == 'a' || x == 'b'`"
