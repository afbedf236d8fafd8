from __future__ import annotations

import pytest

from compiler.syntax.nodes import Expression, Template, left_of, others, spine, unwrap, walk
from compiler.syntax.parser import parse_expression, parse_template
from compiler.syntax.printer import show


def read(source: str) -> Expression:
    tree, _ = parse_expression(source)
    assert tree is not None
    return tree


def test_the_spine_goes_from_the_innermost_outward() -> None:
    assert [show(node) for node in spine(read("a.b + c * d | f(e) > g"))] == [
        "a", "a.b", "a.b + c * d", "a.b + c * d | f(e)", "a.b + c * d | f(e) > g",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "left", "rest"),
    [
        ("a + b", "a", ["b"]), ("a && b", "a", ["b"]), ("a[b]", "a", ["b"]), ("a.b", "a", []),
        ("f(a, b)", None, ["a", "b"]), ("a | f(b, c)", "a", ["b", "c"]), ("-a", None, ["a"]),
        ("a ? b : c ? d : e", None, ["a", "b", "c", "d", "e"]), ("[a, b]", None, ["a", "b"]),
        ("{k: a, l: b}", None, ["a", "b"]), ("(a)", None, ["a"]), ("a", None, []), ("1", None, []),
    ],
)  # fmt: skip
def test_operands(source: str, left: str | None, rest: list[str]) -> None:
    tree = read(source)
    first = left_of(tree)
    assert (show(first) if first is not None else None) == left
    assert [show(node) for node in others(tree)] == rest


def test_walk_gives_operands_before_what_uses_them_in_order_of_evaluation() -> None:
    assert [show(node) for node in walk(read("a + f(b, -c) | g(d)"))] == [
        "a", "b", "c", "-c", "f(b, -c)", "a + f(b, -c)", "d", "a + f(b, -c) | g(d)",
    ]  # fmt: skip


def test_walk_needs_no_deep_stack() -> None:
    chain = read(" + ".join(["1"] * 5001))
    assert sum(1 for _ in walk(chain)) == 10001
    nested = read("(1 + " * 200 + "1" + ")" * 200)
    assert sum(1 for _ in walk(nested)) == 601


def test_unwrap_takes_all_parentheses() -> None:
    assert show(unwrap(read("((a))"))) == "a"
    assert unwrap(read("a")) == read("a")


def test_a_template_gives_its_expressions() -> None:
    template: Template = parse_template("a {{ b }} c {{ d }}")[0]
    assert [show(node) for node in template.expressions] == ["b", "d"]
