"""Functions on dates and times."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.values import Value
from tests.compiler.language.functions.calls import fault, run
from tests.compiler.language.functions.evaluator import StillMoment


def test_the_time_is_the_moments() -> None:
    moment = StillMoment(time=1_734_517_845.999)
    assert run("now", moment=moment) == "2024-12-18T10:30:45Z"
    assert run("today", moment=moment) == "2024-12-18"
    assert run("now_unix", moment=moment) == 1_734_517_845


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("add_days", ["2024-02-28", 1], "2024-02-29"),
        ("add_days", ["2024-12-31", "1"], "2025-01-01"),
        ("add_days", ["2024-12-18T10:30:45.9Z", 0.5], "2024-12-18T22:30:45Z"),
        ("add_days", ["2024-12-18T10:30:45+02:00", 1], "2024-12-19T08:30:45Z"),
        ("add_days", [86400, 1], "1970-01-03T00:00:00Z"),
        ("add_hours", ["2024-12-18", 25], "2024-12-19T01:00:00Z"),
        ("add_hours", [0, -0.5], "1969-12-31T23:30:00Z"),
        ("format_timestamp", ["2024-12-18", "%d.%m.%Y"], "18.12.2024"),
        ("format_timestamp", [1.5, "%S.%f"], "01.500000"),
        ("parse_timestamp", ["2024-12-18"], 1_734_480_000),
        ("parse_timestamp", ["1969-12-31T23:59:59.5Z"], -1),
        ("parse_timestamp", [1.9], 1),
        ("parse_timestamp", ["1969-12-31"], -86400),
    ],
)
def test_results(name: str, arguments: list[Value], result: Value) -> None:
    assert run(name, *arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("add_days", ["2024-12-18", 0.5], codes.BAD_ARGUMENT),
        ("add_days", ["2024-12-18", 10**9], codes.BAD_ARGUMENT),
        ("add_days", ["2024-12-18", -(10**300)], codes.BAD_ARGUMENT),
        ("add_days", ["2024-12-18", 1.7e308], codes.BAD_ARGUMENT),
        ("add_days", ["0001-01-01", -1], codes.BAD_ARGUMENT),
        ("add_days", ["soon", 1], codes.BAD_ARGUMENT),
        ("add_days", [None, 1], codes.TYPE_ERROR),
        ("add_days", ["2024-12-18", "a week"], codes.TYPE_ERROR),
        ("add_hours", [True, 1], codes.TYPE_ERROR),
        ("format_timestamp", ["2024-12-18", "%Q"], codes.BAD_ARGUMENT),
        ("format_timestamp", ["2024-12-18", 5], codes.TYPE_ERROR),
        ("parse_timestamp", [""], codes.BAD_ARGUMENT),
    ],
)
def test_faults(name: str, arguments: list[Value], kind: object) -> None:
    assert fault(name, *arguments) is kind
