"""What a plain scalar means: the core schema of YAML 1.2, for the values of the language (language section 1).

Null, true, false and numbers in the spellings of the core schema, with two differences: a decimal number
with a leading zero (`017`, `00.5`) is text, and `.inf` and `.nan` are refused, since they are no values.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.values import Number, normalise

Resolved: TypeAlias = "bool | int | float | str | None"

_CONSTANTS: Final[dict[str, Resolved]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_BEGINS: Final = frozenset("0123456789+-.")
NOT_TEXT: Final = _NUMBER_BEGINS.union(constant[:1] for constant in _CONSTANTS)
"""What a plain scalar begins with that may be no text; the empty text for the empty scalar."""
_DECIMAL: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def resolve_plain(value: str) -> Resolved:
    """The value of a plain scalar. Raises Fault number-range for a number that is not finite."""
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if value[0] in _NUMBER_BEGINS:
        return _number_or_text(value)
    return value


def _number_or_text(value: str) -> Number | str:
    if _DECIMAL.fullmatch(value):
        return decimal_number(value)
    if _RADIX.fullmatch(value):
        return normalise(int(value, 0))
    if _NOT_FINITE.fullmatch(value):
        raise Fault(codes.NUMBER_RANGE, f"`{value}` is no value of the language; numbers are finite")
    return value


def decimal_number(digits: str) -> Number:
    """The value of a decimal number in normal form. Raises Fault number-range beyond the doubles."""
    if len(digits) <= 15 and digits.isdigit():
        return int(digits)
    return normalise(float(digits))
