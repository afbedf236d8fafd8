"""What a database gives, as values of the language."""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from compiler.language import values
from compiler.language.values import Value


def to_value(cell: Any) -> Value:
    """A cell of a row: bytes as base64, dates and times as ISO 8601, decimals as text, whole numbers beyond 2**53 as
    the nearest double, infinite numbers as null, anything else as its text."""
    if cell is None or isinstance(cell, str | bool):
        return cell
    if isinstance(cell, int | float):
        return values.normalise(cell) if math.isfinite(cell) else None
    if isinstance(cell, bytes | bytearray | memoryview):
        return base64.b64encode(cell).decode("ascii")
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, Mapping):
        return {str(key): to_value(inner) for key, inner in cell.items()}
    if isinstance(cell, list | tuple):
        return [to_value(inner) for inner in cell]
    return str(cell)


def iso_time(written: str) -> str:
    """A time stamp as PostgreSQL writes it, in ISO 8601: `2024-05-01T12:00:00+00:00`."""
    date, _, time = written.partition(" ")
    if not time or " " in time:  # infinity, and years before Christ
        return written
    offset = time[-3:]
    return f"{date}T{time}:00" if offset[0] in "+-" else f"{date}T{time}"
