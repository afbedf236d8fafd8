"""Trees as nested tuples without places: what tests compare."""

from __future__ import annotations

from typing import Any

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
    Unary,
)


def outline(node: Expression) -> Any:
    """Names are text, literals one-tuples; parentheses vanish. Recursive: for small trees."""
    match node:
        case Literal(value=value):
            return (value,)
        case Name(name=name):
            return name
        case Parenthesised(content=content):
            return outline(content)
        case Member(owner=owner, key=key, safe=safe):
            return ("?." if safe else ".", outline(owner), key)
        case Index(owner=owner, key=place, safe=safe):
            return ("?[" if safe else "[", outline(owner), outline(place))
        case Call(name=name, arguments=arguments, piped=piped):
            return ("|" if piped else "call", name, *map(outline, arguments))
        case Unary(operator=operator, operand=operand):
            return (operator, outline(operand))
        case Binary() | Logical():
            return (node.operator, outline(node.left_operand), outline(node.right))
        case Conditional(branches=branches, otherwise=otherwise):
            return ("?", *((outline(test), outline(value)) for test, value in branches), outline(otherwise))
        case ListLiteral(items=items):
            return ("list", *map(outline, items))
        case ObjectLiteral(entries=entries):
            return ("object", *((key, outline(value)) for key, _, value in entries))
