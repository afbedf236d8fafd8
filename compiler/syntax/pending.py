"""What an expression has begun and not finished: operators that await an operand, brackets that await a closer.

Each is one level of the tree that is not on a spine, so the number of things pending bounds its nesting.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import field
from typing import ClassVar, Final, TypeAlias

from compiler.diagnostics.source import Span
from compiler.records import dataclass
from compiler.syntax.lexer import Token
from compiler.syntax.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    ListLiteral,
    Logical,
    ObjectLiteral,
    Parenthesised,
    Unary,
)

POWER: Final = 2
PREFIX: Final = 3
PIPE: Final = 6
ORDER: Final = 7
CHOICE: Final = 12
OPEN: Final = 100
"""Looser than every operator: only its own closer completes it."""

LEVELS: Final[dict[str, int]] = {
    "**": POWER,
    **dict.fromkeys(("*", "/", "%"), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("<", "<=", ">", ">="), ORDER),
    **dict.fromkeys(("==", "!="), 8),
    "&&": 9,
    "||": 10,
    "??": 11,
}
"""The operators with two operands, and how tightly they bind: THE table of language section 7."""

LOGICAL: Final = frozenset({"&&", "||", "??"})


@dataclass(slots=True)
class Infix:
    """`left operator …`."""

    level: int
    left: Expression
    operator: Token

    def complete(self, node: Expression) -> Expression:
        """The operation, now that its right operand is known."""
        _, operator, start, end = self.operator
        span = Span(self.left.span.start, node.span.end)
        if operator in LOGICAL:
            return Logical(operator, self.left, node, span, Span(start, end))
        return Binary(operator, self.left, node, span, Span(start, end))


@dataclass(slots=True)
class Prefix:
    """`-…` or `!…`."""

    level: ClassVar[int] = PREFIX
    operator: Token

    def complete(self, node: Expression) -> Expression:
        """The operation on its operand."""
        return Unary(self.operator[1], node, Span(self.operator[2], node.span.end))


@dataclass(slots=True)
class Choice:
    """`test ? … : test ? … : …`: OPEN up to its `:`, then an operator that awaits what is chosen otherwise."""

    test: Expression
    question: Token
    level: int = OPEN
    branches: list[tuple[Expression, Expression]] = field(default_factory=list)

    def answer(self, value: Expression) -> None:
        """Take the value of the test just asked."""
        self.branches.append((self.test, value))
        self.level = CHOICE

    def ask(self, test: Expression, question: Token) -> None:
        """Go on with a further test in the place of what is chosen otherwise."""
        self.test, self.question, self.level = test, question, OPEN

    def complete(self, node: Expression) -> Expression:
        """The whole chain, with what is chosen otherwise."""
        return Conditional(tuple(self.branches), node, Span(self.branches[0][0].span.start, node.span.end))


@dataclass(slots=True)
class Bracket(ABC):
    """Something between an opener and its closer; `items` are what commas have finished in it."""

    level: ClassVar[int] = OPEN
    closer: ClassVar[str]
    takes_commas: ClassVar[bool] = True
    opener: Token
    items: list[Expression] = field(default_factory=list, kw_only=True)

    @abstractmethod
    def close(self, node: Expression, end: int) -> Expression:
        """What the brackets make of the last item, which ends before the closer that ends at `end`."""

    def complete(self, node: Expression) -> Expression:
        """Never asked for: brackets are closed."""
        raise AssertionError("a bracket is closed, not completed")


class Group(Bracket):
    """`( … )`."""

    __slots__ = ()
    closer = ")"
    takes_commas = False

    def close(self, node: Expression, end: int) -> Expression:
        """The content, marked as parenthesised."""
        return Parenthesised(node, Span(self.opener[2], end))


class Braces(Bracket):
    """`{{ … }}` inside a condition; the opener is both braces."""

    __slots__ = ()
    closer = "}"
    takes_commas = False

    def close(self, node: Expression, end: int) -> Expression:
        """The content, marked as parenthesised."""
        return Parenthesised(node, Span(self.opener[2], end))


class ListBrackets(Bracket):
    """`[ … ]` of a list."""

    __slots__ = ()
    closer = "]"

    def close(self, node: Expression, end: int) -> Expression:
        """The list."""
        return ListLiteral((*self.items, node), Span(self.opener[2], end))


@dataclass(slots=True)
class IndexBrackets(Bracket):
    """`owner[ … ]`, and `owner?.[ … ]` where `safe`."""

    closer: ClassVar[str] = "]"
    takes_commas: ClassVar[bool] = False
    owner: Expression
    safe: bool

    def close(self, node: Expression, end: int) -> Expression:
        """The element."""
        return Index(self.owner, node, self.safe, Span(self.owner.span.start, end))


@dataclass(slots=True)
class ObjectBraces(Bracket):
    """`{ … }`: `keys` run one ahead of `items`."""

    closer: ClassVar[str] = "}"
    keys: list[tuple[str, Span]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def close(self, node: Expression, end: int) -> Expression:
        """The object."""
        pairs = zip(self.keys, (*self.items, node), strict=True)
        return ObjectLiteral(tuple((key, span, value) for (key, span), value in pairs), Span(self.opener[2], end))


@dataclass(slots=True)
class Arguments(Bracket):
    """`name( … )`; piped where the first of the items came through a pipe."""

    closer: ClassVar[str] = ")"
    name: Token
    piped: Expression | None = None

    def close(self, node: Expression, end: int) -> Expression:
        """The call."""
        return make_call(self.name, (*self.items, node), self.piped, end)


def make_call(name: Token, arguments: tuple[Expression, ...], piped: Expression | None, end: int) -> Call:
    """`name(arguments)` or `piped | name(arguments)`, ending at `end`."""
    _, text, start, name_end = name
    if piped is None:
        return Call(text, arguments, False, Span(start, end), Span(start, name_end))
    return Call(text, (piped, *arguments), True, Span(piped.span.start, end), Span(start, name_end))


Pending: TypeAlias = Infix | Prefix | Choice | Bracket
