"""Values and what operators do with them: truth, equality, order, arithmetic, text (language section 7).

A value is a JSON value in its Python form: None, bool, int, float, str, list, dict. Whole numbers are
ints; the helpers below are the semantics, and everything that runs programs calls them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from enum import IntFlag
from json import JSONEncoder
from json.encoder import encode_basestring
from typing import Final, TypeAlias

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.limits import JSON_DEPTH, LIST_ITEMS, SAFE_INTEGER, TEXT_BYTES

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Number: TypeAlias = int | float


class Kind(IntFlag):
    """Sets of value types, as far as they are known before running."""

    NULL = 1
    BOOLEAN = 2
    NUMBER = 4
    TEXT = 8
    LIST = 16
    OBJECT = 32
    ANY = 63


KIND_NAMES: Final = {
    Kind.NULL: "null",
    Kind.BOOLEAN: "boolean",
    Kind.NUMBER: "number",
    Kind.TEXT: "text",
    Kind.LIST: "list",
    Kind.OBJECT: "object",
}

_WITH_ARTICLE: Final = {
    kind: name if kind is Kind.NULL else f"an {name}" if kind is Kind.OBJECT else f"a {name}"
    for kind, name in KIND_NAMES.items()
}

_KIND_OF_CLASS: Final[dict[type, Kind]] = {
    type(None): Kind.NULL,
    bool: Kind.BOOLEAN,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    list: Kind.LIST,
    dict: Kind.OBJECT,
}


class ErrorValue(dict[str, Value]):
    """What `error` is in a catch block: `message`, `code`, `source`, `line`; as text its message."""


_KIND_OF_CLASS[ErrorValue] = Kind.OBJECT


class Unset:
    """What a variable holds that no operation has set yet. There is one: `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


def classes_of(kinds: Kind) -> frozenset[type]:
    """The Python classes that values of these kinds have."""
    return frozenset(python_class for python_class, kind in _KIND_OF_CLASS.items() if kind in kinds)


def kind_of(value: Value) -> Kind:
    """The one kind that a value has."""
    return _KIND_OF_CLASS[value.__class__]


def describe_kind(kind: Kind) -> str:
    """A set of kinds in words: `a text`, `a number or null`."""
    if kind == Kind.ANY:
        return "any value"
    return " or ".join(_WITH_ARTICLE[single] for single in KIND_NAMES if single & kind) or "nothing"


def describe(value: Value) -> str:
    """A value's kind in words, for messages: `a text`."""
    return describe_kind(kind_of(value))


# Numbers (C1, C2).

_NUMERIC: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)


def normalise(number: Number) -> Number:
    """The same number in its one form: whole as int, beyond 2**53 the nearest double, never -0.

    Raises Fault number-range where the number is not finite.
    """
    if isinstance(number, int):
        if -SAFE_INTEGER <= number <= SAFE_INTEGER:
            return number
        try:
            return int(float(number))
        except OverflowError:
            raise Fault(codes.NUMBER_RANGE, "the number is too large") from None
    if number.is_integer():
        return int(number)
    if not math.isfinite(number):
        raise Fault(codes.NUMBER_RANGE, "the number is too large")
    return number


def parse_number(text: str) -> Number | None:
    """The value of a numeric string (C2); None for any other text.

    Raises Fault number-range where a numeric string is beyond the doubles.
    """
    if not _NUMERIC.fullmatch(text):
        return None
    if len(text) <= 15 and text.lstrip("-").isdigit():
        return int(text)
    return normalise(float(text))


def to_operand(value: Value, operator: str) -> Number:
    """A number for arithmetic (C3): a number, or a numeric string's value. Raises Fault type-error."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise Fault(codes.TYPE_ERROR, f"`{operator}` takes numbers, not {describe(value)}", value)
    number = parse_number(value)
    if number is None:
        raise Fault(codes.TYPE_ERROR, f"`{operator}` takes numbers, and this text is not numeric", value)
    return number


def number_text(number: Number) -> str:
    """A number as JavaScript writes it: shortest digits that read back, no `.0`, exponent from 1e21 and below 1e-6.

    Raises Fault number-range where the number is not finite.
    """
    number = normalise(number)
    if isinstance(number, int) and -SAFE_INTEGER <= number <= SAFE_INTEGER:
        return str(number)
    # Python and JavaScript find the same shortest digits; they differ in when they write an exponent.
    mantissa, _, exponent_text = repr(float(number)).partition("e")
    if not exponent_text:
        return mantissa.removesuffix(".0")
    exponent = int(exponent_text)
    if exponent < -6 or exponent >= 21:
        return f"{mantissa}e{exponent:+d}"
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    return sign + digits.ljust(exponent + 1, "0")


# Text (C10).

_TOO_LARGE: Final = "the text would be larger than 1 MiB"
_TOO_DEEP: Final = "the value is nested too deep to be written"


def text(value: Value) -> str:
    """A value as text: strings as they are, lists and objects as compact JSON. Raises Fault too-large."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, (list, dict)):
        return text(value["message"]) if isinstance(value, ErrorValue) else to_json(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value)


def to_json(value: Value, indent: int = 0) -> str:
    """JSON in insertion order, non-ASCII kept, numbers as `number_text`: compact, or indented by so many blanks.

    Raises Fault too-large over 1 MiB or where lists and objects are nested too deep to be written.
    """
    _measure(value)
    if indent == 0 and (written := _native_json(value)) is not None:
        return bounded(written)
    parts = _JsonParts(indent)
    try:
        parts.write(value, "\n" if indent else "")
    except RecursionError:
        raise Fault(codes.TOO_LARGE, _TOO_DEEP) from None
    return bounded("".join(parts.parts))


def _measure(value: Value) -> None:
    """Raises Fault too-large where a value's JSON must be larger than 1 MiB, or is nested too deep.

    A list that holds one list twice, which holds one list twice, and so on, is small; its text is not.
    """
    level: list[Value] = [value]
    size = depth = 0
    while level:
        inner: list[Value] = []
        nested = False
        for item in level:
            if isinstance(item, str):
                size += len(item) + 2
            elif isinstance(item, list):
                size += len(item) + 1
                inner += item
                nested = True
            elif isinstance(item, dict):
                size += sum(map(len, item)) + 4 * len(item) + 1
                inner += item.values()
                nested = True
            check_size(size + len(inner))
        depth += nested
        if depth > JSON_DEPTH:
            raise Fault(codes.TOO_LARGE, _TOO_DEEP)
        level = inner


_NATIVE_JSON: Final = JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_ODD_NUMBER: Final = re.compile(r"[0-9]{16}|[0-9]e[-+]?[0-9]|\.0(?![0-9])|Infinity|NaN")


def _native_json(value: Value) -> str | None:
    """What Python's own fast writer makes of a value, or None where it may write a number differently."""
    try:
        written = _NATIVE_JSON(value)
    except (RecursionError, ValueError):
        return None
    return None if _ODD_NUMBER.search(written) else written


class _JsonParts:
    """The pieces of a JSON text, and how long they are together."""

    __slots__ = ("_indent", "_size", "parts")

    def __init__(self, indent: int) -> None:
        self.parts: list[str] = []
        self._size = 0
        self._indent = indent

    def add(self, part: str) -> None:
        """One more piece. Raises Fault too-large over 1 MiB."""
        self._size += len(part)
        check_size(self._size)
        self.parts.append(part)

    def write(self, value: Value, line_break: str) -> None:
        """A value and all in it; `line_break` is what stands between lines at this depth."""
        if isinstance(value, str):
            self.add(encode_basestring(value))
        elif isinstance(value, list):
            self._write_items((("", item) for item in value), "[]", line_break)
        elif isinstance(value, dict):
            colon = ": " if self._indent else ":"
            self._write_items(((encode_basestring(key) + colon, item) for key, item in value.items()), "{}", line_break)
        else:
            self.add(text(value))

    def _write_items(self, items: Iterable[tuple[str, Value]], brackets: str, line_break: str) -> None:
        inner = line_break + " " * self._indent if line_break else ""
        before = brackets[0] + inner
        for prefix, item in items:
            self.add(before + prefix)
            self.write(item, inner)
            before = "," + inner
        self.add(line_break + brackets[1] if before[0] == "," else brackets)


def bounded(made: str) -> str:
    """The text itself. Raises Fault too-large over 1 MiB."""
    length = len(made)
    if length * 4 > TEXT_BYTES and (
        length > TEXT_BYTES or (not made.isascii() and len(made.encode("utf-8", "replace")) > TEXT_BYTES)
    ):
        raise Fault(codes.TOO_LARGE, _TOO_LARGE)
    return made


def check_size(length: int) -> None:
    """Raises Fault too-large where a text of so many characters or bytes would be over 1 MiB."""
    if length > TEXT_BYTES:
        raise Fault(codes.TOO_LARGE, _TOO_LARGE)


def check_items(count: int) -> None:
    """Raises Fault too-large where a list or object would have more than 100 000 items."""
    if count > LIST_ITEMS:
        raise Fault(codes.TOO_LARGE, "the list would have more than 100 000 items")


def join_texts(parts: Iterable[Value], separator: str = "") -> str:
    """The texts of the parts, joined. Raises Fault too-large over 1 MiB, before anything that large is built."""
    texts: list[str] = []
    size = -len(separator)
    for part in parts:
        piece = part if isinstance(part, str) else text(part)
        texts.append(piece)
        size += len(piece) + len(separator)
        if size > TEXT_BYTES:
            raise Fault(codes.TOO_LARGE, _TOO_LARGE)
    return bounded(separator.join(texts))


def concat(*parts: Value) -> str:
    """The texts of the parts, joined. Raises Fault too-large over 1 MiB, before anything that large is built."""
    return join_texts(parts)


def normalised(value: Value) -> Value:
    """The value with its number in normal form; lists and objects keep theirs, which were made normal."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return normalise(value)
    return value


# Truth and equality (C6, C7).


def truthy(value: Value) -> bool:
    """Everything but `false`, `0`, `""` and `null`; empty lists and objects are true."""
    return bool(value) or isinstance(value, (list, dict))


def negate(value: Value) -> bool:
    """`!value`."""
    return not value and not isinstance(value, (list, dict))


def equal(left: Value, right: Value) -> bool:
    """`==`: a numeric string equals its number; otherwise same type and content, all the way down. Never an error."""
    if isinstance(left, (list, dict)):
        return identical(left, right)
    if left.__class__ is right.__class__:
        return left == right
    return _scalars_equal(left, right)


def identical(left: Value, right: Value) -> bool:
    """Same type and content, a text never equal to a number: what `unique` compares by."""
    return _same(left, right)


def unequal(left: Value, right: Value) -> bool:
    """`!=`."""
    return not equal(left, right)


def _scalars_identical(left: Value, right: Value) -> bool:
    """For values of which at most one is a list or object."""
    return _KIND_OF_CLASS[left.__class__] is _KIND_OF_CLASS[right.__class__] and left == right


def _scalars_equal(left: Value, right: Value) -> bool:
    """The same, where a numeric string equals its number."""
    if isinstance(left, str) and isinstance(right, (int, float)):
        left, right = right, left
    if isinstance(left, (int, float)) and isinstance(right, str):
        return not isinstance(left, bool) and left == _number_or_none(right)
    return _scalars_identical(left, right)


def _number_or_none(string: str) -> Number | None:
    try:
        return parse_number(string)
    except Fault:
        return None


def _same(left: Value, right: Value) -> bool:
    """Compare at any depth without recursion, and two lists or objects that meet again only once."""
    pending: list[tuple[Value, Value]] = [(left, right)]
    met: set[tuple[int, int]] = set()
    while pending:
        a, b = pending.pop()
        if isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pairs: Iterable[tuple[Value, Value]] = zip(a, b, strict=True)
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            pairs = [(item, b[key]) for key, item in a.items()]
        elif _scalars_identical(a, b):
            continue
        else:
            return False
        if a is not b and (id(a), id(b)) not in met:
            met.add((id(a), id(b)))
            pending.extend(pairs)
    return True


# Order (C5).


def _order(left: Value, right: Value, operator: str) -> tuple[Number, Number]:
    if isinstance(left, (int, float, str)) and isinstance(right, (int, float, str)):
        numeric = isinstance(left, (int, float)) or isinstance(right, (int, float))
        if numeric and not isinstance(left, bool) and not isinstance(right, bool):
            return _operands(left, right, operator)
    raise Fault(codes.TYPE_ERROR, f"`{operator}` cannot order {describe(left)} and {describe(right)}", left, right)


def less(left: Value, right: Value) -> bool:
    """`left < right`: two numbers, a number and a numeric string, or two texts by code point."""
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    a, b = _order(left, right, "<")
    return a < b


def less_equal(left: Value, right: Value) -> bool:
    """`left <= right`."""
    if isinstance(left, str) and isinstance(right, str):
        return left <= right
    a, b = _order(left, right, "<=")
    return a <= b


def greater(left: Value, right: Value) -> bool:
    """`left > right`."""
    if isinstance(left, str) and isinstance(right, str):
        return left > right
    a, b = _order(left, right, ">")
    return a > b


def greater_equal(left: Value, right: Value) -> bool:
    """`left >= right`."""
    if isinstance(left, str) and isinstance(right, str):
        return left >= right
    a, b = _order(left, right, ">=")
    return a >= b


# Arithmetic (C3, C4). Doubles: an int result beyond 2**53 is rounded where the value is kept or shown.


def add(left: Value, right: Value) -> Value:
    """`left + right`: adds numbers, concatenates texts or lists; see C4 for mixed operands."""
    if isinstance(left, str):
        if isinstance(right, str):
            check_size(len(left) + len(right))
            return bounded(left + right)
        return _add_to_text(left, right, left, right)
    if isinstance(right, str):
        return _add_to_text(right, left, left, right)
    if isinstance(left, list) and isinstance(right, list):
        check_items(len(left) + len(right))
        return left + right
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        raise _cannot_add(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        raise _cannot_add(left, right)
    try:
        return _finite(left + right, left, right)
    except OverflowError:
        raise _too_large(left, right) from None


def _add_to_text(string: str, other: Value, left: Value, right: Value) -> Value:
    """A text and a value of another kind, on whichever side they stand."""
    if not isinstance(other, (int, float)):
        raise _cannot_add(left, right)
    if isinstance(other, bool) or (number := parse_number(string)) is None:
        return concat(left, right)
    try:
        return _finite(number + other, left, right)
    except OverflowError:
        raise _too_large(left, right) from None


def _cannot_add(left: Value, right: Value) -> Fault:
    return Fault(codes.TYPE_ERROR, f"`+` cannot add {describe(left)} and {describe(right)}", left, right)


def _too_large(left: Value, right: Value) -> Fault:
    return Fault(codes.NUMBER_RANGE, "the result is too large", left, right)


def _finite(result: Number, left: Value, right: Value) -> Number:
    """A whole result as int. Raises Fault number-range for an infinite one."""
    if isinstance(result, int):
        return result
    if result.is_integer():
        return int(result)
    if not math.isfinite(result):
        raise _too_large(left, right)
    return result


def _operands(left: Value, right: Value, operator: str) -> tuple[Number, Number]:
    try:
        return to_operand(left, operator), to_operand(right, operator)
    except Fault as fault:
        raise Fault(fault.kind, fault.message, left, right) from None


def subtract(left: Value, right: Value) -> Value:
    """`left - right`, of numbers and numeric strings."""
    a, b = _operands(left, right, "-")
    try:
        return _finite(a - b, left, right)
    except OverflowError:
        raise _too_large(left, right) from None


def multiply(left: Value, right: Value) -> Value:
    """`left * right`, of numbers and numeric strings; the result in normal form."""
    a, b = _operands(left, right, "*")
    try:
        return normalise(_finite(a * b, left, right))
    except OverflowError:
        raise _too_large(left, right) from None


def divide(left: Value, right: Value) -> Value:
    """`left / right`, never integer division. Raises Fault division-by-zero."""
    a, b = _operands(left, right, "/")
    if b == 0:
        raise Fault(codes.DIVISION_BY_ZERO, "division by zero", left, right)
    try:
        return _finite(a / b, left, right)
    except OverflowError:
        raise _too_large(left, right) from None


def remainder(left: Value, right: Value) -> Value:
    """`left % right` with the sign of the left operand. Raises Fault division-by-zero."""
    a, b = _operands(left, right, "%")
    if b == 0:
        raise Fault(codes.DIVISION_BY_ZERO, "remainder by zero", left, right)
    if isinstance(a, int) and isinstance(b, int):
        size = abs(a) % abs(b)
        return -size if a < 0 else size
    try:
        return _finite(math.fmod(a, b), left, right)
    except (OverflowError, ValueError):
        raise _too_large(left, right) from None


def power(left: Value, right: Value) -> Value:
    """`left ** right`; whole results are exact up to 2**53, and nothing huge is ever computed."""
    base, exponent = _operands(left, right, "**")
    try:
        result = math.pow(base, exponent)
    except OverflowError:
        raise _too_large(left, right) from None
    except ValueError:
        if base == 0:
            raise Fault(codes.DIVISION_BY_ZERO, "0 to a negative power divides by zero", left, right) from None
        raise Fault(codes.NUMBER_RANGE, "a root of a negative number is no number", left, right) from None
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 and abs(result) <= SAFE_INTEGER:
        return int(base**exponent)
    return _finite(result, left, right)


def minus(value: Value) -> Value:
    """`-value`, of a number or numeric string."""
    number = to_operand(value, "-")
    return -number if number else 0


# Members (C9, C11).


def member(owner: Value, key: str) -> Value:
    """`owner.key`. Missing: null. Lists and texts have `length`. Raises Fault type-error elsewhere."""
    if isinstance(owner, dict):
        return owner.get(key)
    if key == "length" and isinstance(owner, (list, str)):
        return len(owner)
    raise Fault(codes.TYPE_ERROR, _no_member(owner, key), owner)


def _no_member(owner: Value, key: str) -> str:
    if owner is None:
        return f"null has no member `{key}`; `?.` or `??` would accept that"
    if isinstance(owner, str):
        return f"a text has no member `{key}`; `json_parse` makes an object of JSON text"
    return f"{describe(owner)} has no member `{key}`"


def member_safe(owner: Value, key: str) -> Value:
    """`owner?.key`: null where the owner is null."""
    return None if owner is None else member(owner, key)


def index(owner: Value, key: Value) -> Value:
    """`owner[key]`: of a list or text a whole number (negative from the end), of an object the key's text."""
    if isinstance(owner, dict):
        return owner.get(text(key))
    if isinstance(owner, (list, str)):
        place = _whole(owner, key)
        return owner[place] if -len(owner) <= place < len(owner) else None
    raise Fault(codes.TYPE_ERROR, f"{describe(owner)} has no elements", owner, key)


def _whole(owner: Value, key: Value) -> int:
    if (isinstance(key, int) and not isinstance(key, bool)) or (isinstance(key, float) and key.is_integer()):
        return int(key)
    raise Fault(codes.TYPE_ERROR, f"{describe(owner)} is indexed by a whole number", owner, key)


def index_safe(owner: Value, key: Value) -> Value:
    """`owner?.[key]`: null where the owner is null."""
    return None if owner is None else index(owner, key)


def make_list(*items: Value) -> Value:
    """A list of the items."""
    return [normalised(item) for item in items]


def make_object(*keys_and_values: Value) -> Value:
    """An object of alternating keys and values; the last of equal keys counts, in the first one's place."""
    pairs = zip(keys_and_values[::2], keys_and_values[1::2], strict=True)
    return {text(key): normalised(value) for key, value in pairs}


def channel_name(value: Value) -> str:
    """The name of a channel: a value's text. Raises Fault empty-channel for null, empty and blank."""
    name = "" if value is None else text(value)
    if not name.strip():
        raise Fault(codes.EMPTY_CHANNEL, "the channel has no name", value)
    return name
