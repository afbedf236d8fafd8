"""Outlines: operations on one line."""

from __future__ import annotations

import pytest

from compiler.operations import OPERATIONS, Operation
from compiler.operations.control import Case
from compiler.operations.outline import outline, outlined_fields
from tests.compiler.checking import check, in_hook

LINES = {
    "WsOp": "- WsOp: {command: …}",
    "Log": "- Log: {message: …}",
    "Break": "- Break: {}",
    "If": "- If: {condition: …, then: […]}",
    "Switch": "- Switch: {value: …, cases: […]}",
    "Try": "- Try: {operations: […], catch: […]}",
    "SetVar": "- SetVar: {name: …, value: …}",
}


@pytest.mark.parametrize(("name", "line"), LINES.items())
def test_the_fields_that_an_operation_needs(name: str, line: str) -> None:
    assert outline(OPERATIONS[name]) == line


@pytest.mark.parametrize(
    ("name", "given", "line"),
    [
        ("WsOp", {"command": "send"}, "- WsOp: {command: send, message: …}"),
        ("WsOp", {"command": "join"}, "- WsOp: {command: join}"),
        ("RedisOp", {"command": "SET", "key": "a:b"}, '- RedisOp: {command: SET, key: "a:b", value: …}'),
        ("Log", {"message": "{{ a }}"}, '- Log: {message: "{{ a }}"}'),
        ("Log", {"message": 'say "hi"'}, '- Log: {message: "say \\"hi\\""}'),
        ("Log", {"message": "x" * 100}, "- Log: {message: …}"),
        ("Log", {"message": "a", "level": "warn"}, "- Log: {message: a, level: warn}"),
        ("If", {"then": "a"}, "- If: {condition: …, then: […]}"),
    ],
)
def test_what_is_given_is_shown(name: str, given: dict[str, str], line: str) -> None:
    assert outline(OPERATIONS[name], given) == line


def test_a_part_has_fields_alone() -> None:
    assert outlined_fields(Case, {}) == "value: …, operations: […]"


@pytest.mark.parametrize("cls", OPERATIONS.values(), ids=lambda cls: cls.__name__)
def test_an_outline_has_the_shape_that_is_read(cls: type[Operation]) -> None:
    codes = {
        found.name
        for found in check(
            in_hook(outline(cls).replace("cases: […]", "cases: []").replace("[…]", "[{Log: {message: a}}]"))
        )
    }
    assert not codes & {"missing-key", "unknown-key", "not-an-operation", "yaml-syntax"}
