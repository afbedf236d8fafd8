from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.syntax.parser import parse_expression
from compiler.syntax.problems import Problem
from compiler.syntax.suspicions import edited


def problem_of(source: str) -> Problem:
    tree, problems = parse_expression(source)
    assert tree is None
    assert len(problems) == 1
    return problems[0]


BAD, UNKNOWN = codes.BAD_EXPRESSION, codes.UNKNOWN_OPERATOR


@pytest.mark.parametrize(
    ("source", "code", "place", "mentioned"),
    [
        # An operand is missing.
        ("5 +", BAD, "+", "after `+`"),
        ("(5 + )", BAD, "+", "after `+`"),
        ("f(a, )", BAD, ",", "no comma before `)`"),
        ("[1, 2,]", BAD, ",]", "no comma before `]`"),
        ("{a: 1,}", BAD, ",", "no comma before `}`"),
        ("* 5", BAD, "*", "before `*`"),
        ("5 * / 3", BAD, "/", "before `/`"),
        ("| f", BAD, "|", "before `|`"),
        ("a ? : b", BAD, ":", "before `:`"),
        ("()", BAD, "()", "between `(` and `)`"),
        ("a[]", BAD, "[]", "between `[` and `]`"),
        (".5", BAD, ".5", "`0.5`"),
        ("a ? .5 : 1", BAD, ".5", "`0.5`"),
        ("a?.5:1", BAD, ".5", "`0.5`"),
        ("1 + +5", UNKNOWN, "+5", "unary `+`"),
        # Something stands after a complete expression.
        ("connection_id message", BAD, "message", "`message`"),
        ("'a' 'b'", BAD, "'b'", "`'b'`"),
        ("a 1", BAD, "1", "`1`"),
        ("'a'()", BAD, "(", "`(`"),
        ("f(1)(2)", BAD, "(2", "`(`"),
        ("true(1)", BAD, "(", "`(`"),
        ("a.upper()", BAD, "(", "`upper`"),
        ("a, b", BAD, ",", "`,`"),
        ("(a, b)", BAD, ",", "`,`"),
        ("a[1, 2]", BAD, ",", "`,`"),
        ("a : b", BAD, ":", "`:`"),
        ("a ! b", BAD, "!", "`!`"),
        ("1 + 2)", BAD, ")", "nothing opens"),
        ("a }", BAD, "}", "nothing opens"),
        # Brackets and choices.
        ("(1 + 2", BAD, "(", "`)` is missing"),
        ("a[0", BAD, "[", "`]` is missing"),
        ("f(", BAD, "(", "`)` is missing"),
        ("x | f(a", BAD, "(", "`)` is missing"),
        ("{a: 1", BAD, "{", "`}` is missing"),
        ("{a", BAD, "{", "`}` is missing"),
        ("{", BAD, "{", "`}` is missing"),
        ("[1)", BAD, ")", "`]`"),
        ("([1)", BAD, "[", "`]` is missing"),
        ("a ? b", BAD, "?", "`:`"),
        ("(a ? b)", BAD, "?", "`:`"),
        ("[a ? b, c]", BAD, "?", "`:`"),
        # Comparisons.
        ("1 < 2 < 3", BAD, "< 3", "chained"),
        ("a >= b | f > c", BAD, "> c", "chained"),
        # Members and filters.
        ("users | first.name", BAD, ".name", "parentheses"),
        ("users | first[0]", BAD, "[", "parentheses"),
        ("users | f(1)?.a", BAD, "?.", "parentheses"),
        ("a.", BAD, ".", "missing after `.`"),
        ("a?.", BAD, "?.", "missing after `?.`"),
        ("a.'b'", BAD, "'b'", "brackets"),
        ("a |", BAD, "|", "filter name is missing"),
        ("a | | upper", BAD, "| |", "filter name is missing"),
        ("a | == b", BAD, "|", "filter name is missing"),
        ("a | 'b'", UNKNOWN, "|", "`||`"),
        ("a | true", UNKNOWN, "|", "`||`"),
        ("a | (b)", UNKNOWN, "|", "`||`"),
        # Objects.
        ("{1: 'a'}", BAD, "1", "name or a text"),
        ("{[a]: 1}", BAD, "[", "name or a text"),
        ("{a 1}", BAD, "1", "`:` must follow"),
        ("{a}", BAD, "}", "`:` must follow"),
        ("{a, b}", BAD, ",", "`:` must follow"),
        ("{a = 1}", UNKNOWN, "=", "`=`"),
        ("{#: 1}", BAD, "#", "`#`"),
        # The first mistake counts.
        ("a === 'open", UNKNOWN, "===", "`==`"),
        ("(a b === c", BAD, "b", "`b`"),
    ],
)
def test_what_is_wrong_and_where(source: str, code: Code, place: str, mentioned: str) -> None:
    problem = problem_of(source)
    assert problem.code is code
    assert problem.span.start == source.index(place)
    assert problem.span.end > problem.span.start
    assert mentioned in problem.message


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("[1, 2,]", "[1, 2]"), ("f(a,)", "f(a)"), ("{a: 1,}", "{a: 1}"), ("{1: 'a'}", "{'1': 'a'}"),
        ("1 + +5", "1 + 5"), ("a ? .5 : 1", "a ?  0.5 : 1"), ("a?.5:1", "a? 0.5:1"), ("a | 'b'", "a || 'b'"),
        ("a + b | first.name", "(a + b | first).name"), ("x | f(1) [0]", "(x | f(1)) [0]"), ("a & b", "a && b"),
    ],
)  # fmt: skip
def test_repairs_can_be_read(source: str, mended: str) -> None:
    assert edited(source, problem_of(source).edits) == mended
    assert parse_expression(mended)[0] is not None


def test_a_method_call_shows_the_filter() -> None:
    assert "`message | upper(…)`" in problem_of("message.upper()").help


def test_brackets_in_an_expression_are_no_templates() -> None:
    assert "inside an expression" in problem_of("a + {{ b }}").message
