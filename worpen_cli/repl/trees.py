"""A tree of the syntax as an outline, a node a line, for `:ast`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from compiler.language.values import to_json
from compiler.syntax.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    ListLiteral,
    Literal,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Parenthesised,
    Template,
    Unary,
)

INDENT: Final = "  "
_Row: TypeAlias = "tuple[int, str, Expression | str]"
"""Depth, the part that the node plays in the one above, and the node."""


def outline(tree: Template | Expression) -> Iterator[str]:
    """The lines of a tree: kind, what is its own, and its range in the text. Needs no stack, however deep it is."""
    awaited: list[_Row] = [(0, "", tree)] if not isinstance(tree, Template) else _template_rows(tree)
    if isinstance(tree, Template):
        yield f"Template  {tree.span.start}..{tree.span.end}"
    while awaited:
        depth, role, node = awaited.pop()
        shown = f"{role}: " if role else ""
        if isinstance(node, str):
            yield f"{INDENT * depth}{shown}Text {to_json(node)}"
            continue
        yield f"{INDENT * depth}{shown}{_title(node)}  {node.span.start}..{node.span.end}"
        awaited += [(depth + 1, part, operand) for part, operand in reversed(list(_operands(node)))]


def _template_rows(tree: Template) -> list[_Row]:
    return [(1, "", part) for part in reversed(tree.parts)]


def _title(node: Expression) -> str:
    kind = type(node).__name__
    match node:
        case Literal(value=value):
            return f"{kind} {to_json(value)}"
        case Name(name=name):
            return f"{kind} {name}"
        case Member(key=key, safe=safe):
            return f"{kind} {'?.' if safe else '.'}{key}"
        case Index(safe=safe):
            return f"{kind} {'?.[]' if safe else '[]'}"
        case Call(name=name, piped=piped):
            return f"{kind} {'| ' if piped else ''}{name}"
        case Unary(operator=operator) | Binary(operator=operator) | Logical(operator=operator):
            return f"{kind} {operator}"
        case Conditional() | ListLiteral() | ObjectLiteral() | Parenthesised():
            return kind


def _operands(node: Expression) -> Iterator[tuple[str, Expression]]:
    """The operands in the order in which they are written, with the parts they play."""
    match node:
        case Literal() | Name():
            return
        case Member(owner=owner):
            yield "of", owner
        case Index(owner=owner, key=key):
            yield "of", owner
            yield "at", key
        case Call(arguments=arguments):
            yield from (("", argument) for argument in arguments)
        case Unary(operand=operand):
            yield "", operand
        case Binary(left_operand=left, right=right) | Logical(left_operand=left, right=right):
            yield "", left
            yield "", right
        case Conditional(branches=branches, otherwise=otherwise):
            for test, value in branches:
                yield "if", test
                yield "then", value
            yield "else", otherwise
        case ListLiteral(items=items):
            yield from (("", item) for item in items)
        case ObjectLiteral(entries=entries):
            yield from ((key, value) for key, _, value in entries)
        case Parenthesised(content=content):
            yield "", content
