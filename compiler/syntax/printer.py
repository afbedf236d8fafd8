"""Trees back to source: one canonical spelling, with no parentheses but those that are needed or clearer.

What a filter is applied to, or makes, stands in parentheses wherever an arithmetic operator is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from compiler.language.values import Value, text
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
    unwrap,
)
from compiler.syntax.pending import CHOICE, LEVELS, ORDER, PIPE, POWER, PREFIX

_OPERAND: Final = 1
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"})

_Part: TypeAlias = str | Expression


def show(node: Expression) -> str:
    """The expression as source that reads back as the same tree, parentheses aside."""
    shown: list[str] = []
    awaited: list[_Part] = [node]
    while awaited:
        part = awaited.pop()
        if isinstance(part, str):
            shown.append(part)
        else:
            awaited += reversed(list(_parts(unwrap(part))))
    return "".join(shown)


def _parts(node: Expression) -> Iterable[_Part]:
    """A node as source, its operands still trees."""
    match node:
        case Literal(value=value):
            return (_literal(value),)
        case Name(name=name):
            return (name,)
        case Member(owner=owner, key=key, safe=safe):
            return (*_enclosed(owner, not _can_have_members(owner)), "?." if safe else ".", key)
        case Index(owner=owner, key=place, safe=safe):
            return (*_enclosed(owner, _level(owner) > _OPERAND), "?.[" if safe else "[", place, "]")
        case Call():
            return _call(node)
        case Unary(operator=operator, operand=operand):
            return (operator, *_enclosed(operand, _level(operand) > PREFIX))
        case Binary() | Logical():
            return _operation(node)
        case Conditional():
            return _conditional(node)
        case ListLiteral(items=items):
            return ("[", *_separated((item,) for item in items), "]")
        case ObjectLiteral(entries=entries):
            return ("{", *_separated((f"{_key(key)}: ", value) for key, _, value in entries), "}")
        case Parenthesised(content=content):
            return ("(", content, ")")


def _call(node: Call) -> Iterable[_Part]:
    if not node.piped:
        return (f"{node.name}(", *_separated((argument,) for argument in node.arguments), ")")
    piped, *arguments = node.arguments
    negated = isinstance(unwrap(piped), Unary)
    passed = ("(", *_separated((argument,) for argument in arguments), ")") if arguments else ()
    return (*_enclosed(piped, negated or _level(piped) > PIPE), f" | {node.name}", *passed)


def _operation(node: Binary | Logical) -> Iterable[_Part]:
    level = LEVELS[node.operator]
    left_level, right_level = _level(node.left_operand), _level(node.right)
    left_loose = left_level > level or (left_level == level and level in (POWER, ORDER))
    # `2 ** -x` and `2 ** 3 ** 2` need none.
    right_loose = right_level > PREFIX if level == POWER else right_level >= level
    return (*_enclosed(node.left_operand, left_loose), f" {node.operator} ", *_enclosed(node.right, right_loose))


def _conditional(node: Conditional) -> Iterable[_Part]:
    for test, value in node.branches:
        yield from (*_enclosed(test, _level(test) == CHOICE), " ? ", value, " : ")
    yield from _enclosed(node.otherwise, _level(node.otherwise) == CHOICE)


def _enclosed(node: Expression, loose: bool) -> tuple[_Part, ...]:
    return ("(", node, ")") if loose else (node,)


def _separated(items: Iterable[tuple[_Part, ...]]) -> list[_Part]:
    """The items with commas between them."""
    return [part for number, item in enumerate(items) for part in ((", ", *item) if number else item)]


def _level(node: Expression) -> int:
    """How loosely a node binds, as it is printed."""
    node = unwrap(node)
    match node:
        case Binary(operator=operator) | Logical(operator=operator):
            return LEVELS[operator]
        case Unary():
            return PREFIX
        case Literal(value=int() | float() as number) if number < 0:
            return PREFIX
        case Call(piped=True):
            return PIPE
        case Conditional():
            return CHOICE
        case _:
            return _OPERAND


def _can_have_members(owner: Expression) -> bool:
    node = unwrap(owner)
    is_number = isinstance(node, Literal) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return _level(node) == _OPERAND and not is_number


def _literal(value: Value) -> str:
    return f"'{value.translate(_ESCAPES)}'" if isinstance(value, str) else text(value)


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else _literal(key)
