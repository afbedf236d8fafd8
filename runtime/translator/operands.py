"""Operands of translated code: Python text for values that are there, and the choice of native templates for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compiler.bytecode.opcodes import NATURAL, Guard, Native
from compiler.language.values import Value
from runtime.translator import kinds
from runtime.translator.kinds import INEXACT

WEIGHT_LIMIT: Final = 12
"""Operators in a text that has no variable of its own yet: Python's parser and compiler go down one level for each."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value as Python text that can stand anywhere in the same statement: it has no effect and cannot fail.

    `weight` is how many operators it has: 0 for names and literals, which cost nothing to repeat. `literal` says
    that the text is that of the constant `value`.
    """

    text: str
    kinds: int
    weight: int = 0
    literal: bool = False
    value: Value = None


def literal(value: Value) -> Operand:
    """A constant that Python text can hold: null, a boolean, a number or a text."""
    text = (
        f"({value!r})" if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0 else repr(value)
    )
    return Operand(text, kinds.of_value(value), literal=True, value=value)


def is_known(operand: Operand, guard: Guard) -> bool:
    """Whether the facts say that the operand has the guard's class."""
    wanted = kinds.NUMBER if guard.numbers else kinds.OF_CLASS[guard.python_class]
    return not operand.kinds & ~wanted & ~INEXACT and (guard.numbers or not operand.kinds & INEXACT)


def may_pass(operand: Operand, guard: Guard) -> bool:
    """Whether a value of the operand's kinds can pass the guard."""
    wanted = kinds.NUMBER if guard.numbers else kinds.OF_CLASS[guard.python_class]
    if not operand.kinds & wanted:
        return False
    return not operand.literal or not guard.condition or _holds(guard.condition, operand)


def _holds(condition: str, operand: Operand) -> bool:
    """A condition on a literal, decided now. Both texts are ours: a template of the table and a number."""
    return bool(eval(condition.format(operand.text)))


def choose(natives: Sequence[Native], operands: Sequence[Operand]) -> Native | None:
    """The template that most of the operands are known to fit, None where none can fit."""
    best: Native | None = None
    most = -1
    for native in natives:
        pairs = list(zip(operands, native.guards, strict=True))
        if all(may_pass(operand, guard) for operand, guard in pairs):
            known = sum(is_known(operand, guard) for operand, guard in pairs)
            if known > most:
                best, most = native, known
    return best


def conditions(native: Native, operands: Sequence[Operand]) -> list[str]:
    """What is to be tested before a template may be used, as Python conditions."""
    found: list[str] = []
    for operand, guard in zip(operands, native.guards, strict=True):
        if not is_known(operand, guard):
            found.append(f"{operand.text}.__class__ is {guard.python_class.__name__}")
        if guard.condition and not operand.literal and not _follows(guard, operand):
            found.append(guard.condition.format(operand.text))
    return found


def _follows(guard: Guard, operand: Operand) -> bool:
    return guard is NATURAL and not operand.kinds & ~kinds.NATURAL
