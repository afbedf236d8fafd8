"""Checks that the functions share: whole numbers, encodings, and the fault for an argument out of bounds."""

from __future__ import annotations

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.limits import SAFE_INTEGER
from compiler.language.values import Number, Value, describe


def refuse(message: str, *arguments: Value) -> Fault:
    """The fault for an argument of the right kind that the function cannot work with."""
    return Fault(codes.BAD_ARGUMENT, message, *arguments)


def wrong_kind(message: str, argument: Value) -> Fault:
    """The fault for an argument of a kind that does not go with the others."""
    return Fault(codes.TYPE_ERROR, f"{message}, not {describe(argument)}", argument)


def whole(number: Number, meaning: str, least: int = -SAFE_INTEGER, most: int = SAFE_INTEGER) -> int:
    """The number as an int. Raises Fault bad-argument where it has a fraction or is out of bounds.

    `meaning` names it in the message: "`repeat`'s count is a whole number".
    """
    if not isinstance(number, int):
        raise refuse(f"{meaning} is a whole number", number)
    if number < least:
        raise refuse(f"{meaning} is not negative" if least == 0 else f"{meaning} is at least {least}", number)
    if number > most:
        raise refuse(f"{meaning} is at most {most}", number)
    return number


def utf8(text: str) -> bytes:
    """The text's UTF-8 bytes. Raises Fault bad-argument for half of a surrogate pair, which has none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise refuse("the text holds half of a surrogate pair", text) from None
