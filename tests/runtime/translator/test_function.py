"""A chunk as a function: names, fuel, inner expressions, and what Python refuses."""

from __future__ import annotations

import pytest

from runtime.translator import NotTranslatable
from tests.runtime.translator.translated import translated

DEEP = " ; ".join(f"INPUT params ; CONST {n} ; LT ; IF 1 ; CONST {n} ; ELSE" for n in range(150))


def test_a_function_names_only_what_it_needs() -> None:
    names = set(translated("INPUT message ; RETURN").names)
    assert names == {"LEAVING", "leave", "PLACES"}


def test_fuel_is_there_where_it_is_asked_for() -> None:
    assert "fuel" not in translated("CONST [1] ; EACH 0 ; END").text.replace("out_of_fuel", "")
    assert " fuel = 100\n" in translated("CONST [1] ; EACH 0 ; END ; CONST [1] ; EACH 0 ; END").text


def test_inner_expressions_pay_from_one_tank() -> None:
    made = translated("CONST [1, 2] ; INNER {LOCAL 0 ; CONST 2 ; MUL ; RETURN} ; CALL map/2 ; RETURN")
    assert " tank = [100]\n" in made.text
    tank = [1]
    assert made.names["inner_0"](tank, 4) == 8
    assert tank == [0]


def test_what_is_nested_too_deep_for_python_is_said() -> None:
    with pytest.raises(NotTranslatable):
        translated(f"{DEEP} ; CONST 5{' ; END' * 150} ; RETURN")
