"""The atoms of the format: one form each, and nothing else is read."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.bytecode.program import LoadError
from compiler.bytecode.wire import Reader, Writer

WHOLE, FLOAT, TEXT, LIST, OBJECT = b"\x03", b"\x04", b"\x05", b"\x06", b"\x07"


def written(value: Any) -> bytes:
    out = Writer()
    out.value(value)
    return bytes(out.output)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 16383, 16384, 2**32, 2**63 - 1])
def test_numbers(number: int) -> None:
    out = Writer()
    out.number(number)
    out.optional(number - 1 if number else None)
    reader = Reader(bytes(out.output), "test")
    assert reader.number() == number
    assert reader.optional() == (number - 1 if number else None)
    reader.finish()


@pytest.mark.parametrize("number", [-1, 2**63])
def test_numbers_that_do_not_fit(number: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Writer().number(number)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**53,
        -(2**53),
        2**60,
        -int(1e300),
        0.5,
        -1e-300,
        "",
        "سن",
        [],
        [[1], "a"],
        {},
        {"b": 1, "a": [None]},
    ],
)
def test_values(value: Any) -> None:
    reader = Reader(written(value), "test")
    found = reader.value()
    reader.finish()
    assert repr(found) == repr(value)


def test_objects_keep_their_order() -> None:
    assert written({"a": 1, "b": 2}) != written({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "ends too early"),
        (WHOLE + b"\x80\x00", "never written"),
        (WHOLE + b"\x80" * 9 + b"\x01", "never written"),
        (WHOLE + b"\xff" * 8 + b"\x7f", "beyond 2"),
        (FLOAT + bytes.fromhex("3ff0000000000000"), "never written"),
        (FLOAT + bytes.fromhex("8000000000000000"), "never written"),
        (FLOAT + bytes.fromhex("7ff0000000000000"), "never written"),
        (FLOAT + bytes.fromhex("7ff8000000000000"), "never written"),
        (FLOAT + b"\x00", "ends too early"),
        (TEXT + b"\x02\xc3\x28", "not UTF-8"),
        (TEXT + b"\x03\xed\xa0\x80", "not UTF-8"),
        (TEXT + b"\xff\xff\xff\xff\x0f", "no room for"),
        (LIST + b"\xff\xff\xff\xff\x0f", "no room for"),
        (OBJECT + b"\x02\x00\x00", "no room for 2 items"),
        (OBJECT + b"\x02\x01a\x00\x01a\x00", "a key twice"),
        ((LIST + b"\x01") * 257 + b"\x00", "nested more than 256 deep"),
        (b"\x08", "too large here"),
    ],
)
def test_what_is_never_written_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(LoadError, match=reason):
        Reader(raw, "test").value()


def test_nothing_may_be_left() -> None:
    reader = Reader(b"\x00\x00", "test")
    reader.value()
    with pytest.raises(LoadError, match="1 bytes too many"):
        reader.finish()


def test_reading_stops_at_the_end_of_the_part() -> None:
    with pytest.raises(LoadError, match="test, byte 1: the file ends too early"):
        Reader(b"abcd", "test", 1, 3).take(3)
