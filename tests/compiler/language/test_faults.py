"""Faults: what a catch block sees, and what no catch block does."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault, HookTimeout, Mark, OutOfFuel, Uncatchable


def test_a_fault_shows_its_kind_unless_it_has_a_code_of_its_own() -> None:
    assert Fault(codes.DIVISION_BY_ZERO, "no", 1, 0).code == "division_by_zero"
    assert Fault(codes.DIVISION_BY_ZERO, "no", 1, 0).operands == (1, 0)
    assert Fault(codes.THROWN, "no", code="mine").code == "mine"


@pytest.mark.parametrize(("kind", "code"), [(OutOfFuel, "out_of_fuel"), (HookTimeout, "hook_timeout")])
def test_some_ends_are_no_exceptions(kind: type[Uncatchable], code: str) -> None:
    assert not issubclass(kind, Exception)
    assert kind("the end").code == code


def test_places_belong_to_one_fault_each() -> None:
    mark = Mark(3, 5, 3, 9, "If.condition")
    fault, other = Fault(codes.THROWN, "a"), Fault(codes.THROWN, "b")
    fault.mark = mark
    assert other.mark is None
    assert mark.operation == "If"
    assert Mark(1, 1, 1, 2, "").operation is None
