"""The bottom line."""

from __future__ import annotations

import pytest

from compiler.language.values import Value
from worpen_cli.repl.commands import expression_of
from worpen_cli.repl.evaluation import Evaluator
from worpen_cli.repl.preview import Preview, Previewer, is_pure

SCOPE: dict[str, Value] = {"user": {"name": "Ann"}, "xs": [1, 2], "long": "x" * 500_000, "none": None}


AMPLE = 60_000_000_000
"""So much time that no machine is too busy."""


def look(typed: str, width: int = 60) -> Preview:
    return Previewer(Evaluator(), expression_of, AMPLE).look(typed, SCOPE, width)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("user.name | upper", 'text of 3  "ANN"'),
        ("a = user", 'object of 1  {"name":"Ann"}'),
        ("hi {{ xs }}", 'text of 8  "hi [1,2]"'),
        ("1 == 1", "boolean  true"),
        (":type 1 + 1", "number  2"),
        ("range(0, 500) | length", "number  500"),
    ],
)
def test_values(typed: str, text: str) -> None:
    assert look(typed) == Preview("value", text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("now()", "text"),
        ("random_int(1, 2) + 1", "number"),
        ("range(0, 100000) | map('item') | sum", "number"),
        ("range(0, 9000) | map('item') | length", "number"),
        ("long | upper", "text"),
        ("'x' | repeat(1000000)", "text"),
    ],
)
def test_what_is_not_pure_or_takes_long_has_a_type_alone(typed: str, text: str) -> None:
    assert look(typed) == Preview("type", text)


@pytest.mark.parametrize("typed", ["", "  ", ":vars", ":nope x", ":type ", "1 + " + "1 + " * 1000 + "1"])
def test_nothing_to_say(typed: str) -> None:
    assert look(typed).kind == "nothing"


@pytest.mark.parametrize("typed", ["[1,", "[1,\n", "1 +", "'abc", ":type (1"])
def test_open_inputs_are_no_mistakes(typed: str) -> None:
    assert look(typed).kind == "open"


@pytest.mark.parametrize(
    ("typed", "name", "wrong"),
    [
        ("1 + nope", "unknown-variable", "nope"),
        ("x = 1 + nope", "unknown-variable", "nope"),
        (" hi {{ nope }}", "unknown-variable", "nope"),
        (":type 1 + nope", "unknown-variable", "nope"),
        ("none.a", "type-error", "none.a"),
        ("1 )", "bad-expression", ")"),
    ],
)
def test_mistakes_are_underlined(typed: str, name: str, wrong: str) -> None:
    found = look(typed)
    assert found.kind == "error"
    assert found.text.startswith(f"{name}: ")
    assert found.span is not None
    assert typed[slice(*found.span)] == wrong


@pytest.mark.parametrize("width", [20, 40, 100])
def test_a_preview_keeps_to_its_width(width: int) -> None:
    assert len(look("{a: 'x' | repeat(500), b: [1, 2, 3]}", width).text) <= width


def test_a_look_is_remembered_until_the_scope_changes() -> None:
    previewer = Previewer(Evaluator(), expression_of, AMPLE)
    first = previewer.look("xs", SCOPE, 60)
    assert previewer.look("xs", SCOPE, 60) is first
    assert previewer.look("xs", {"xs": 1}, 60).text == "number  1"


def test_without_time_there_is_a_type_alone() -> None:
    previewer = Previewer(Evaluator(), expression_of, 0)
    assert previewer.look("user.name | upper", SCOPE, 60) == Preview("type", "text")
    assert previewer.value("user", SCOPE) is None


def test_values_of_parts() -> None:
    previewer = Previewer(Evaluator(), expression_of, AMPLE)
    assert previewer.value("none", SCOPE) == (None,)
    assert previewer.value("nope", SCOPE) is None
    assert previewer.value("uuid()", SCOPE) is None
    assert previewer.value("range(0, 100000)", SCOPE) is None


@pytest.mark.parametrize(("text", "pure"), [("1 + 1", True), ("'a' | upper", True), ("uuid()", False)])
def test_purity(text: str, pure: bool) -> None:
    program = Evaluator().compile("expression", text, ()).program
    assert program is not None
    assert is_pure(program) is pure
