"""Random expressions that can be read: every operator, every function, literals of all kinds, names from a list.

Drawn from a `random.Random`, so that a failure is repeated by its seed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from compiler.language.functions import FUNCTIONS, Function

LITERALS = ("0", "1", "2.5", "1e3", "'a'", "''", "'12'", "'x y'", "true", "false", "null", "[]", "{}", "'سن'")
OPERATORS = ("+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=")
CHOICES = ("&&", "||", "??", "??")
KEYS = ("x", "y", "n", "list", "length", "index")
PATTERNS = ("'a'", "'[0-9]+'", "'^x$'", "'('")
STEADY = tuple(row for row in FUNCTIONS.values() if not row.needs_moment)
"""Functions whose results are the same each time."""
FREQUENT = tuple(FUNCTIONS[name] for name in ("default", "map", "filter", "sum", "length", "first"))


@dataclass(frozen=True, slots=True)
class ExpressionWriter:
    """Writes expressions over these names."""

    random: Random
    names: Sequence[str]

    def expression(self, depth: int) -> str:
        """An expression that is nested about so deep."""
        if depth <= 0 or self.random.random() < 0.15:
            return self.random.choice(LITERALS) if self.random.random() < 0.4 else self.random.choice(self.names)
        write = self.random.choice(_FORMS)
        return write(self, depth - 1)

    def operand(self, depth: int) -> str:
        """An expression that binds tightly."""
        return self.random.choice(self.names) if self.random.random() < 0.5 else f"({self.expression(depth)})"

    def some(self, depth: int, most: int) -> list[str]:
        return [self.expression(depth) for _ in range(self.random.randint(0, most))]

    def binary(self, depth: int) -> str:
        operator = self.random.choice(OPERATORS)
        return f"{self.operand(depth)} {operator} {self.operand(depth)}"

    def loose(self, depth: int) -> str:
        """Operators in a row, which bind as they bind; a comparison may stand once."""
        operators = [
            self.random.choice(("+", "-", "*", "/", "%", "==", "!=")) for _ in range(self.random.randint(1, 3))
        ]
        rest = "".join(f" {operator} {self.operand(depth)}" for operator in operators)
        return self.operand(depth) + rest

    def group(self, depth: int) -> str:
        return f"({self.expression(depth)})"

    def member(self, depth: int) -> str:
        step, key = self.random.choice((".", "?.")), self.random.choice(KEYS)
        return f"{self.operand(depth)}{step}{key}"

    def index(self, depth: int) -> str:
        step = self.random.choice(("", "?."))
        return f"{self.operand(depth)}{step}[{self.expression(depth)}]"

    def unary(self, depth: int) -> str:
        return f"{self.random.choice('-!')}{self.operand(depth)}"

    def choice(self, depth: int) -> str:
        return f"{self.expression(depth)} {self.random.choice(CHOICES)} {self.expression(depth)}"

    def conditional(self, depth: int) -> str:
        return f"{self.expression(depth)} ? {self.expression(depth)} : {self.expression(depth)}"

    def list_(self, depth: int) -> str:
        return f"[{', '.join(self.some(depth, 3))}]"

    def object_(self, depth: int) -> str:
        entries = [f"{self.random.choice(('x', 'y', repr('n')))}: {value}" for value in self.some(depth, 2)]
        return "{" + ", ".join(entries) + "}"

    def call(self, depth: int) -> str:
        row = self.random.choice(STEADY if self.random.random() < 0.6 else FREQUENT)
        most = row.minimum + 2 if row.maximum is None else row.maximum
        count = self.random.randint(row.minimum, most) if self.random.random() < 0.95 else self.random.randint(0, 3)
        arguments = [self.argument(row, place, depth) for place in range(count)]
        if arguments and self.random.random() < 0.6:
            piped, *others = arguments
            return f"{piped} | {row.name}" + (f"({', '.join(others)})" if others else "")
        return f"{row.name}({', '.join(arguments)})"

    def argument(self, row: Function, place: int, depth: int) -> str:
        literal = row.parameter(place).literal if row.parameters else ""
        if self.random.random() < 0.03:
            literal = ""
        if literal == "expression":
            inner = replace(self, names=("item", "item", *KEYS[:3]))
            return json.dumps(inner.expression(min(depth, 2)), ensure_ascii=False)
        if literal == "pattern":
            return self.random.choice(PATTERNS)
        return "'HOME'" if literal else self.expression(depth)


_FORMS = (
    ExpressionWriter.binary,
    ExpressionWriter.binary,
    ExpressionWriter.loose,
    ExpressionWriter.group,
    ExpressionWriter.member,
    ExpressionWriter.member,
    ExpressionWriter.index,
    ExpressionWriter.unary,
    ExpressionWriter.choice,
    ExpressionWriter.choice,
    ExpressionWriter.conditional,
    ExpressionWriter.list_,
    ExpressionWriter.object_,
    ExpressionWriter.call,
    ExpressionWriter.call,
)
