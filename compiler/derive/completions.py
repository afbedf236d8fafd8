"""Completions: the names that can stand somewhere, with what a list of choices shows beside them."""

from __future__ import annotations

import inspect

from compiler.language.functions import FUNCTIONS, Function
from compiler.language.hooks import INPUTS
from compiler.language.values import Kind
from compiler.operations import OPERATIONS
from compiler.operations.rows import Position
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Completion:
    """A name, what is shown beside it (a signature, what a field takes), and a sentence of documentation."""

    name: str
    detail: str
    doc: str


def complete_functions(piped: Kind = Kind.ANY) -> tuple[Completion, ...]:
    """The functions; behind a pipe, those whose first parameter takes a value of these kinds."""
    rows = [row for row in FUNCTIONS.values() if piped is Kind.ANY or _takes(row, piped)]
    return tuple(Completion(row.name, row.signature, _first_sentence(row.doc)) for row in rows)


def _takes(row: Function, piped: Kind) -> bool:
    return bool(row.parameters) and bool(row.parameters[0].kinds & piped)


def complete_operations(hook: str = "") -> tuple[Completion, ...]:
    """The operations, or those that may stand in a hook."""
    chosen = (cls for cls in OPERATIONS.values() if not hook or hook in cls.hooks)
    return tuple(Completion(cls.__name__, ", ".join(cls.rows), _first_sentence(cls.__doc__ or "")) for cls in chosen)


def complete_fields(operation: str) -> tuple[Completion, ...]:
    """The fields of an operation. Raises KeyError where there is no such operation."""
    rows = OPERATIONS[operation].rows.values()
    return tuple(
        Completion(row.name, " | ".join(row.words) if row.position is Position.WORD else row.position.value, row.doc)
        for row in rows
    )


def complete_variables(hook: str = "") -> tuple[Completion, ...]:
    """The variables that the server provides, or those that a hook sees."""
    chosen = (row for row in INPUTS.values() if not hook or hook in row.hooks)
    return tuple(Completion(row.name, "", row.doc) for row in chosen)


def _first_sentence(doc: str) -> str:
    return " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())
