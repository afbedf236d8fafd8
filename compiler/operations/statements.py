"""A SQL statement as an operation has it: its text, and where it stands."""

from __future__ import annotations

from compiler.diagnostics.source import Span
from compiler.records import dataclass
from compiler.syntax.tree import Scalar


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as written. `scalar` is where it stands, so that its parts can be found in the file."""

    text: str
    scalar: Scalar
    field: str = ""

    @property
    def span(self) -> Span:
        """Its place in the file."""
        return self.scalar.span
