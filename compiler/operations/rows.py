"""Rows: what is declared of one key of an operation, and how a dataclass field carries it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any

from compiler.records import dataclass, metadata_of


class Position(Enum):
    """How a field is read (language section 6), and what it may hold."""

    VALUE = "any value; strings may hold templates"
    WHOLE = "a whole number of at least 0; a string may hold a template"
    TEXT = "text; may hold templates"
    CHANNEL = "text; may hold templates; not blank"
    MESSAGE = "text; may hold templates (with a codec: any value)"
    CONDITION = "an expression, or true or false"
    COLLECTION = "an expression, or a list"
    OPERATIONS = "a list of operations"
    PARTS = "a list of mappings"
    WORD = "one of a few words"
    VARIABLE = "a variable's name"
    FLAG = "true or false"
    INTEGER = "a whole number"
    LITERAL = "text without templates"
    STATEMENT = "an SQL statement without templates"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One key of an operation, as declared.

    `synonyms` are other systems' names of the key, `word_synonyms` of its words: for suggestions only.
    `default` is for people. `part` is the class of a list's mappings. `if_lost` says what would happen if the key
    were misspelt and nobody noticed. `may_be_empty`: an empty list of operations has a meaning.
    """

    name: str
    attribute: str
    position: Position
    required: bool
    doc: str
    aliases: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    word_synonyms: Mapping[str, str] = dataclasses.field(default_factory=dict)
    minimum: int | None = None
    maximum: int | None = None
    default: str = ""
    part: type | None = None
    if_lost: str = ""
    may_be_empty: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        """All names of the field, the canonical one first."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Variant:
    """What one word of a field makes of the others: `required` must be there, `allowed` may be, the rest is useless."""

    required: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    doc: str = ""


def declare(position: Position, doc: str, *, required: bool = True, synonyms: str = "", **more: Any) -> Any:
    """A dataclass field that carries a FieldRow; optional fields are None when absent. `synonyms`: with blanks between."""
    metadata = {"row": (position, doc, required, {"synonyms": tuple(synonyms.split()), **more})}
    if required:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=None, metadata=metadata)


def declared_rows(cls: type) -> dict[str, FieldRow]:
    """The rows of a class, by canonical name, in order of declaration. Raises ValueError for a field without a doc."""
    rows: dict[str, FieldRow] = {}
    for attribute, metadata in metadata_of(cls).items():
        if "row" not in metadata:
            continue
        position, doc, required, more = metadata["row"]
        if not doc:
            raise ValueError(f"{cls.__name__}.{attribute} needs a doc")
        name = attribute.rstrip("_")
        rows[name] = FieldRow(name, attribute, position, required, doc, **more)
    return rows
