"""Lowering of fields that may be absent."""

from __future__ import annotations

from compiler.diagnostics.source import Span
from compiler.operations.lowering import written_or
from compiler.syntax.fields import Written
from tests.compiler.checking import instructions


def test_the_literal_or_its_default() -> None:
    assert written_or(Written(5, Span(0, 0)), 3) == 5
    assert written_or(Written(False, Span(0, 0)), True) is False
    assert written_or(None, 3) == 3


def test_text_value_and_default() -> None:
    given = instructions("- WsOp: {command: close, code: 3000, reason: 'bye {{ route }}'}")
    assert given == ["CONST 3000", "CONST 'bye '", "INPUT", "CONCAT", "EMIT close", "DROP"]
    absent = instructions("- WsOp: {command: close}")
    assert absent == ["CONST 1000", "CONST ''", "EMIT close", "DROP"]
    value = instructions("- Return: {value: '{{ message }}'}")
    assert value == ["INPUT", "RETURN"]
