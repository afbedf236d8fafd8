from __future__ import annotations

import pytest

from compiler.diagnostics.source import Span
from compiler.syntax.lexer import OPERATORS
from compiler.syntax.nodes import Binary, Conditional, Logical, Name
from compiler.syntax.pending import CHOICE, LEVELS, OPEN, PIPE, PREFIX, Choice, Group, Infix, Prefix, make_call

A, B, C = Name("a", Span(0, 1)), Name("b", Span(4, 5)), Name("c", Span(8, 9))


def test_levels_are_of_the_language() -> None:
    assert set(LEVELS) < set(OPERATORS)
    assert LEVELS["**"] < PREFIX < LEVELS["*"] < LEVELS["+"] < PIPE < LEVELS["<"] < LEVELS["=="]
    assert LEVELS["=="] < LEVELS["&&"] < LEVELS["||"] < LEVELS["??"] < CHOICE < OPEN


@pytest.mark.parametrize("operator", LEVELS)
def test_an_operation_is_complete_with_its_right_operand(operator: str) -> None:
    node = Infix(LEVELS[operator], A, (operator, operator, 2, 3)).complete(B)
    kind = Logical if operator in ("&&", "||", "??") else Binary
    assert node == kind(operator, A, B, Span(0, 5), Span(2, 3))


def test_a_choice_is_open_until_its_colon() -> None:
    choice = Choice(A, ("?", "?", 2, 3))
    assert choice.level == OPEN
    choice.answer(B)
    assert choice.level == CHOICE
    choice.ask(C, ("?", "?", 10, 11))
    assert choice.level == OPEN
    choice.answer(A)
    assert choice.complete(C) == Conditional(((A, B), (C, A)), C, Span(0, 9))


def test_brackets_are_closed_by_their_closer_only() -> None:
    with pytest.raises(AssertionError):
        Group(("(", "(", 0, 1)).complete(A)
    assert Prefix(("-", "-", 3, 4)).complete(B).span == Span(3, 5)


def test_a_piped_call_begins_with_what_is_piped() -> None:
    name = ("name", "f", 4, 5)
    assert make_call(name, (), A, 7).span == Span(0, 7)
    assert make_call(name, (C,), A, 7).arguments == (A, C)
    assert make_call(name, (), None, 7).span == Span(4, 7)
