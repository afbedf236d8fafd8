"""Inner expressions: the text literal in `map('price * 2')`, read as an expression of its own."""

from __future__ import annotations

from compiler.records import dataclass
from compiler.syntax.findings import Locate
from compiler.syntax.nodes import Expression, Literal
from compiler.syntax.parser import parse_expression
from compiler.syntax.problems import Problem


@dataclass(frozen=True, slots=True)
class Inner:
    """What stands in the literal: its tree, None where it is broken. Spans count from the literal's first character."""

    literal: Literal
    tree: Expression | None
    problems: tuple[Problem, ...]

    def within(self, outer: Locate) -> Locate:
        """How to find this expression's spans, given how to find those of the text around it.

        A literal that is written with escapes has no such places: everything is then at the literal.
        """
        span = self.literal.span
        assert isinstance(self.literal.value, str)
        if span.end - span.start != len(self.literal.value) + 2:
            return lambda _: outer(span)
        return lambda inside: outer(inside.shifted(span.start + 1))


def inner_expression(literal: Literal) -> Inner:
    """Read a text literal as an expression."""
    assert isinstance(literal.value, str)
    return Inner(literal, *parse_expression(literal.value))
