from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit
from compiler.diagnostics.source import Span
from compiler.syntax.parser import parse_template
from compiler.syntax.problems import Problem
from compiler.syntax.suspicions import edited


def suspicions(value: str) -> list[Problem]:
    template, problems = parse_template(value)
    assert not template.broken
    assert all(problem.code is codes.SUSPICIOUS_TEXT for problem in problems)
    return list(problems)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("a }} b", [2]),
        ("{{ x }} }} {{ y }} }}", [8, 19]),
        ("}}}}", [0, 2]),
        ("{ a }}}", [5]),
        ("${x}", [0]),
        ("${ user.name } and ${b}", [0, 19]),
        ("{{ x }} ${y}", [8]),
    ],
)
def test_misplaced_braces(value: str, places: list[int]) -> None:
    assert [problem.span.start for problem in suspicions(value)] == places


@pytest.mark.parametrize(
    "value",
    [
        '{"a": {"b": 1}}', '{"a": {"b": {{ x }}}}', '{"a": {{ x }}, "b": {}}', "} {", "{ }", "${{ price }}", "$ {x}",
        "${}", "$5", "a } b", "{ {} }",
    ],
)  # fmt: skip
def test_braces_that_are_text(value: str) -> None:
    assert not suspicions(value)


def test_a_dollar_shows_and_makes_the_template() -> None:
    (problem,) = suspicions("Echo: ${message}")
    assert problem.help == "write `{{ message }}`"
    assert edited("Echo: ${message}", problem.edits) == "Echo: {{ message }}"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("{{ n }} + 1", "{{ n + 1 }}"),
        ("{{n}}+1", "{{ n+1 }}"),
        (" {{ n }} - 1\n", " {{ n - 1 }}\n"),
        ("5 * {{ x.y }}", "{{ 5 * x.y }}"),
        ("{{ a }} + {{ b }}", "{{ a + b }}"),
        ("{{ a ?? 1 }} * {{ b | f }} + 2.5", "{{ (a ?? 1) * (b | f) + 2.5 }}"),
        ("{{ a }} * 100 / 3", "{{ a * 100 / 3 }}"),
        ("{{ n }} % 2", "{{ n % 2 }}"),
        ("2 * {{ f(x) }} ", "{{ 2 * f(x) }} "),
    ],
)
def test_arithmetic_beside_templates(value: str, meant: str) -> None:
    (problem,) = suspicions(value)
    assert problem.whole
    assert problem.span == Span(0, len(value))
    assert edited(value, problem.edits) == meant
    assert problem.help == f"write `{meant.strip()}`"
    template, problems = parse_template(meant.strip())
    assert template.sole is not None
    assert not problems


@pytest.mark.parametrize(
    "value",
    [
        "{{ a }} - {{ b }}", "{{ y }}-{{ m }}-{{ d }}", "{{ y }}-01", "{{ day }}/{{ month }}", "{{ online }} / 100",
        "{{ name }}%20", "%{{ q }}%", "{{ rate }} %", "{{ a }}+{{ b }}", "+{{ number }}", "{{ a }} {{ b }}", "{{ n }}",
        "{{ n }} + 1 = {{ n + 1 }}", "Sum: {{ a }} + 1", "{{ a }} + friends", "1 + 1", "{{ a }}, 1", "*{{ a }}*",
    ],
)  # fmt: skip
def test_prose_that_is_no_arithmetic(value: str) -> None:
    assert not suspicions(value)


def test_edits_apply_in_order() -> None:
    assert edited("abcd", [Edit(Span(0, 1), "X"), Edit(Span(2, 2), "-"), Edit(Span(3, 4), "")]) == "Xb-c"
