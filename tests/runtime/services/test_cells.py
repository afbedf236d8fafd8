"""What databases give, as values."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from compiler.language.values import Value
from runtime.services.cells import iso_time, to_value

CELLS: list[tuple[Any, Value]] = [
    (None, None),
    (True, True),
    (2**53 + 1, 2**53),
    (2.0, 2),
    (float("inf"), None),
    (float("nan"), None),
    (b"\x00\xff", "AP8="),
    (memoryview(b"a"), "YQ=="),
    (datetime.date(2024, 5, 1), "2024-05-01"),
    (datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC), "2024-05-01T12:00:00+00:00"),
    (Decimal("1E+3"), "1000"),
    (Decimal("12.50"), "12.50"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ([1, (Decimal(2), None)], [1, ["2", None]]),
    ({"a": b"x"}, {"a": "eA=="}),
]


@pytest.mark.parametrize(("cell", "value"), CELLS)
def test_cells(cell: Any, value: Value) -> None:
    found = to_value(cell)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024-05-01 12:00:00", "2024-05-01T12:00:00"),
        ("2024-05-01 12:00:00.5+00", "2024-05-01T12:00:00.5+00:00"),
        ("infinity", "infinity"),
        ("0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"),
    ],
)
def test_time_stamps(written: str, iso: str) -> None:
    assert iso_time(written) == iso
