from __future__ import annotations

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit
from compiler.diagnostics.source import Span
from compiler.syntax.problems import Mistake, Problem, quoted, replacement


def test_a_mistake_carries_its_problem() -> None:
    problem = Mistake(codes.BAD_EXPRESSION, 2, 5, "no", help="yes").problem
    assert problem == Problem(codes.BAD_EXPRESSION, Span(2, 5), "no", help="yes")
    assert not problem.whole


def test_a_replacement_is_one_edit() -> None:
    assert replacement(1, 3, "x") == (Edit(Span(1, 3), "x"),)


def test_quoted_source_is_one_short_line() -> None:
    assert quoted("a\n\tb") == "`a\\n\\tb`"
    assert quoted("x" * 40) == f"`{'x' * 40}`"
    assert quoted("x" * 41) == f"`{'x' * 39}…`"
