"""Expressions and templates, evaluated alone."""

from __future__ import annotations

import pytest

from compiler.language.values import Value
from worpen_cli.repl.evaluation import Alone, Evaluator, Mistake
from worpen_cli.repl.statements import Position

EVALUATOR = Evaluator(frozenset({"HOME"}))


@pytest.mark.parametrize(
    ("position", "text", "variables", "value"),
    [
        ("expression", "a + 1", {"a": 1}, 2),
        ("expression", "user.name + loop + error", {"user": {"name": "x"}, "loop": "y", "error": "z"}, "xyz"),
        ("value", "{{ a }}", {"a": [1]}, [1]),
        ("text", "{{ a }}", {"a": [1]}, "[1]"),
        ("condition", "a >= 1", {"a": 1}, True),
        ("expression", "connections()", {}, 0),
        ("expression", "members('a') | length", {}, 0),
        ("expression", "9007199254740992 + 1", {}, 9007199254740992),
    ],
)
def test_values(position: Position, text: str, variables: dict[str, Value], value: Value) -> None:
    found = EVALUATOR.evaluate(position, text, variables)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "name", "column"),
    [("1 + nope", "unknown-variable", 5), ("1 +", "bad-expression", 3), ("a.b.c", "type-error", None)],
)
def test_mistakes_have_their_place(text: str, name: str, column: int | None) -> None:
    with pytest.raises(Mistake) as mistake:
        EVALUATOR.evaluate("expression", text, {"a": {"b": None}})
    assert mistake.value.code.name == name
    assert mistake.value.line == 1
    if column is not None:
        assert mistake.value.column == column
        assert mistake.value.diagnostics


def test_a_text_is_compiled_once_for_each_set_of_names() -> None:
    evaluator = Evaluator()
    for value in range(3):
        assert evaluator.evaluate("expression", "a * 2", {"a": value}) == value * 2
    assert evaluator.evaluate("expression", "a * 2", {"b": 0, "a": 4}) == 8
    assert evaluator.prepare.cache_info().misses == 2


def test_runs_leave_nothing_behind() -> None:
    variables: dict[str, Value] = {"a": [1]}
    assert EVALUATOR.evaluate("expression", "a | append(2)", variables) == [1, 2]
    assert variables == {"a": [1]}


def test_only_allowed_names_of_the_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("SECRET", "s")
    alone = Alone(frozenset({"HOME"}))
    assert alone.environment("HOME") == "/h"
    assert alone.environment("SECRET") is None
    assert len(alone.random_bytes(3)) == 3


def test_a_fault_has_its_place_too() -> None:
    with pytest.raises(Mistake) as mistake:
        EVALUATOR.evaluate("expression", "1 +\n  a.b.c", {"a": {"b": None}})
    assert (mistake.value.line, mistake.value.column) == (2, 3)
    assert mistake.value.span == (6, 11)


def test_steps_can_be_watched() -> None:
    unit = EVALUATOR.compile("expression", "a + 1", ("a",))
    seen: list[str] = []
    value = EVALUATOR.observe(unit, {"a": 1}, lambda chunk, pc, stack: seen.append(chunk.code[pc].opcode.name))
    assert value == 2
    assert seen == ["SLOT", "CONST", "ADD", "RETURN"]


def test_a_run_can_have_less_fuel() -> None:
    unit = EVALUATOR.compile("expression", "range(0, 100) | map('item')", ())
    with pytest.raises(Mistake) as mistake:
        EVALUATOR.observe(unit, {}, lambda *_: None, 10)
    assert mistake.value.code.name == "out-of-fuel"


def test_a_text_is_prepared_once_and_run_often() -> None:
    run = EVALUATOR.prepared_run("expression", "a * 2", {"a": 4})
    assert [run(), run()] == [8, 8]
