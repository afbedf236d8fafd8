from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.language.limits import BRACKET_DEPTH
from compiler.syntax.expressions import OPERAND_DEPTH, ExpressionParser
from compiler.syntax.nodes import Binary, Call, Conditional, Expression, Index, Member, Unary, others, spine, walk
from compiler.syntax.problems import Mistake
from tests.compiler.syntax.outline import outline


def read(source: str) -> Expression:
    return ExpressionParser(source, 0, len(source), condition=False).parse()


def mistake(source: str) -> Mistake:
    with pytest.raises(Mistake) as caught:
        read(source)
    return caught.value


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        # Level by level, tight to loose.
        ("-a.b", ("-", (".", "a", "b"))),
        ("-a ** b", ("-", ("**", "a", "b"))),
        ("a ** -b", ("**", "a", ("-", "b"))),
        ("a ** -b ** c", ("**", "a", ("-", ("**", "b", "c")))),
        ("a ** b ** c", ("**", "a", ("**", "b", "c"))),
        ("a ** -b * c", ("*", ("**", "a", ("-", "b")), "c")),
        ("-a * b", ("*", ("-", "a"), "b")),
        ("a * -b + c", ("+", ("*", "a", ("-", "b")), "c")),
        ("a * b % c / d", ("/", ("%", ("*", "a", "b"), "c"), "d")),
        ("a + b * c - d", ("-", ("+", "a", ("*", "b", "c")), "d")),
        ("a < b == c > d", ("==", ("<", "a", "b"), (">", "c", "d"))),
        ("a == b != c", ("!=", ("==", "a", "b"), "c")),
        ("a && b == c && d", ("&&", ("&&", "a", ("==", "b", "c")), "d")),
        ("a || b && c || d", ("||", ("||", "a", ("&&", "b", "c")), "d")),
        ("a ?? b || c ?? d", ("??", ("??", "a", ("||", "b", "c")), "d")),
        ("a ?? b ? c : d ?? e", ("?", (("??", "a", "b"), "c"), ("??", "d", "e"))),
        ("!a == b", ("==", ("!", "a"), "b")),
        ("!-!a", ("!", ("-", ("!", "a")))),
        ("5--3", ("-", (5,), ("-", (3,)))),
        ("(a + b) * c", ("*", ("+", "a", "b"), "c")),
        # The pipe.
        ("a + b | f", ("|", "f", ("+", "a", "b"))),
        ("-a | f", ("|", "f", ("-", "a"))),
        ("a ** b | f", ("|", "f", ("**", "a", "b"))),
        ("a | f | g(b) | h(c, d)", ("|", "h", ("|", "g", ("|", "f", "a"), "b"), "c", "d")),
        ("a | f * b + c", ("+", ("*", ("|", "f", "a"), "b"), "c")),
        ("a | f ** b", ("**", ("|", "f", "a"), "b")),
        ("a * b | f * c", ("*", ("|", "f", ("*", "a", "b")), "c")),
        ("a + b | f + c | g", ("|", "g", ("+", ("|", "f", ("+", "a", "b")), "c"))),
        ("a > b | f", (">", "a", ("|", "f", "b"))),
        ("a | f > b", (">", ("|", "f", "a"), "b")),
        ("a && b | f", ("&&", "a", ("|", "f", "b"))),
        ("a | f ? b | g : c | h", ("?", (("|", "f", "a"), ("|", "g", "b")), ("|", "h", "c"))),
        ("!a | f", ("|", "f", ("!", "a"))),
        ("(a | f).b", (".", ("|", "f", "a"), "b")),
        ("a | f()", ("|", "f", "a")),
        # Choices.
        ("a ? b : c ? d : e", ("?", ("a", "b"), ("c", "d"), "e")),
        ("a ? b ? c : d : e", ("?", ("a", ("?", ("b", "c"), "d")), "e")),
        ("a ? b : (c ? d : e)", ("?", ("a", "b"), ("?", ("c", "d"), "e"))),
        ("a ? b ? c : d ? e : f : g", ("?", ("a", ("?", ("b", "c"), ("d", "e"), "f")), "g")),
        ("a?b:c", ("?", ("a", "b"), "c")),
        ("a ? [b] : {c: d ? e : f}", ("?", ("a", ("list", "b")), ("object", ("c", ("?", ("d", "e"), "f"))))),
        # Members, calls, lists, objects.
        ("a.b?.c[d]?.[e].0", ("[", ("?[", ("[", ("?.", (".", "a", "b"), "c"), "d"), "e"), (0,))),
        ("m.0.1", ("[", ("[", "m", (0,)), (1,))),
        ("m . 0 . a", (".", ("[", "m", (0,)), "a")),
        ("a.true.not", (".", (".", "a", "true"), "not")),
        ("f(a)(b) ", None),
        ("f (a, g())[b].c", (".", ("[", ("call", "f", "a", ("call", "g")), "b"), "c")),
        ("'a'[-1]", ("[", ("a",), ("-", (1,)))),
        ("{a: 1}.a", (".", ("object", ("a", (1,))), "a")),
        ("[[], {}, [a, b]]", ("list", ("list",), ("object",), ("list", "a", "b"))),
        ("{a: 1, 'b-c': {and: 2}}", ("object", ("a", (1,)), ("b-c", ("object", ("and", (2,)))))),
        ("true == null", ("==", (True,), (None,))),
    ],
)
def test_trees(source: str, tree: Any) -> None:
    if tree is None:
        assert mistake(source).problem.code is codes.BAD_EXPRESSION
    else:
        assert outline(read(source)) == tree
        assert outline(read(source.replace(" ", "\u2003\n"))) == tree


def test_a_chain_of_choices_is_one_node() -> None:
    tree = read("a ? 1 : " * 200 + "2")
    assert isinstance(tree, Conditional)
    assert len(tree.branches) == 200


def test_spans() -> None:
    tree = read(" a.b | f(-x , [1]) == 2 ")
    assert isinstance(tree, Binary)
    assert (tree.span, tree.operator_span) == (Span(1, 23), Span(19, 21))
    call = tree.left_operand
    assert isinstance(call, Call)
    assert (call.span, call.name_span) == (Span(1, 18), Span(7, 8))
    member, negative, items = call.arguments
    assert isinstance(member, Member)
    assert (member.span, member.name_span) == (Span(1, 4), Span(3, 4))
    assert isinstance(negative, Unary)
    assert (negative.span, items.span) == (Span(9, 11), Span(14, 17))


def test_every_operand_lies_within_its_node() -> None:
    for node in walk(read("{a: f(x)[0]?.b, 'c': (!d ? -1 : g | h(2) + 3 ** 4)} ?? [5 && 6, 'x'].length")):
        for part in (*others(node), *spine(node)):
            assert node.span.start <= part.span.start <= part.span.end <= node.span.end


def test_indexes_by_digits_have_their_places() -> None:
    tree = read("items.10")
    assert isinstance(tree, Index)
    assert (tree.span, tree.key.span) == (Span(0, 8), Span(6, 8))


# Limits. Chains are no nesting; brackets are.

NESTED: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "lists": lambda n: "[" * n + "]" * n,
    "objects": lambda n: "{a: " * n + "1" + "}" * n,
    "calls": lambda n: "f(" * n + "1" + ")" * n,
    "filters": lambda n: "a | f(" * n + "1" + ")" * n,
    "indexes": lambda n: "a[" * n + "1" + "]" * n,
    "sums": lambda n: "(1 + " * n + "1" + ")" * n,
    "negations": lambda n: "-(" * n + "1" + ")" * n,
    "choices": lambda n: "a ? (" * n + "1" + ") : 2" * n,
}


@pytest.mark.parametrize("form", NESTED)
def test_brackets_nest_to_the_limit(form: str) -> None:
    source = NESTED[form](BRACKET_DEPTH)
    assert read(source).span.end == len(source)


@pytest.mark.parametrize("depth", [BRACKET_DEPTH + 1, 5_000, 100_000])
@pytest.mark.parametrize("form", NESTED)
def test_deeper_brackets_are_a_mistake(form: str, depth: int) -> None:
    problem = mistake(NESTED[form](depth)).problem
    assert problem.code is codes.LIMIT
    assert "nested" in problem.message
    assert str(BRACKET_DEPTH) in problem.message


@pytest.mark.parametrize(
    "source",
    ["!" * 5000 + "a", "-" * 5000 + "1", "1" + " ** 1" * 5000, "a ? " * 5000 + "b" + " : c" * 5000],
)
def test_other_nesting_is_bounded_too(source: str) -> None:
    assert mistake(source).problem.code is codes.LIMIT


@pytest.mark.parametrize(
    "source",
    [
        "1" + " + 1" * 5000, "a" + " | trim" * 5000, "a" + " && b" * 5000, "a" + ".b" * 5000, "a" + "[0]" * 5000,
        "a" + " ? 1 : b" * 5000, "[" + "1, " * 5000 + "1]", "f(" + "1, " * 5000 + "1)", "1" + " == 1 ?? 2" * 5000,
    ],
)  # fmt: skip
def test_chains_have_no_bound(source: str) -> None:
    assert read(source).span.end == len(source)


def test_parsing_needs_few_frames() -> None:
    source = NESTED["sums"](BRACKET_DEPTH)

    def from_deep(frames: int) -> Expression:
        return from_deep(frames - 1) if frames else read(source)

    used = sys.getrecursionlimit() - 150
    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    assert from_deep(used - depth).span.end == len(source)


def test_walkers_with_one_frame_a_level_reach_everything() -> None:
    def depth_of(node: Expression) -> int:
        deepest = 0
        for part in spine(node):
            for operand in others(part):
                deepest = max(deepest, 1 + depth_of(operand))
        return deepest

    for form in NESTED:
        assert depth_of(read(NESTED[form](BRACKET_DEPTH))) <= OPERAND_DEPTH
