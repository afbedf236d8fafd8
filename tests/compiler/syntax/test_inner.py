"""Inner expressions: text literals that are read as expressions."""

from __future__ import annotations

import pytest

from compiler.diagnostics.source import Span
from compiler.syntax.inner import inner_expression
from compiler.syntax.nodes import Call, Literal, Name, walk
from compiler.syntax.parser import parse_expression


def literal_in(text: str) -> Literal:
    """The last text literal of an expression."""
    tree, _ = parse_expression(text)
    assert tree is not None
    return [node for node in walk(tree) if isinstance(node, Literal)][-1]


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("x | map('price * 2')", "price", "price"),
        ('x | map("2 * price")', "price", "price"),
        ("x | map( ' price' )", "price", "price"),
        (r"x | map('price + \'a\'')", "price", r"'price + \'a\''"),
        (r"x | map('\u0070rice')", "price", r"'\u0070rice'"),
        ("x | map(\"a['قیمت'] + price\")", "price", "price"),
    ],
)
def test_spans_lead_into_the_text_around(text: str, name: str, place: str) -> None:
    inner = inner_expression(literal_in(text))
    assert inner.tree is not None
    (node,) = (n for n in walk(inner.tree) if isinstance(n, Name) and n.name == name)
    span = inner.within(lambda outer: outer)(node.span)
    assert text[span.start : span.end] == place


def test_nested_ones_lead_through_each_other() -> None:
    text = "x | map(\"item | map('price')\")"
    outer = inner_expression(literal_in(text))
    assert isinstance(outer.tree, Call)
    nested = inner_expression(literal_in_tree(outer.tree))
    assert nested.tree is not None
    span = nested.within(outer.within(lambda found: found))(nested.tree.span)
    assert text[span.start : span.end] == "price"


def literal_in_tree(call: Call) -> Literal:
    (literal,) = (argument for argument in call.arguments if isinstance(argument, Literal))
    return literal


def test_the_places_around_are_shifted() -> None:
    inner = inner_expression(Literal("a + b", Span(10, 17)))
    assert inner.within(lambda span: span.shifted(100))(Span(4, 5)) == Span(115, 116)


@pytest.mark.parametrize("text", ["1 +", "", "a b"])
def test_what_cannot_be_read_has_a_problem(text: str) -> None:
    inner = inner_expression(Literal(text, Span(0, len(text) + 2)))
    assert inner.tree is None
    assert inner.problems
