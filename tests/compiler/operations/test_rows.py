"""Rows: how a dataclass field declares a key."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from compiler.operations.rows import FieldRow, Position, declare, declared_rows


def test_a_field_carries_its_row() -> None:
    @dataclass
    class Thing:
        plain: int
        finally_: str | None = declare(Position.TEXT, "At last.", required=False, aliases=("end",), synonyms="a b")

    (row,) = declared_rows(Thing).values()
    assert row == FieldRow(
        "finally", "finally_", Position.TEXT, False, "At last.", aliases=("end",), synonyms=("a", "b")
    )
    assert row.spellings == ("finally", "end")
    assert Thing(1).finally_ is None


def test_a_required_field_has_no_default() -> None:
    @dataclass
    class Thing:
        name: str = declare(Position.VARIABLE, "The name.")

    with pytest.raises(TypeError):
        Thing()


def test_a_doc_is_required() -> None:
    @dataclass
    class Thing:
        name: str = declare(Position.VARIABLE, "")

    with pytest.raises(ValueError, match=r"Thing\.name needs a doc"):
        declared_rows(Thing)
