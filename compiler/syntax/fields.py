"""What stands in the fields of operations and routes, once its templates are parsed (language section 6).

Each value knows where it stands: `field` is its name for people (`If.condition`), and `scalar` or `span`
its place in the file. A value whose text could not be parsed is `broken`: a finding was made, and later
stages keep quiet about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeAlias, TypeVar

from compiler.diagnostics.source import Span
from compiler.language.values import Value
from compiler.records import dataclass
from compiler.syntax.nodes import Expression, Template
from compiler.syntax.tree import Scalar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """A literal: a word, a name, a number, a flag. `span` is its place in the file."""

    value: T
    span: Span
    field: str = ""


@dataclass(frozen=True, slots=True)
class TextField:
    """Text position: a template that always gives text."""

    template: Template
    scalar: Scalar
    field: str

    @property
    def span(self) -> Span:
        """Its place in the file."""
        return self.scalar.span


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A string in value position: one sole template keeps its type, anything else is text."""

    template: Template
    scalar: Scalar
    field: str

    @property
    def span(self) -> Span:
        """Its place in the file."""
        return self.scalar.span


@dataclass(frozen=True, slots=True)
class ConstantField:
    """A scalar that is not text, in value or condition position."""

    value: Value
    span: Span
    field: str


@dataclass(frozen=True, slots=True)
class ListField:
    """A list in value position."""

    items: tuple[ValueField, ...]
    span: Span
    field: str


@dataclass(frozen=True, slots=True)
class ObjectField:
    """A mapping in value position; keys are literal text."""

    entries: tuple[tuple[Written[str], ValueField], ...]
    span: Span
    field: str


ValueField: TypeAlias = TemplateField | ConstantField | ListField | ObjectField


@dataclass(frozen=True, slots=True)
class ConditionField:
    """Condition position: the whole string is one expression; None where it is broken."""

    expression: Expression | None
    scalar: Scalar
    field: str

    @property
    def span(self) -> Span:
        """Its place in the file."""
        return self.scalar.span


Condition: TypeAlias = ConditionField | ConstantField
Collection: TypeAlias = ConditionField | ListField | ConstantField
AnyField: TypeAlias = TextField | ValueField | ConditionField
Leaf: TypeAlias = TextField | TemplateField | ConstantField | ConditionField


def leaves(field: AnyField) -> Iterator[Leaf]:
    """The templates and constants in a field, in order of evaluation, however deep they are."""
    pending: list[AnyField] = [field]
    while pending:
        part = pending.pop()
        if isinstance(part, ListField):
            pending += reversed(part.items)
        elif isinstance(part, ObjectField):
            pending += [item for _, item in reversed(part.entries)]
        else:
            yield part
