"""Lowering of fields that may be absent."""

from __future__ import annotations

from typing import TypeVar

from compiler.language.values import Value
from compiler.lower import Assembler
from compiler.syntax.fields import TextField, ValueField, Written

T = TypeVar("T")


def lower_or(asm: Assembler, field: ValueField | TextField | None, default: Value) -> None:
    """Push the value of a field, or its default where it is absent."""
    if field is None:
        asm.constant(default)
    elif isinstance(field, TextField):
        asm.text(field)
    else:
        asm.value(field)


def written_or(field: Written[T] | None, default: T) -> T:
    """The literal of a field, or its default where it is absent."""
    return default if field is None else field.value
