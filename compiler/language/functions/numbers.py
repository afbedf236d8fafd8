"""Functions on numbers. Rounding works on the decimal digits that a number shows, so `1.005` rounds up."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from compiler.language.functions.arguments import refuse, whole, wrong_kind
from compiler.language.functions.registry import function
from compiler.language.values import Number, Value, normalise, number_text, to_operand

_DECIMALS: Final = 100
"""Most digits after the point that `format_number` writes."""
_LAST_PLACE: Final = 400
"""No double has a digit further from the point than this, on either side."""
_EXACT: Final = Context(prec=1000, rounding=ROUND_HALF_UP)
"""Enough digits for any double. ROUND_HALF_UP of the decimal module is half away from zero."""
_BYTE_UNITS: Final = {1: "KB", 2: "MB", 3: "GB", 4: "TB", 5: "PB", 6: "EB", 7: "ZB", 8: "YB"}
_HUNDREDTH: Final = Decimal("0.01")


def rounded(number: Number, digits: int) -> Decimal:
    """The number with so many digits after the point (before it, if negative), half away from zero."""
    return Decimal(number_text(number)).quantize(Decimal((0, (1,), -digits)), context=_EXACT)


@function("numbers", examples=[("-42 | abs", 42)])
def abs_(number: Number) -> Number:
    """The number without its sign."""
    return abs(number)


@function(
    "numbers",
    examples=[("2.5 | round", 3), ("-2.5 | round", -3), ("1.005 | round(2)", 1.01), ("1234 | round(-2)", 1200)],
)
def round_(number: Number, digits: Number = 0) -> Number:
    """The nearest number with so many digits after the point; half goes away from zero, by the digits shown."""
    place = max(-_LAST_PLACE, min(whole(digits, "`round`'s digits"), _LAST_PLACE))
    if place >= 0 and isinstance(number, int):
        return number
    result = rounded(number, place)
    return normalise(int(result) if place <= 0 else float(result))


@function("numbers", examples=[("3.7 | floor", 3), ("-1.5 | floor", -2)])
def floor(number: Number) -> Number:
    """The greatest whole number that is not above the number."""
    return math.floor(number)


@function("numbers", examples=[("0.01 | ceil", 1), ("-1.5 | ceil", -1)])
def ceil(number: Number) -> Number:
    """The least whole number that is not below the number."""
    return math.ceil(number)


@function("numbers", examples=[("144 | sqrt", 12)])
def sqrt(number: Number) -> Number:
    """The square root. A negative number is an error."""
    if number < 0:
        raise refuse("a negative number has no square root", number)
    return normalise(math.sqrt(number))


@function("numbers", examples=[("max(10, 25, 15)", 25), ("[3, 9, 1] | max", 9)])
def max_(numbers: Number | list[Value], *more: Number) -> Number:
    """The greatest of the numbers, or of the numbers in one list. An empty list is an error."""
    return max(_all_numbers("max", numbers, more))


@function("numbers", examples=[("min(10, 5, 15)", 5), ("[3, 9, 1] | min", 1)])
def min_(numbers: Number | list[Value], *more: Number) -> Number:
    """The least of the numbers, or of the numbers in one list. An empty list is an error."""
    return min(_all_numbers("min", numbers, more))


def _all_numbers(name: str, first: Number | list[Value], more: tuple[Number, ...]) -> list[Number]:
    if not isinstance(first, list):
        return [first, *more]
    if more:
        raise wrong_kind(f"`{name}` takes numbers, or one list", first)
    if not first:
        raise refuse(f"an empty list has no {name}", first)
    return [normalise(to_operand(element, name)) for element in first]


@function("numbers", examples=[("1234567 | format_number", "1,234,567.00"), ("2.345 | format_number(1)", "2.3")])
def format_number(number: Number, digits: Number = 2) -> str:
    """For people to read: commas between the thousands, and so many digits after the point."""
    result = rounded(number, whole(digits, "`format_number`'s digits", 0, _DECIMALS))
    return f"{result or abs(result):,f}"


@function("numbers", examples=[("500 | format_bytes", "500 B"), ("1536 | format_bytes", "1.50 KB")])
def format_bytes(number: Number) -> str:
    """A size in bytes for people to read, in steps of 1024: `500 B`, `1.50 KB`, `2.00 GB`."""
    if abs(number) < 1024:
        return f"{number_text(number)} B"
    size = Decimal(number_text(number))
    shown = [_EXACT.divide(size, 1024**step).quantize(_HUNDREDTH, context=_EXACT) for step in _BYTE_UNITS]
    step = next((step for step in _BYTE_UNITS if abs(shown[step - 1]) < 1024), len(_BYTE_UNITS))
    return f"{shown[step - 1]:f} {_BYTE_UNITS[step]}"
