"""The language by walking the tree, as directly as it can be said: what examples and vectors are tried with.

No slots, no bytecode, no folding: names are looked up in a dictionary, and operands are evaluated in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.functions import SPELLINGS, Function, call
from compiler.language.functions.registry import Evaluate
from compiler.language.values import Value
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
from compiler.syntax.parser import parse_expression

BINARY: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": values.add,
    "-": values.subtract,
    "*": values.multiply,
    "/": values.divide,
    "%": values.remainder,
    "**": values.power,
    "==": values.equal,
    "!=": values.unequal,
    "<": values.less,
    "<=": values.less_equal,
    ">": values.greater,
    ">=": values.greater_equal,
}


class CannotCompile(Exception):
    """The compiler would refuse the expression."""


class StillMoment:
    """A moment for tests: the time stands still, bytes count up, nobody is connected but in `rooms`."""

    def __init__(self, time: float = 1_734_517_845.5, rooms: Mapping[str, Sequence[str]] | None = None) -> None:
        self.time = time
        self.rooms = rooms or {}
        self.variables: dict[str, str] = {}
        self.drawn = 0

    def now(self) -> float:
        return self.time

    def random_bytes(self, count: int) -> bytes:
        self.drawn += count
        return bytes(place * 97 % 256 for place in range(self.drawn - count, self.drawn))

    def environment(self, name: str) -> str | None:
        return self.variables.get(name)

    def connections(self) -> int:
        return sum(map(len, self.rooms.values()))

    def members(self, channel: str) -> Sequence[str]:
        return self.rooms.get(channel, ())

    def channel_size(self, channel: str) -> int:
        return len(self.members(channel))


def evaluate(text: str, variables: Mapping[str, Value] | None = None) -> Value:
    """The value of an expression. Raises Fault as it would when run, CannotCompile where it would not be run."""
    node, problems = parse_expression(text)
    if node is None or any(problem.code.severity is codes.Severity.ERROR for problem in problems):
        raise CannotCompile(problems)
    return Walker(variables or {}).value(node)


class Walker:
    """Evaluates with these variables."""

    def __init__(self, variables: Mapping[str, Value]) -> None:
        self.variables = variables

    def value(self, node: Expression) -> Value:
        """The value of one node."""
        match node:
            case Literal():
                return node.value
            case Parenthesised():
                return self.value(node.content)
            case Name():
                return self.variable(node.name)
            case Member():
                read = values.member_safe if node.safe else values.member
                return read(self.value(node.owner), node.key)
            case Index():
                read_index = values.index_safe if node.safe else values.index
                return read_index(self.value(node.owner), self.value(node.key))
            case Unary():
                operand = self.value(node.operand)
                return values.minus(operand) if node.operator == "-" else values.negate(operand)
            case Binary():
                return BINARY[node.operator](self.value(node.left_operand), self.value(node.right))
            case Logical():
                return self.logical(node)
            case Conditional():
                taken = (value for test, value in node.branches if values.truthy(self.value(test)))
                return self.value(next(taken, node.otherwise))
            case ListLiteral():
                return values.make_list(*map(self.value, node.items))
            case ObjectLiteral():
                return values.make_object(*(part for key, _, item in node.entries for part in (key, self.value(item))))
            case Call():
                return self.call(node)

    def variable(self, name: str) -> Value:
        """Raises Fault undefined-variable where there is none of this name."""
        if name not in self.variables:
            raise Fault(codes.UNDEFINED_VARIABLE, name)
        return self.variables[name]

    def logical(self, node: Logical) -> Value:
        """`&&`, `||`, `??`."""
        if node.operator == "??":
            left = self.excused(node.left_operand)
            return self.value(node.right) if left is None else left
        left = self.value(node.left_operand)
        return self.value(node.right) if values.truthy(left) == (node.operator == "&&") else left

    def excused(self, node: Expression) -> Value:
        """The left side of `??`: a chain of members is null where a link is missing."""
        match node:
            case Parenthesised():
                return self.excused(node.content)
            case Name():
                return self.variables.get(node.name)
            case Member():
                return values.member_safe(self.excused(node.owner), node.key)
            case Index():
                return values.index_safe(self.excused(node.owner), self.value(node.key))
            case _:
                return self.value(node)

    def call(self, node: Call) -> Value:
        """A function or filter. Raises CannotCompile for an unknown name or a wrong number of arguments."""
        row = SPELLINGS.get(node.name)
        count = len(node.arguments)
        if row is None or count < row.minimum or (row.maximum is not None and count > row.maximum):
            raise CannotCompile(node.name)
        if row.name == "default":
            left = self.excused(node.arguments[0])
            return self.value(node.arguments[1]) if left is None else left
        return call(row, [self.argument(row, place, node) for place in range(count)], StillMoment())

    def argument(self, row: Function, place: int, node: Call) -> Value | Evaluate:
        """One argument; an inner expression as something to be called with each element."""
        written = node.arguments[place]
        if row.parameter(place).literal == "":
            return self.value(written)
        if not isinstance(written, Literal) or not isinstance(written.value, str):
            raise CannotCompile("no literal")
        text = written.value
        if row.parameter(place).literal == "expression":
            return lambda item: evaluate(text, {**(item if isinstance(item, dict) else {}), "item": item})
        return text
