"""The positions as dataclass fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import make_dataclass
from typing import Any

import pytest

from compiler.operations import fields
from compiler.operations.rows import FieldRow, Position, declared_rows

MAKERS: list[tuple[Callable[..., Any], Position, bool, str]] = [
    (fields.value, Position.VALUE, True, ""),
    (fields.whole, Position.WHOLE, True, ""),
    (fields.text, Position.TEXT, True, ""),
    (fields.channel, Position.CHANNEL, True, ""),
    (fields.payload, Position.MESSAGE, True, ""),
    (fields.condition, Position.CONDITION, True, ""),
    (fields.collection, Position.COLLECTION, True, ""),
    (fields.operations, Position.OPERATIONS, True, ""),
    (fields.variable, Position.VARIABLE, True, ""),
    (fields.literal, Position.LITERAL, True, ""),
    (fields.statement, Position.STATEMENT, True, ""),
    (fields.flag, Position.FLAG, False, "false"),
    (fields.integer, Position.INTEGER, False, ""),
]


def row_of(field: Any) -> FieldRow:
    (row,) = declared_rows(make_dataclass("Thing", [("name", Any, field)])).values()
    return row


@pytest.mark.parametrize(
    ("make", "position", "required", "default"), MAKERS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_maker_declares_its_position(make: Any, position: Position, required: bool, default: str) -> None:
    assert row_of(make("What it is.")) == FieldRow("name", "name", position, required, "What it is.", default=default)


def test_words_and_parts() -> None:
    assert row_of(fields.word("One.", ("a", "b"), word_synonyms={"c": "a"})) == FieldRow(
        "name", "name", Position.WORD, True, "One.", words=("a", "b"), word_synonyms={"c": "a"}
    )
    assert row_of(fields.parts("Some.", int)).part is int


def test_every_position_has_a_maker() -> None:
    assert {position for _, position, _, _ in MAKERS} == set(Position) - {Position.WORD, Position.PARTS}
