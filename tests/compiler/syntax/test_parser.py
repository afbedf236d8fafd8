from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.diagnostics.source import Span
from compiler.language.values import Value
from compiler.syntax.nodes import Literal, Name, Parenthesised, Template, unwrap
from compiler.syntax.parser import parse_condition, parse_expression, parse_template
from compiler.syntax.printer import show
from compiler.syntax.problems import Problem
from compiler.syntax.suspicions import edited

CONFORMANCE = Path(__file__).parents[4] / "shared" / "conformance"


def located(problems: tuple[Problem, ...]) -> list[tuple[Code, int]]:
    return [(problem.code, problem.span.start) for problem in problems]


# Templates.


def test_plain_text_is_constant() -> None:
    template, problems = parse_template("no braces")
    assert (template.constant, template.sole, problems) == ("no braces", None, ())
    assert parse_template("")[0] == Template((), Span(0, 0))
    assert parse_template("")[0].constant == ""


def test_texts_and_expressions_in_turn() -> None:
    template, problems = parse_template("Hi {{ name }}, {{x}}{{ y }}!")
    assert not problems
    assert [part if isinstance(part, str) else show(part) for part in template.parts] == [
        "Hi ", "name", ", ", "x", "y", "!",
    ]  # fmt: skip
    assert template.constant is None
    assert template.sole is None


def test_a_sole_template_is_its_expression() -> None:
    template, _ = parse_template("{{ score + 1 }}")
    assert template.sole is not None
    assert show(template.sole) == "score + 1"
    assert template.sole.span == Span(3, 12)
    assert parse_template(" {{ x }}")[0].sole is None


def test_each_broken_template_is_one_problem_and_the_others_are_read() -> None:
    template, problems = parse_template("{{ 1 + }} {{ ok }} {{ a b }} {{ }}")
    assert located(problems) == [
        (codes.BAD_EXPRESSION, 5), (codes.BAD_EXPRESSION, 24), (codes.EMPTY_TEMPLATE, 29),
    ]  # fmt: skip
    assert template.broken
    assert [show(tree) for tree in template.expressions] == ["ok"]
    assert template.constant is None
    assert template.sole is None


def test_a_broken_template_alone_is_neither_constant_nor_sole() -> None:
    template, _ = parse_template("{{ 1 + }}")
    assert (template.parts, template.constant, template.sole) == ((), None, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Echo: {{ message }", [(codes.UNCLOSED_TEMPLATE, 6)]),
        ("Echo: {{  }}", [(codes.EMPTY_TEMPLATE, 6)]),
        ("{{}}", [(codes.EMPTY_TEMPLATE, 0)]),
        ("{{ x }} {{ y", [(codes.UNCLOSED_TEMPLATE, 8)]),
        ("{{{ x }}}", [(codes.BAD_EXPRESSION, 0)]),
        ("{{ a {{ b }} }}", [(codes.BAD_EXPRESSION, 5)]),
        ("{{ x } and {{ y }}", [(codes.UNCLOSED_TEMPLATE, 0)]),
        ("{{ 'a }} {{ b }}", [(codes.UNCLOSED_TEXT, 3)]),
        ("{{ x } }}", [(codes.BAD_EXPRESSION, 5)]),
        ("{{ f(x }}", [(codes.BAD_EXPRESSION, 4)]),
        ("a }} b", [(codes.SUSPICIOUS_TEXT, 2)]),
        ("Echo: ${message}", [(codes.SUSPICIOUS_TEXT, 6)]),
        ("{{ n }} + 1", [(codes.SUSPICIOUS_TEXT, 0)]),
        ("{{ {a: 1, a: 2} }}", [(codes.REPEATED_KEY, 10)]),
    ],
)
def test_problems_of_templates(value: str, expected: list[tuple[Code, int]]) -> None:
    assert located(parse_template(value)[1]) == expected


def test_a_single_brace_is_named_and_doubled() -> None:
    _, (problem,) = parse_template("Echo: {{ message }")
    assert "single `}`" in problem.message
    assert edited("Echo: {{ message }", problem.edits) == "Echo: {{ message }}"


# Conditions.


@pytest.mark.parametrize("value", ["age >= 18", "{{ age >= 18 }}", "{{age}} >= 18", " {{ age }} >= {{18}} "])
def test_braces_of_a_condition_are_parentheses(value: str) -> None:
    tree, problems = parse_condition(value)
    assert tree is not None
    assert (show(tree), problems) == ("age >= 18", ())


def test_a_template_in_a_condition_binds_like_parentheses() -> None:
    tree, _ = parse_condition("{{1 + 2}} * 2 == 6")
    assert tree is not None
    assert show(tree) == "(1 + 2) * 2 == 6"
    tree, _ = parse_condition("{{ x }}")
    assert tree == Parenthesised(Name("x", Span(3, 4)), Span(0, 7))
    tree, _ = parse_condition("{k: {{ {a: {b: 1}} }}}")
    assert tree is not None
    assert show(tree) == "{k: {a: {b: 1}}}"


@pytest.mark.parametrize(
    ("value", "code", "start"),
    [
        ("", codes.BAD_EXPRESSION, 0),
        ("   ", codes.BAD_EXPRESSION, 0),
        ("{{ a", codes.UNCLOSED_TEMPLATE, 0),
        ("b && {{ a }", codes.UNCLOSED_TEMPLATE, 5),
        ("{{ }", codes.UNCLOSED_TEMPLATE, 0),
        ("{{ }}", codes.EMPTY_TEMPLATE, 0),
        ("{{{ a }}}", codes.BAD_EXPRESSION, 0),
        ("{{ a + {{ b }} }}", codes.BAD_EXPRESSION, 7),
        ("{{a}} {{b}}", codes.BAD_EXPRESSION, 6),
        ("a }}", codes.BAD_EXPRESSION, 2),
        ("{{ message === 'score' }}", codes.UNKNOWN_OPERATOR, 11),
        ("{{ message == 'a' and true }}", codes.UNKNOWN_OPERATOR, 18),
        ("{{ message == 'score }}", codes.UNCLOSED_TEXT, 14),
        ("{{ (a }}", codes.BAD_EXPRESSION, 3),
        ("{{ a != null }}  # right", codes.BAD_EXPRESSION, 17),
    ],
)
def test_broken_conditions(value: str, code: Code, start: int) -> None:
    tree, problems = parse_condition(value)
    assert tree is None
    assert located(problems) == [(code, start)]


def test_a_template_in_a_text_of_a_condition_is_a_warning() -> None:
    tree, problems = parse_condition("message == 'a {{ query.word }}'")
    assert tree is not None
    assert located(problems) == [(codes.LOST_EXPRESSION, 14)]
    assert problems[0].span.end == 30
    assert not parse_condition("{{ message == '{{' }}")[1]


# What stands between braces.


def test_an_expression_has_no_braces_of_its_own() -> None:
    tree, problems = parse_expression("{{ a }}")
    assert tree is None
    assert located(problems) == [(codes.BAD_EXPRESSION, 0)]


def test_nothing_is_no_expression() -> None:
    assert parse_expression(" ")[0] is None
    assert located(parse_expression(" ")[1]) == [(codes.BAD_EXPRESSION, 0)]


def test_warnings_come_with_a_tree() -> None:
    tree, problems = parse_expression("!x | f({a: 1, a: 2})")
    assert tree is not None
    assert {problem.code for problem in problems} == {codes.PRECEDENCE, codes.REPEATED_KEY}


def test_literals() -> None:
    values: dict[str, Value] = {"12": 12, "'a'": "a", "true": True, "false": False, "null": None}
    for source, value in values.items():
        assert parse_expression(source)[0] == Literal(value, Span(0, len(source)))


# The conformance files.


def vectors(name: str) -> list[dict[str, object]]:
    path = CONFORMANCE / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


needs_conformance = pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="no conformance files beside the project")


@needs_conformance
def test_every_good_expression_is_read() -> None:
    good = [str(vector["expr"]) for vector in vectors("expr_vectors.json") if not vector.get("error")]
    assert good
    for source in good:
        tree, problems = parse_expression(source)
        assert tree is not None, (source, problems)
        assert all(problem.code is codes.REPEATED_KEY for problem in problems), (source, problems)
        again, _ = parse_expression(show(tree))
        assert again is not None
        assert show(again) == show(tree)


@needs_conformance
def test_every_good_template_is_read() -> None:
    good = [vector for vector in vectors("template_vectors.json") if not vector.get("error")]
    assert good
    for vector in good:
        value = str(vector["template"])
        if vector["mode"] == "condition":
            assert parse_condition(value)[0] is not None, value
        else:
            assert not parse_template(value)[0].broken, value


def test_unwrapping() -> None:
    tree, _ = parse_expression("((a))")
    assert tree is not None
    assert unwrap(tree) == Name("a", Span(2, 3))
