"""Checks that functions share."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions.arguments import refuse, utf8, whole, wrong_kind


def test_whole_numbers() -> None:
    assert whole(5, "it") == 5
    assert whole(-5, "it", -5, 5) == -5


@pytest.mark.parametrize(
    ("number", "least", "message"),
    [
        (1.5, 0, "it is a whole number"),
        (-1, 0, "it is not negative"),
        (1, 2, "it is at least 2"),
        (9, 0, "it is at most 8"),
    ],
)
def test_other_numbers(number: float, least: int, message: str) -> None:
    with pytest.raises(Fault, match=message) as caught:
        whole(number, "it", least, 8)
    assert caught.value.kind is codes.BAD_ARGUMENT


def test_utf8() -> None:
    assert utf8("é") == b"\xc3\xa9"
    with pytest.raises(Fault) as caught:
        utf8("\ud800")
    assert caught.value.kind is codes.BAD_ARGUMENT


def test_the_two_faults() -> None:
    assert refuse("no", 1).kind is codes.BAD_ARGUMENT
    assert wrong_kind("it takes a text", [1]).message == "it takes a text, not a list"
