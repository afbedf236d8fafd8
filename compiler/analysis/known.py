"""What is known of a value before running: the kinds it may have, and its value where it is constant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compiler.language.values import Kind, Value, kind_of


class Varies:
    """The value is not constant. There is one: `VARIES`."""


VARIES: Final = Varies()
_NUMERIC_START: Final = re.compile(r"[-0-9.eE+]*")


@dataclass(frozen=True, slots=True)
class Known:
    """`kinds` it may have; `constant`, or VARIES; `wordy`: a text that is certainly not numeric;
    `absent`: null where the client did not send a query key or header."""

    kinds: Kind
    constant: Value | Varies = VARIES
    wordy: bool = False
    absent: bool = False

    def without_null(self) -> Known:
        """The same value, known not to be null."""
        return Known(self.kinds & ~Kind.NULL or Kind.NULL, self.constant, self.wordy)


ANYTHING: Final = Known(Kind.ANY)
"""Nothing is known; also what a part with a finding counts as, so that it has no consequences."""
BOOLEAN: Final = Known(Kind.BOOLEAN)
NUMBER: Final = Known(Kind.NUMBER)
TEXT: Final = Known(Kind.TEXT)
MAYBE_TEXT: Final = Known(Kind.TEXT | Kind.NULL, absent=True)


def constant(value: Value) -> Known:
    """A constant."""
    return Known(kind_of(value), value, isinstance(value, str) and not is_numeric_part(value))


def is_numeric_part(text: str) -> bool:
    """Whether a text could be part of a numeric string."""
    return _NUMERIC_START.fullmatch(text) is not None


def either(left: Known, right: Known) -> Known:
    """A value that is one of two."""
    if left == right:
        return left
    return Known(left.kinds | right.kinds, VARIES, left.wordy and right.wordy, left.absent or right.absent)


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


def singles(kinds: Kind) -> Sequence[Kind]:
    """The single kinds in a set."""
    return [kind for kind in _SINGLE if kind & kinds]


def sum_kinds(left: Known, right: Known) -> Kind:
    """What `left + right` can be (C4); 0 where it always fails."""
    if left.kinds == right.kinds == Kind.ANY:
        return Kind.NUMBER | Kind.TEXT | Kind.LIST
    result = Kind(0)
    for a in singles(left.kinds):
        for b in singles(right.kinds):
            result |= _ADD.get((a, b), Kind(0))
    # The empty text and words are not numeric: beside one a number is text.
    if (left.wordy and left.kinds == Kind.TEXT) or (right.wordy and right.kinds == Kind.TEXT):
        result &= Kind.TEXT
    return result


def can_order(left: Known, right: Known) -> bool:
    """Whether `left < right` can succeed (C5)."""
    return any((a, b) in _ORDERED for a in singles(left.kinds) for b in singles(right.kinds))


def can_calculate(operand: Known) -> bool:
    """Whether an operand can be a number or numeric text (C3)."""
    if operand.wordy and operand.kinds == Kind.TEXT:
        return False
    return bool(operand.kinds & (Kind.NUMBER | Kind.TEXT))
