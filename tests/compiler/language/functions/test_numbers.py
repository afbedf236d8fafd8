"""Functions on numbers."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.functions.numbers import rounded
from compiler.language.values import Value
from tests.compiler.language.functions.calls import fault, run


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("abs", ["-1.5"], 1.5),
        ("round", [0.5], 1),
        ("round", [-0.5], -1),
        ("round", [1.5], 2),
        ("round", [0.49999999999999994], 0),
        ("round", [-0.4], 0),
        ("round", [1.005, 2], 1.01),
        ("round", [2.675, 2], 2.68),
        ("round", [-1.005, 2], -1.01),
        ("round", [8.345, 2], 8.35),
        ("round", [1250, -2], 1300),
        ("round", [1250.5, -2], 1300),
        ("round", [-1250, -2], -1300),
        ("round", [5, -1], 10),
        ("round", [4, -1], 0),
        ("round", [1, -9999], 0),
        ("round", [0.1, 9999], 0.1),
        ("round", [5e-324, 400], 5e-324),
        ("round", [5e-324, 10], 0),
        ("round", [1e300, 2], int(1e300)),
        ("round", ["2.5", "0"], 3),
        ("floor", [-0.5], -1),
        ("floor", [1e300], int(1e300)),
        ("ceil", [-0.5], 0),
        ("ceil", [5], 5),
        ("sqrt", [2], 1.4142135623730951),
        ("sqrt", [0], 0),
        ("max", [["9", 10]], 10),
        ("max", ["10", 9], 10),
        ("max", [5], 5),
        ("min", [[0.5]], 0.5),
        ("format_number", [1234.5, 0], "1,235"),
        ("format_number", [-1234567.891], "-1,234,567.89"),
        ("format_number", [-0.001], "0.00"),
        ("format_number", [1.005], "1.01"),
        ("format_number", [999.995], "1,000.00"),
        ("format_number", [0.5, 3], "0.500"),
        ("format_number", [1e21, 0], "1,000,000,000,000,000,000,000"),
        ("format_number", ["12", "1"], "12.0"),
        ("format_bytes", [1023], "1023 B"),
        ("format_bytes", [1.5], "1.5 B"),
        ("format_bytes", [-2048], "-2.00 KB"),
        ("format_bytes", [1536 * 1024], "1.50 MB"),
        ("format_bytes", [1024**2 - 1], "1.00 MB"),
        ("format_bytes", [1024**4], "1.00 TB"),
        ("format_bytes", [1024**8 * 5000], "5000.00 YB"),
    ],
)
def test_results(name: str, arguments: list[Value], result: Value) -> None:
    found = run(name, *arguments)
    assert (found, type(found)) == (result, type(result))
    assert repr(found) == repr(result)


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("round", [1.5, 0.5], codes.BAD_ARGUMENT),
        ("round", [1.7e308, -308], codes.NUMBER_RANGE),
        ("round", ["abc"], codes.TYPE_ERROR),
        ("round", [None], codes.TYPE_ERROR),
        ("sqrt", [-1], codes.BAD_ARGUMENT),
        ("max", [[]], codes.BAD_ARGUMENT),
        ("min", [[]], codes.BAD_ARGUMENT),
        ("max", [["a"]], codes.TYPE_ERROR),
        ("max", [[None]], codes.TYPE_ERROR),
        ("max", [[1], 2], codes.TYPE_ERROR),
        ("max", [1, [2]], codes.TYPE_ERROR),
        ("min", [True], codes.TYPE_ERROR),
        ("format_number", [1, -1], codes.BAD_ARGUMENT),
        ("format_number", [1, 101], codes.BAD_ARGUMENT),
        ("format_number", [1, 1.5], codes.BAD_ARGUMENT),
        ("format_bytes", ["1 KB"], codes.TYPE_ERROR),
    ],
)
def test_faults(name: str, arguments: list[Value], kind: object) -> None:
    assert fault(name, *arguments) is kind


def test_rounding_keeps_the_zeros() -> None:
    assert str(rounded(1.5, 3)) == "1.500"
