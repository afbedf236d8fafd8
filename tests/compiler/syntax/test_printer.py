from __future__ import annotations

import pytest

from compiler.diagnostics.source import Span
from compiler.syntax.nodes import Binary, Expression, Literal, Member, Unary
from compiler.syntax.parser import parse_expression
from compiler.syntax.printer import show

NOWHERE = Span(0, 0)


def read(source: str) -> Expression:
    tree, _ = parse_expression(source)
    assert tree is not None
    return tree


@pytest.mark.parametrize(
    "source",
    [
        "a + b * c", "(a + b) * c", "a - (b - c)", "-a ** b", "(-a) ** b", "a ** -b", "a ** b ** c", "(a ** b) ** c",
        "!a == b", "!(a == b)", "(a < b) < c", "a && (b || c)", "a ?? (b ?? c)", "a + b | f", "a + (b | f)",
        "(a | f) + b", "(a | f) * 2 + 1", "a | f(b, c) | g > d", "!(a | f)", "(!a) | f", "(a | f).b", "(a + b)[c]",
        "(5).a", "5[0]", "'a'.b", "a?.b?.[c].d", "f(a, b ? c : d)", "[a, [b]]", "{a: 1, 'b c': 'd'}", "{}", "[]",
        "a ? b : c ? d : e", "a ? b : (c ? d : e)", "(a ? b : c) ? d : e", "a ? b ? c : d : e", "(a ?? b) + c",
        "(a ? b : c) ?? d", "(a ? b : c) | f", "null ?? true", "1.5 + 1e-7 + 1e+21", "--a", "!!a", "(a && b) | f",
    ],
)  # fmt: skip
def test_canonical_source_is_shown_as_it_is(source: str) -> None:
    assert show(read(source)) == source


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("((a))+(b*c)", "a + b * c"), ("a.0", "a[0]"), ("{'a': 1}", "{a: 1}"), ("a|f()", "a | f"), ("007.50", "7.5"),
        ("a | f * 2", "(a | f) * 2"), ('"it\'s\\q\n"', r"'it\'s\\q\n'"), ("x ? (y ? 1 : 2) : 3", "x ? y ? 1 : 2 : 3"),
    ],
)  # fmt: skip
def test_other_source_is_made_canonical(source: str, shown: str) -> None:
    assert show(read(source)) == shown
    assert show(read(shown)) == shown


def test_negative_literals_bind_like_the_operator() -> None:
    minus_two = Literal(-2, NOWHERE)
    assert show(Binary("**", minus_two, Literal(2, NOWHERE), NOWHERE, NOWHERE)) == "(-2) ** 2"
    assert show(Member(minus_two, "a", False, NOWHERE, NOWHERE)) == "(-2).a"
    assert show(Unary("-", minus_two, NOWHERE)) == "--2"


def test_deep_and_long_trees_are_shown() -> None:
    for source in ("1" + " + 1" * 5000, "[" * 200 + "]" * 200, "a" + " | f" * 5000, "{a: " * 200 + "1" + "}" * 200):
        assert show(read(source)) == source
