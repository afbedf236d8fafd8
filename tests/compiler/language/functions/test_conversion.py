"""Functions between kinds of values."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.values import ErrorValue, Value
from tests.compiler.language.functions.calls import fault, run


@pytest.mark.parametrize(
    ("name", "argument", "result"),
    [
        ("to_string", True, "true"),
        ("to_string", 1e-7, "1e-7"),
        ("string", {"a": [1.5]}, '{"a":[1.5]}'),
        ("to_string", ErrorValue(message="it broke"), "it broke"),
        ("to_number", "\t1e3\n", 1000),
        ("to_number", "-0", 0),
        ("to_number", 1.5, 1.5),
        ("number", False, 0),
        ("to_bool", "FALSE", False),
        ("to_bool", "\n0 ", False),
        ("to_bool", "off", False),
        ("to_bool", "Null", False),
        ("to_bool", "0.0", True),
        ("to_bool", " ", True),
        ("to_bool", "none", True),
        ("bool", 0, False),
        ("bool", [], True),
        ("bool", {}, True),
        ("type", 1, "number"),
        ("type", True, "boolean"),
        ("type", {}, "object"),
        ("type", "", "text"),
        ("type", ErrorValue(), "object"),
    ],
)
def test_results(name: str, argument: Value, result: Value) -> None:
    found = run(name, argument)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("argument", "kind"),
    [
        ("abc", codes.BAD_ARGUMENT),
        ("", codes.BAD_ARGUMENT),
        ("1,000", codes.BAD_ARGUMENT),
        ("+5", codes.BAD_ARGUMENT),
        ("0x10", codes.BAD_ARGUMENT),
        ("1e400", codes.NUMBER_RANGE),
        (None, codes.TYPE_ERROR),
        ([1], codes.TYPE_ERROR),
        ({}, codes.TYPE_ERROR),
    ],
)
def test_what_is_no_number(argument: Value, kind: object) -> None:
    assert fault("to_number", argument) is kind


@pytest.mark.parametrize("value", [0, "", False, [], "x"])
def test_default_replaces_null_alone(value: Value) -> None:
    assert run("default", value, "other") == value
    assert run("default", None, value) == value
