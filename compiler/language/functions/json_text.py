"""Reading JSON text that anybody may have sent: strict, bounded, and never anything but a value or a Fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Final, NoReturn, cast

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions.arguments import refuse, utf8
from compiler.language.limits import JSON_DEPTH, LIST_ITEMS
from compiler.language.values import Number, Value, check_items, normalise

_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_BRACKET_OR_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
"""A text that is never closed reaches to the end: nothing is looked at twice."""

_REASONS: Final = {
    "Expecting value": "a value should stand",
    "Expecting property name enclosed in double quotes": "a key in double quotes should stand",
    "Illegal trailing comma before end of object": "a comma stands before the `}`",
    "Illegal trailing comma before end of array": "a comma stands before the `]`",
    "Expecting ':' delimiter": "a `:` should stand",
    "Expecting ',' delimiter": "a `,` or the closing bracket should stand",
    "Unterminated string starting at": "a text starts that is never closed",
    "Invalid control character at": "a line break or control character stands unescaped",
    "Extra data": "more follows after the value",
}
"""What the decoder says, in our words; anything else it says is about backslashes in texts."""


def parse_json(text: str) -> Value:
    """The value of one JSON text; whole numbers as ints, the last of equal keys.

    Raises Fault bad-argument where it is not JSON (NaN, comments, lone surrogates and unescaped control
    characters are not), number-range for a number beyond the doubles, too-large where it is nested over
    200 deep or one list or object has over 100 000 items.
    """
    _check_depth(text)
    try:
        value = cast(Value, _DECODER.decode(text))
    except JSONDecodeError as error:
        reason = _REASONS.get(error.msg, "a `\\` starts no escape")
        raise refuse(f"this is not JSON: {reason} at line {error.lineno}, column {error.colno}", text) from None
    except RecursionError:
        raise _too_deep() from None
    if text.count(",") >= LIST_ITEMS or _SURROGATE_ESCAPE.search(text):
        _check_parts(value)
    return value


def _check_depth(text: str) -> None:
    """Raises Fault too-large for brackets nested too deep, outside of texts."""
    if text.count("[") + text.count("{") <= JSON_DEPTH:
        return
    depth = 0
    for match in _BRACKET_OR_TEXT.finditer(text):
        depth += (match[1] is not None) - (match[2] is not None)
        if depth > JSON_DEPTH:
            raise _too_deep()


def _too_deep() -> Fault:
    return Fault(codes.TOO_LARGE, f"the JSON text is nested more than {JSON_DEPTH} deep")


def _check_parts(value: Value) -> None:
    """Raises Fault for a list or object with too many items, or a text with half of a surrogate pair."""
    for part in _parts(value):
        if isinstance(part, str):
            utf8(part)
        elif isinstance(part, list):
            check_items(len(part))
        elif isinstance(part, dict):
            check_items(len(part))
            for key in part:
                utf8(key)


def _parts(value: Value) -> Iterator[Value]:
    pending = [value]
    while pending:
        part = pending.pop()
        yield part
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()


def _whole_number(digits: str) -> Number:
    return int(digits) if len(digits) <= 15 else normalise(float(digits))


def _fraction(digits: str) -> Number:
    return normalise(float(digits))


def _no_number(name: str) -> NoReturn:
    raise refuse(f"this is not JSON: `{name}` is no JSON value", name)


_DECODER: Final = JSONDecoder(parse_int=_whole_number, parse_float=_fraction, parse_constant=_no_number)
