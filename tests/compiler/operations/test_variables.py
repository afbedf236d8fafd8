"""SetVar and Comment."""

from __future__ import annotations

import pytest

from tests.compiler.checking import in_hook, instructions, shown

READ = "\n- Log: {message: '{{ a }}'}"


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("5", ["CONST 5"]),
        ("'0'", ["CONST '0'"]),
        ("true", ["TRUE"]),
        ("null", ["NULL"]),
        ("'{{ message }}'", ["INPUT"]),
        ("'x{{ message }}'", ["CONST 'x'", "INPUT", "CONCAT"]),
        ("[1, '{{ message }}']", ["CONST 1", "INPUT", "LIST"]),
        ("{b: {c: '{{ message }}'}}", ["CONST 'b'", "CONST 'c'", "INPUT", "OBJECT", "OBJECT"]),
    ],
)
def test_values_are_walked(value: str, made: list[str]) -> None:
    assert instructions(f"- set: {{var: a, value: {value}}}{READ}")[: len(made) + 1] == [*made, "SET_LOCAL"]


@pytest.mark.parametrize(
    ("operation", "findings"),
    [
        ("SetVar: {name: a}", ["missing-key @ SetVar"]),
        ("SetVar: {value: 1}", ["missing-key @ SetVar"]),
        ("SetVar: {variable: a, value: 1}", ["unknown-key @ variable"]),
        ("SetVar: {name: user name, value: 1}", ["bad-value @ user name"]),
        ("SetVar: {name: '{{ a }}', value: 1}", ["bad-value @ '{{ a }}'"]),
        ("SetVar: {name: 5, value: 1}", ["wrong-type @ 5"]),
        ("SetVar: {name: ۵, value: 1}", ["bad-value @ ۵"]),
        *(
            (f"SetVar: {{name: {name}, value: 1}}", [f"reserved-name @ {name}"])
            for name in ("params", "query", "headers", "user", "connection_id", "loop", "error", "and", "or", "not")
        ),
        ("SetVar: {name: 'true', value: 1}", ["reserved-name @ 'true'"]),
        ("SetVar: {name: message, value: 1}", []),
        ("Comment: {text: a, txt: b}", ["unknown-key @ txt"]),
        ("Comment: {text: '{{ a }}'}", ["bad-value @ '{{ a }}'"]),
        ("Comment: {}", []),
    ],
)
def test_fields(operation: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- {operation}")) == findings


def test_a_comment_is_nothing() -> None:
    assert instructions("- Comment: {text: a}\n- Return: {}") == ["NULL", "RETURN"]
