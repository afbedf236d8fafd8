"""Calls: names, numbers of arguments, literals, and what cannot be passed."""

from __future__ import annotations

import pytest

from tests.compiler.analysis.test_expressions import findings
from tests.compiler.routes import compiled, route


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("any | upper", []),
        ("any | startsWith('a')", []),
        ("any | starts_with('a')", []),
        ("upper(any)", []),
        ("any | uper", ["W402 uper"]),
        ("Upper(any)", ["W402 Upper"]),
        ("any && nope(any)", ["W402 nope"]),
        ("nope(list * 2)", ["W402 nope", "W404 list"]),
        ("any | replace('a')", ["W403 replace"]),
        ("any ? 1 : upper(any, any)", ["W403 upper"]),
        ("max()", ["W403 max"]),
        ("max(1, 2, 3, any)", []),
        ("default(any)", ["W403 default"]),
        ("default(list * 2)", ["W403 default", "W404 list"]),
        ("any | now", ["W403 now"]),
        ("now()", []),
        ("any | matches('(a')", ["W414 '(a'"]),
        ("any | matches('(a)')", []),
        ("'a' | matches('(a')", ["W414 '(a'"]),
        ("any | matches(('a'))", []),
        ("'a' | matches(any)", ["W415 any"]),
        ("any | matches(5)", ["W415 5"]),
        ("any | map(text)", ["W415 text"]),
        ("env('ALLOWED')", []),
        ("env('HOME')", ["W416 'HOME'"]),
        ("'HOME' | env", ["W416 'HOME'"]),
        ("env(text)", ["W415 text"]),
        ("any | map('item +')", ["W301 '"]),
        ("any | map('nope(item)')", ["W402 nope"]),
        ("any | map('item | upper(1)')", ["W403 upper"]),
        ("any | map(\"item | map('nope(item)')\")", ["W402 nope"]),
        ("any | map('1 / 0')", ["W602 0"]),
        (r"any | map('item == \'a\' | nope')", [r"W402 'item == \'a\' | nope'"]),
        ("list | upper", ["W404 upper"]),
        ("upper(list)", ["W404 list"]),
        ("replace(any, list, 'a')", ["W404 list"]),
        ("any | round(text)", []),
        ("any | round(word)", ["W404 word"]),
        ("number | round(list)", ["W404 list"]),
        ("1 + 2 | upper", ["W601 upper"]),
        ("number + 2 | upper", ["W404 upper"]),
        ("any + 1 | upper", []),
        ("!any | contains('x')", []),
        ("any == any | upper", []),
        ("(any == any) | upper", ["W404 upper"]),
        ("list | length", []),
        ("number | length", ["W404 length"]),
    ],
)  # fmt: skip
def test_calls(text: str, found: list[str]) -> None:
    if found == ["W301 '"]:
        assert [line[:4] for line in findings(text)] == ["W301"]
    else:
        assert findings(text) == found


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("message | replace('a')", "the filter `replace` takes 2 arguments, 1 given"),
        ("replace(message, 'a')", "the function `replace` takes 3 arguments, 2 given"),
        ("upper(1, 2)", "the function `upper` takes 1 argument, 2 given"),
        ("message | upper(2)", "the filter `upper` takes 0 arguments, 1 given"),
        ("substring(message)", "the function `substring` takes 2 to 3 arguments, 1 given"),
        ("max()", "the function `max` takes 1 or more arguments, 0 given"),
        ("message | now", "`now` takes no value: nothing can be piped into it"),
    ],
)
def test_how_many_arguments_are_wanted(expression: str, message: str) -> None:
    report = compiled(route('- Log: {message: "{{ ' + expression + ' }}"}')).report
    assert [d.message for d in report.sorted()] == [message]


@pytest.mark.parametrize(
    ("expression", "label"),
    [
        ("message | uper", "did you mean `upper`?"),
        ("message | uppercase", "did you mean `upper`?"),
        ("message | frobnicate", ""),
    ],
)
def test_unknown_functions_come_with_a_near_one(expression: str, label: str) -> None:
    report = compiled(route('- Log: {message: "{{ ' + expression + ' }}"}')).report
    assert [d.label for d in report.sorted()] == [label]


def test_a_filter_takes_everything_to_its_left() -> None:
    (found,) = compiled(route('- Log: {message: "{{ 2 * message.length | upper }}"}')).report.sorted()
    assert found.help == "the filter takes everything to its left; write `(… | upper)` around what it is meant for"


def test_many_mistakes_are_still_found_quickly() -> None:
    """Suggestions are only looked for as long as they can be of use."""
    text = "".join(f"{{{{ message | wrong{n} }}}}" for n in range(5000))
    report = compiled(route(f'- Log: {{message: "{text}"}}')).report
    assert len(report.diagnostics) == 5000
