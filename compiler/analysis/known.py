"""What is known of a value before running: the kinds it may have, and its value where it is constant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from compiler.language.faults import Fault
from compiler.language.values import Kind, Value, kind_of, parse_number
from compiler.records import dataclass


class Varies:
    """The value is not constant. There is one: `VARIES`."""


VARIES: Final = Varies()
_NUMERIC_START: Final = re.compile(r"[-0-9.eE+]*")
_KEPT_SIZE: Final = 1000
"""Constants with more characters or elements are not carried on."""
_KEPT_DEPTH: Final = 8
"""Nor are lists and objects that are nested deeper."""


@dataclass(frozen=True, slots=True)
class Known:
    """`kinds` it may have; `constant`, or VARIES; `wordy`: a text that is certainly not numeric;
    `absent`: null where the client did not send a query key or header."""

    kinds: Kind
    constant: Value | Varies = VARIES
    wordy: bool = False
    absent: bool = False

    def varying(self) -> Known:
        """The same without its value: what is known of a variable that was set to it."""
        return self if self.constant is VARIES else Known(self.kinds, VARIES, self.wordy, self.absent)


ANYTHING: Final = Known(Kind.ANY)
"""Nothing is known; also what a part with a finding counts as, so that it has no consequences."""
BOOLEAN: Final = Known(Kind.BOOLEAN)
NUMBER: Final = Known(Kind.NUMBER)
TEXT: Final = Known(Kind.TEXT)
LIST: Final = Known(Kind.LIST)
OBJECT: Final = Known(Kind.OBJECT)
NOTHING: Final = Known(Kind.NULL)
MAYBE_TEXT: Final = Known(Kind.TEXT | Kind.NULL, absent=True)


def constant(value: Value) -> Known:
    """A constant; of one that is too large to carry on, only its kind."""
    if isinstance(value, str):
        return Known(Kind.TEXT, value if len(value) <= _KEPT_SIZE else VARIES, not _is_numeric(value))
    if isinstance(value, (list, dict)) and not _is_small(value, _KEPT_DEPTH):
        return Known(kind_of(value))
    return Known(kind_of(value), value)


def _is_numeric(text: str) -> bool:
    try:
        return parse_number(text) is not None
    except Fault:
        return True  # a number, though too large: that is another mistake


def _is_small(value: Value, depth: int) -> bool:
    if isinstance(value, str):
        return len(value) <= _KEPT_SIZE
    if not isinstance(value, (list, dict)):
        return True
    if depth == 0 or len(value) > _KEPT_SIZE:
        return False
    return all(_is_small(item, depth - 1) for item in (value.values() if isinstance(value, dict) else value))


def is_numeric_part(text: str) -> bool:
    """Whether a text could be part of a numeric string."""
    return _NUMERIC_START.fullmatch(text) is not None


def either(left: Known, right: Known) -> Known:
    """A value that is one of two."""
    if left is right:
        return left
    return Known(
        left.kinds | right.kinds,
        left.constant if _same_constant(left.constant, right.constant) else VARIES,
        left.wordy and right.wordy,
        left.absent or right.absent,
    )


def _same_constant(left: Value | Varies, right: Value | Varies) -> bool:
    """Python holds `1`, `1.0` and `True` for equal, also inside of lists: only what cannot be mistaken is the same."""
    if isinstance(left, (list, dict)):
        return left is right
    return left.__class__ is right.__class__ and left == right


_FALSY: Final = Kind.NULL | Kind.BOOLEAN | Kind.NUMBER | Kind.TEXT


def unless_null(left: Known, right: Known) -> Known:
    """The value of `left ?? right`, and of `left || right`: never the null of its left side."""
    if not left.kinds & Kind.NULL:
        return either(left, right)
    kinds = left.kinds & ~Kind.NULL
    return either(Known(kinds, VARIES, left.wordy), right) if kinds else right


def unless_true(left: Known, right: Known) -> Known:
    """The value of `left && right`: a list or object on the left is always passed over."""
    kinds = left.kinds & _FALSY
    return either(Known(kinds, left.constant, left.wordy, left.absent), right) if kinds else right


_SINGLE: Final = (Kind.NULL, Kind.BOOLEAN, Kind.NUMBER, Kind.TEXT, Kind.LIST, Kind.OBJECT)
_ADD: Final = {
    (Kind.NUMBER, Kind.NUMBER): Kind.NUMBER,
    (Kind.TEXT, Kind.TEXT): Kind.TEXT,
    (Kind.NUMBER, Kind.TEXT): Kind.NUMBER | Kind.TEXT,
    (Kind.TEXT, Kind.NUMBER): Kind.NUMBER | Kind.TEXT,
    (Kind.BOOLEAN, Kind.TEXT): Kind.TEXT,
    (Kind.TEXT, Kind.BOOLEAN): Kind.TEXT,
    (Kind.LIST, Kind.LIST): Kind.LIST,
}
_ORDERED: Final = {
    (Kind.NUMBER, Kind.NUMBER),
    (Kind.TEXT, Kind.TEXT),
    (Kind.NUMBER, Kind.TEXT),
    (Kind.TEXT, Kind.NUMBER),
}


@cache
def singles(kinds: Kind) -> Sequence[Kind]:
    """The single kinds in a set."""
    return tuple(kind for kind in _SINGLE if kind & kinds)


def is_word(known: Known) -> bool:
    """Whether it is a text, and certainly not a numeric one."""
    return known.wordy and known.kinds == Kind.TEXT


def sum_kinds(left: Known, right: Known) -> Kind:
    """What `left + right` can be (C4); 0 where it always fails."""
    if left.kinds == right.kinds == Kind.ANY:
        return Kind.NUMBER | Kind.TEXT | Kind.LIST
    result = Kind(0)
    for a in singles(left.kinds):
        for b in singles(right.kinds):
            result |= _ADD.get((a, b), Kind(0))
    # Beside a text that is not numeric a number is text.
    return result & Kind.TEXT if is_word(left) or is_word(right) else result


def can_order(left: Known, right: Known) -> bool:
    """Whether `left < right` can succeed (C5)."""
    if (is_word(left) and not right.kinds & Kind.TEXT) or (is_word(right) and not left.kinds & Kind.TEXT):
        return False
    return any((a, b) in _ORDERED for a in singles(left.kinds) for b in singles(right.kinds))


def can_calculate(operand: Known) -> bool:
    """Whether an operand can be a number or numeric text (C3)."""
    return not is_word(operand) and bool(operand.kinds & (Kind.NUMBER | Kind.TEXT))
