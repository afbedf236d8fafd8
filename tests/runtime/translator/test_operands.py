"""Operands, and which native templates fit them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from compiler.bytecode.opcodes import Native, Opcode
from compiler.language.faults import Fault
from compiler.language.functions import FUNCTIONS
from runtime.translator import kinds
from runtime.translator.calls import FUSED_CALLS, NATIVE_CALLS
from runtime.translator.operands import Operand, choose, conditions, literal
from tests.property.engines import VALUES

HELPED = [(opcode.helper, native) for opcode in Opcode if opcode.helper for native in opcode.natives if native.signed]
CALLED = [(FUNCTIONS[name].implementation, native) for name, rows in NATIVE_CALLS.items() for native in rows]
FUSED = [
    (lambda *given, a=first, b=second: FUNCTIONS[b].implementation(FUNCTIONS[a].implementation(*given)), native)
    for (first, second), rows in FUSED_CALLS.items()
    for native in rows
]


def passes(native: Native, given: tuple[Any, ...]) -> bool:
    """Whether values pass a template's guards."""
    return all(
        value.__class__ is guard.python_class and (not guard.condition or eval(guard.condition.format("value")))
        for value, guard in zip(given, native.guards, strict=True)
    )


@pytest.mark.parametrize(("helper", "native"), [*HELPED, *CALLED, *FUSED], ids=lambda row: getattr(row, "template", ""))
def test_a_template_is_its_helper_for_all_that_passes_its_guards(helper: Any, native: Native) -> None:
    compared = 0
    for given in itertools.product(VALUES, repeat=len(native.guards)):
        if not passes(native, given):
            continue
        text = native.template.format(*(f"given[{place}]" for place in range(len(given))))
        try:
            made = eval(text)
        except OverflowError:
            with pytest.raises(Fault, match="too large"):
                helper(*given)
            continue
        if native.check and not eval(native.check.format("made")):
            continue
        expected = helper(*given)
        assert made == expected, given
        assert not native.exact or made.__class__ is expected.__class__, given
        compared += 1
    assert compared


def test_the_unsigned_remainder_is_0_where_the_remainder_is() -> None:
    (native,) = [native for native in Opcode.MOD.natives if not native.signed]
    assert Opcode.MOD.helper is not None
    for left, right in itertools.product(VALUES, repeat=2):
        if passes(native, (left, right)):
            assert (eval(native.template.format("left", "right")) == 0) is (Opcode.MOD.helper(left, right) == 0)


def test_a_literal_that_fails_a_guard_rules_the_template_out() -> None:
    left = Operand("s0", kinds.ANY)
    assert choose(Opcode.DIV.natives, [left, literal(0)]) is None
    assert choose(Opcode.DIV.natives, [left, literal(2)]) is Opcode.DIV.natives[0]
    assert choose(Opcode.SUB.natives, [left, literal("3")]) is None


def test_the_template_with_most_known_operands_is_taken() -> None:
    numbers, texts = Opcode.EQ.natives
    unknown = Operand("s0", kinds.ANY)
    assert choose(Opcode.EQ.natives, [unknown, unknown]) is numbers
    assert choose(Opcode.EQ.natives, [unknown, Operand("i1", kinds.TEXT)]) is texts


def test_facts_delete_tests() -> None:
    (native,) = Opcode.SUB.natives
    assert conditions(native, [Operand("s0", kinds.ANY), literal(1)]) == ["s0.__class__ is int"]
    assert conditions(native, [Operand("l0", kinds.NATURAL), literal(1)]) == []
    assert conditions(Opcode.MOD.natives[0], [Operand("l0", kinds.NATURAL), literal(3)]) == []
    assert conditions(Opcode.MOD.natives[0], [Operand("l0", kinds.WHOLE), literal(3)]) == ["l0 >= 0"]


def test_a_float_that_may_be_whole_is_only_compared() -> None:
    made = Operand("t1", kinds.NUMBER | kinds.INEXACT)
    assert conditions(Opcode.LT.natives[0], [made, literal(1)]) == []
    assert conditions(Opcode.SUB.natives[0], [made, literal(1)]) == ["t1.__class__ is int"]


def test_literals_can_stand_anywhere() -> None:
    assert [literal(value).text for value in (None, True, -1, 2.5, -2.5, "it's")] == [
        "None", "True", "(-1)", "2.5", "(-2.5)", '"it\'s"',
    ]  # fmt: skip
