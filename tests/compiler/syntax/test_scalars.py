"""The core schema of YAML 1.2, as the language has it."""

from __future__ import annotations

import pytest

from compiler.language.faults import Fault
from compiler.syntax.scalars import NOT_TEXT, Resolved, decimal_number, resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-7", -7),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("1.5E-2", 0.015),
        ("2.0", 2),
        ("9007199254740993", 9007199254740992),
        ("12345678901234567890", 12345678901234567168),
        ("0o17", 15),
        ("0x1F", 31),
    ],
)
def test_values(text: str, value: Resolved) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "nULL", "tRUE", "None", "017", "-017", "00.5", "00", "1_000", "12:30:00"),
        *(
            "2024-01-01",
            "0x",
            "0o8",
            "0b1",
            "-0x1",
            "1e",
            "e1",
            ".",
            "-",
            "+",
            "--1",
            "1 2",
            "1.2.3",
            "inf",
            "nan",
            ".e1",
        ),
        *("１２", "٣", "1\n2", "~~", " 1", "Infinity"),
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert resolve_plain(text) == text


@pytest.mark.parametrize(
    "text", ["1e999", "-1e999", ".inf", "-.INF", "+.Inf", ".nan", ".NaN", "0x" + "f" * 300, "9" * 400]
)
def test_numbers_are_finite(text: str) -> None:
    with pytest.raises(Fault) as caught:
        resolve_plain(text)
    assert caught.value.kind.name == "number-range"


def test_what_begins_otherwise_is_always_text() -> None:
    for place in range(0x20, 0x250):
        for rest in ("", "ull", "rue", "alse", "1", ".5"):
            text = chr(place) + rest
            if text[:1] not in NOT_TEXT:
                assert resolve_plain(text) == text


def test_decimal_numbers() -> None:
    assert [decimal_number(text) for text in ("12", "-12", "1.50", "1e2")] == [12, -12, 1.5, 100]
