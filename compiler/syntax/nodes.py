"""Trees of templates and expressions.

Spans are offsets in the scalar's *value*; `compiler.syntax.offsets` turns them into places of the file.
Chains (`1 + 1 + …`, `x | trim | trim …`, `a.b.c …`) lean to the left without bound: `left_of` is the operand
that is evaluated first and always. Walkers go down `spine()` in a loop and recurse only into the other
operands, whose nesting the parser bounds (`compiler.syntax.expressions.OPERAND_DEPTH`). Never compare or
show trees by `==` or `repr`, which recurse into everything; `compiler.syntax.printer.show` does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from compiler.diagnostics.source import Span
from compiler.language.values import Value
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """`12`, `'a'`, `true`, `null`."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A variable: `message`."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """`owner.key`, or `owner?.key` where `safe`; `name_span` is the key alone."""

    owner: Expression
    key: str
    safe: bool
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`owner[key]`, `owner?.[key]`, and `owner.0`."""

    owner: Expression
    key: Expression
    safe: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b)` or, `piped`, `a | f(b)`: the piped value is `arguments[0]`. `name_span` is the name alone."""

    name: str
    arguments: tuple[Expression, ...]
    piped: bool
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `!x`."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic and comparison: `+ - * / % ** == != < <= > >=`; both operands are always evaluated."""

    operator: str
    left_operand: Expression
    right: Expression
    span: Span
    operator_span: Span


@dataclass(frozen=True, slots=True)
class Logical:
    """`&&`, `||`, `??`: the right operand is evaluated only where the left one does not decide."""

    operator: str
    left_operand: Expression
    right: Expression
    span: Span
    operator_span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? value : test ? value : otherwise`: one node for a whole chain."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    """`{key: a, 'key': b}`: keys with their spans."""

    entries: tuple[tuple[str, Span, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Parenthesised:
    """`( … )`, and `{{ … }}` inside a condition: kept for messages; means its content."""

    content: Expression
    span: Span


Expression: TypeAlias = (
    Literal
    | Name
    | Member
    | Index
    | Call
    | Unary
    | Binary
    | Logical
    | Conditional
    | ListLiteral
    | ObjectLiteral
    | Parenthesised
)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with templates: literal texts and expressions in turn, none of them empty texts.

    `broken`: some template could not be read and is missing from the parts. A problem was reported;
    later stages keep quiet about the text, and `constant` and `sole` are None.
    """

    parts: tuple[str | Expression, ...]
    span: Span
    broken: bool = False

    @property
    def constant(self) -> str | None:
        """The text, where it holds no expression."""
        if self.broken:
            return None
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], str) else None

    @property
    def sole(self) -> Expression | None:
        """The expression, where the whole text is exactly one template: its value keeps its type."""
        if self.broken:
            return None
        return self.parts[0] if len(self.parts) == 1 and not isinstance(self.parts[0], str) else None

    @property
    def expressions(self) -> Iterator[Expression]:
        """The expressions, in order."""
        return (part for part in self.parts if not isinstance(part, str))


def left_of(node: Expression) -> Expression | None:
    """The operand that is evaluated first, always, and without nesting bound."""
    if isinstance(node, (Binary, Logical)):
        return node.left_operand
    if isinstance(node, (Member, Index)):
        return node.owner
    if isinstance(node, Call) and node.piped:
        return node.arguments[0]
    return None


def spine(node: Expression) -> list[Expression]:
    """The node and its left operands, innermost first."""
    nodes = [node]
    while (left := left_of(nodes[-1])) is not None:
        nodes.append(left)
    return nodes[::-1]


def others(node: Expression) -> tuple[Expression, ...]:
    """The operands that are not on the node's spine, in order of evaluation."""
    match node:
        case Binary() | Logical():
            return (node.right,)
        case Index():
            return (node.key,)
        case Call():
            return node.arguments[1:] if node.piped else node.arguments
        case Unary():
            return (node.operand,)
        case Conditional():
            return (*(part for branch in node.branches for part in branch), node.otherwise)
        case ListLiteral():
            return node.items
        case ObjectLiteral():
            return tuple(value for _, _, value in node.entries)
        case Parenthesised():
            return (node.content,)
        case Literal() | Name() | Member():
            return ()


def walk(node: Expression) -> Iterator[Expression]:
    """Every node of the tree, operands before what uses them. Needs no stack of the host, however deep the tree."""
    awaited: list[tuple[Expression, bool]] = [(node, False)]
    while awaited:
        part, operands_done = awaited.pop()
        if operands_done:
            yield part
            continue
        awaited.append((part, True))
        awaited += [(operand, False) for operand in reversed(others(part))]
        if (left := left_of(part)) is not None:
            awaited.append((left, False))


def unwrap(node: Expression) -> Expression:
    """What stands inside any parentheses."""
    while isinstance(node, Parenthesised):
        node = node.content
    return node
