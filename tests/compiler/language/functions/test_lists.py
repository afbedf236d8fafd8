"""Functions on lists and objects."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.limits import LIST_ITEMS, SAFE_INTEGER
from compiler.language.values import Value, identical
from tests.compiler.language.functions.calls import fault, run
from tests.compiler.language.functions.evaluator import evaluate


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("first", [[None, 1]], None),
        ("sort", [["b", "a", "B", "ä"]], ["B", "a", "b", "ä"]),
        ("sort", [["10", "9", 10, 9]], [9, 10, "10", "9"]),
        ("sort", [[None, "a", [2], True, 1, [1]]], [1, "a", None, [2], True, [1]]),
        ("unique", [[1, True, "1", 1, None, None, False, 0]], [1, True, "1", None, False, 0]),
        ("unique", [[1, 2, 1]], [1, 2]),
        ("unique", [[{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}]], [{"a": 1, "b": 2}, {"a": 1}]),
        ("unique", [[[1], ["1"], [True], [1]]], [[1], ["1"], [True]]),
        ("unique", [[[], {}, [[]], [{}], []]], [[], {}, [[]], [{}]]),
        ("sum", [[0.1, 0.2]], 0.30000000000000004),
        ("sum", [["1", 2]], 3),
        ("avg", [[1, 2]], 1.5),
        ("avg", [["4"]], 4),
        ("append", [[], [1]], [[1]]),
        ("has", [[1, 2], "2"], True),
        ("has", [{"a": None}, "a"], True),
        ("has", [{}, "length"], False),
        ("keys", [{}], []),
        ("values", [{"a": [1]}], [[1]]),
        ("get", [{"a": None}, "a", 1], None),
        ("get", [{}, "a"], None),
        ("merge", [{"a": {"x": 1}}, {"a": {"y": 2}}], {"a": {"y": 2}}),
        ("range", [3, 3], []),
        ("range", [5, 1], []),
        ("range", ["1", 3.0], [1, 2]),
        ("range", [0, SAFE_INTEGER, SAFE_INTEGER], [0]),
        ("range", [0, -3, -1], [0, -1, -2]),
    ],
)
def test_results(name: str, arguments: list[Value], result: Value) -> None:
    assert identical(run(name, *arguments), result)


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("first", ["abc"], codes.TYPE_ERROR),
        ("last", [None], codes.TYPE_ERROR),
        ("sort", [{"a": 1}], codes.TYPE_ERROR),
        ("sum", [[1, None]], codes.TYPE_ERROR),
        ("sum", [["a"]], codes.TYPE_ERROR),
        ("sum", [[True]], codes.TYPE_ERROR),
        ("sum", [[1.7e308, 1.7e308]], codes.NUMBER_RANGE),
        ("avg", [[]], codes.BAD_ARGUMENT),
        ("append", [[0] * LIST_ITEMS, 0], codes.TOO_LARGE),
        ("append", ["abc", "d"], codes.TYPE_ERROR),
        ("has", [{"1": 1}, 1], codes.TYPE_ERROR),
        ("has", ["abc", "a"], codes.TYPE_ERROR),
        ("keys", [[1]], codes.TYPE_ERROR),
        ("values", ["abc"], codes.TYPE_ERROR),
        ("get", [{"1": 1}, 1], codes.TYPE_ERROR),
        ("get", [[1], "0"], codes.TYPE_ERROR),
        ("merge", [{}, None], codes.TYPE_ERROR),
        ("merge", [{str(n): n for n in range(LIST_ITEMS)}, {"x": 1}], codes.TOO_LARGE),
        ("range", [0, 10**9], codes.TOO_LARGE),
        ("range", [-SAFE_INTEGER, SAFE_INTEGER], codes.TOO_LARGE),
        ("range", [0, 1, 0], codes.BAD_ARGUMENT),
        ("range", [0, 1, 0.5], codes.BAD_ARGUMENT),
        ("range", [0, 1e300], codes.BAD_ARGUMENT),
        ("range", [None, 1], codes.TYPE_ERROR),
    ],
    ids=lambda value: None if isinstance(value, (list, dict)) else value,
)
def test_faults(name: str, arguments: list[Value], kind: object) -> None:
    assert fault(name, *arguments) is kind


class TestInnerExpressions:
    def test_names_are_the_keys_and_the_item(self) -> None:
        rows: Value = [{"name": "Ann", "n": 2}, {"name": "Bob", "n": 1}]
        assert evaluate("rows | sort('n') | map('name + item.n')", {"rows": rows}) == ["Bob1", "Ann2"]
        assert evaluate("rows | filter('n == 1') | map('name')", {"rows": rows}) == ["Bob"]
        assert evaluate("rows | avg('n * 2')", {"rows": rows}) == 3

    def test_results_are_in_normal_form(self) -> None:
        assert repr(run("map", [1], lambda item: 2.0)) == "[2]"
        assert run("map", [1], lambda item: 2**53 + 1) == [2**53]
        assert fault("map", [1], lambda item: float("inf")) is codes.NUMBER_RANGE

    def test_filter_goes_by_truth(self) -> None:
        elements: list[Value] = [0, "0", "", [], None, False, 2]
        assert run("filter", elements, lambda item: item) == ["0", [], 2]

    def test_sort_is_stable(self) -> None:
        rows: list[Value] = [{"k": 1, "n": n} for n in range(5)]
        assert run("sort", rows, lambda item: 1) == rows

    def test_faults_inside_are_the_calls_own(self) -> None:
        def fails(item: Value) -> Value:
            raise Fault(codes.DIVISION_BY_ZERO, "division by zero", item)

        for name in ("map", "filter", "sum", "avg", "sort"):
            assert fault(name, [1], fails) is codes.DIVISION_BY_ZERO
            assert name == "avg" or run(name, [], fails) in ([], 0)


def test_operands_stay_as_they_were() -> None:
    elements: list[Value] = [3, 1, 2]
    for name in ("sort", "reverse", "unique"):
        run(name, elements)
    run("append", elements, 4)
    assert elements == [3, 1, 2]


def test_unique_takes_deep_and_shared_values() -> None:
    deep: Value = []
    for _ in range(50_000):
        deep = [deep]
    shared: list[Value] = [0] * 1_000
    doubled: Value = 1
    for _ in range(200):
        doubled = [doubled, doubled]
    found = run("unique", [deep, [shared] * 1_000, doubled, deep, [shared] * 1_000, doubled])
    assert isinstance(found, list)
    assert len(found) == 3
