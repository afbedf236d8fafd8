"""Random expressions, compiled and run, are what walking their trees makes of them (language section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code, Severity
from compiler.language.faults import Fault
from compiler.language.functions import Evaluate, Function
from compiler.language.hooks import INPUTS
from compiler.language.values import UNSET, Unset, Value, identical, kind_of, member, member_safe
from compiler.syntax.nodes import Call, Expression, Literal, Name
from compiler.syntax.parser import parse_expression
from compiler.unit import HOOK, compile_unit
from runtime.seam import Context
from runtime.single import link_hook
from tests.compiler.language.functions.evaluator import CannotCompile, StillMoment, Walker
from tests.property.random_expressions import ExpressionWriter

VARIABLES: Final[Mapping[str, Value]] = {
    "one": 1,
    "half": 2.5,
    "text": "text",
    "digits": "12",
    "nothing": None,
    "yes": True,
    "object": {"x": {"y": 2}, "list": [1, 2, 3], "n": None},
    "list": [1, "2", {"x": 5}, None],
    "items": [{"x": 1, "y": "a"}, {"x": 2, "n": [1]}],
    "empty": [],
}
UNSET_NAME: Final = "unset"
"""It is known, and nothing was set: reading it fails when it runs."""
NAMES: Final = (*VARIABLES, UNSET_NAME)
FUEL: Final = 10_000
ALWAYS_REFUSED: Final = frozenset(
    {codes.UNKNOWN_FUNCTION, codes.ARGUMENT_COUNT, codes.NOT_A_LITERAL, codes.BAD_PATTERN, codes.BAD_EXPRESSION}
)
"""Mistakes that are refused also where they would not run."""


class InnerWalker(Walker):
    """Names of an inner expression are the item's members."""

    def variable(self, name: str) -> Value:
        item = self.variables["item"]
        return item if name == "item" else member(item, name)

    def excused(self, node: Expression) -> Value:
        if isinstance(node, Name) and node.name != "item":
            return member_safe(self.variables["item"], node.name)
        return super().excused(node)

    def argument(self, row: Function, place: int, node: Call) -> Value | Evaluate:
        return inner_argument(self, row, place, node)


class OuterWalker(Walker):
    """The variables are those of the hook; `unset` is none of them."""

    def argument(self, row: Function, place: int, node: Call) -> Value | Evaluate:
        return inner_argument(self, row, place, node)


def inner_argument(walker: Walker, row: Function, place: int, node: Call) -> Value | Evaluate:
    """One argument; inner expressions are walked by themselves."""
    written = node.arguments[place]
    if row.parameter(place).literal != "expression" or not isinstance(written, Literal):
        return Walker.argument(walker, row, place, node)
    tree, _ = parse_expression(str(written.value))
    if tree is None:
        raise CannotCompile(written.value)
    return lambda item: InnerWalker({"item": item}).value(tree)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value, or why there is none."""

    value: Value = None
    fault: Code | None = None
    refused: Code | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Outcome):
            return NotImplemented
        same = self.fault is other.fault and self.refused is other.refused
        return same and identical(self.value, other.value)


def walked(text: str) -> Outcome:
    """What walking the tree makes of an expression."""
    tree, _ = parse_expression(text)
    if tree is None:
        return Outcome(refused=codes.BAD_EXPRESSION)
    try:
        return Outcome(OuterWalker(dict(VARIABLES)).value(tree))
    except Fault as fault:
        return Outcome(fault=fault.kind)
    except CannotCompile:
        return Outcome(refused=codes.BAD_EXPRESSION)


def compiled(text: str) -> Outcome:
    """What compiling and running makes of it."""
    unit = compile_unit("expression", text, NAMES)
    if unit.program is None:
        errors = [d.code for d in unit.report.sorted() if d.severity is Severity.ERROR]
        return Outcome(refused=errors[0])
    slots: list[Value | Unset] = [*VARIABLES.values(), UNSET]
    hook = link_hook(unit.program, HOOK, Context(StillMoment(), FUEL))
    try:
        return Outcome(hook([None] * len(INPUTS), slots, print))  # type: ignore[arg-type]
    except Fault as fault:
        return Outcome(fault=fault.kind)


def written(seed: int) -> str:
    random = Random(seed)
    return ExpressionWriter(random, NAMES).expression(random.randint(1, 5))


@given(st.integers(0, 2**32))
@settings(max_examples=1500)
def test_running_agrees_with_walking(seed: int) -> None:
    text = written(seed)
    made, expected = compiled(text), walked(text)
    if made.refused is None:
        assert made == expected, text
    elif made.refused not in ALWAYS_REFUSED and not makes_no_round(text):
        assert expected.refused or expected.fault, (text, made)


def makes_no_round(text: str) -> bool:
    """Whether an inner expression may have been refused that no item was there for."""
    return '"' in text


@given(st.integers(0, 2**32))
@settings(max_examples=300)
def test_the_kinds_of_a_value_are_foreseen(seed: int) -> None:
    text = written(seed)
    unit = compile_unit("expression", text, NAMES)
    outcome = compiled(text)
    if unit.program is not None and outcome.fault is None:
        assert kind_of(outcome.value) & unit.kinds, (text, outcome.value)
