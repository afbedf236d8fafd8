"""The positioned tree: what a YAML or JSON document says, with the place of every part.

Spans are offsets in the file's text. A scalar's `value` is its text as the format decodes it (escapes,
folding, chomping done); `resolved` is what it means under the YAML 1.2 core rules (quoted: always text).
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from compiler.diagnostics.source import Span
from compiler.records import dataclass


class Style(Enum):
    """How a scalar is written; decides how offsets in its value map to offsets in the file."""

    PLAIN = "plain"
    SINGLE = "single-quoted"
    DOUBLE = "double-quoted"
    LITERAL = "literal"
    FOLDED = "folded"
    JSON = "JSON string"


@dataclass(slots=True)
class Scalar:
    """One scalar. `span` includes quotes, block indicators and their content."""

    value: str
    resolved: bool | int | float | str | None
    style: Style
    span: Span


@dataclass(slots=True)
class Entry:
    """One `key: value` of a mapping."""

    key: Scalar
    value: Node


@dataclass(slots=True)
class Mapping:
    """Entries in the order of the file. Keys are scalars, unique by their text."""

    entries: list[Entry]
    span: Span

    def get(self, name: str) -> Node | None:
        """The value under a key."""
        return next((entry.value for entry in self.entries if entry.key.value == name), None)


@dataclass(slots=True)
class Sequence:
    """The items of a list."""

    items: list[Node]
    span: Span


@dataclass(slots=True)
class Tagged:
    """A node with a tag that is not of the core schema: `!WsOp {…}`. `tag_span` is the tag alone.

    The reader says what to write instead.
    """

    tag: str
    tag_span: Span
    content: Node
    span: Span


Node: TypeAlias = Scalar | Mapping | Sequence | Tagged
