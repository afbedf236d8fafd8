"""Values and what operators do with them: truth, equality, order, arithmetic, text (language section 7).

A value is a JSON value in its Python form: None, bool, int, float, str, list, dict. Whole numbers are
ints; the helpers below are the semantics, and everything that runs programs calls them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import IntFlag
from json.encoder import encode_basestring
from typing import Final, TypeAlias

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.limits import LIST_ITEMS, SAFE_INTEGER, TEXT_BYTES

Value: TypeAlias = "None | bool | int | float | str | list[Value] | dict[str, Value]"
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


def kind_of(value: Value) -> Kind:
    """The one kind that a value has."""
    return _KIND_OF_CLASS[value.__class__]


def describe_kind(kind: Kind) -> str:
    """A set of kinds in words: `a text`, `a number or null`."""
    names = [("null" if k is Kind.NULL else f"an {n}" if k is Kind.OBJECT else f"a {n}") for k, n in KIND_NAMES.items() if k & kind]
    return "any value" if kind == Kind.ANY else " or ".join(names) or "nothing"


def describe(value: Value) -> str:
    """A value's kind in words, for messages: `a text`."""
    return describe_kind(kind_of(value))


# Numbers (C1, C2).

_NUMERIC: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)


def normalise(number: Number) -> Number:
    """The same number in its one form: whole as int, beyond 2**53 the nearest double, never -0.

    Raises Fault number-range where the number is not finite.
    """
    if number.__class__ is int:
        if -SAFE_INTEGER <= number <= SAFE_INTEGER:
            return number
        try:
            return int(float(number))
        except OverflowError:
            raise Fault(codes.NUMBER_RANGE, "the number is too large") from None
    if not math.isfinite(number):
        raise Fault(codes.NUMBER_RANGE, "the number is too large")
    return int(number) if number == int(number) else number


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
    cls = value.__class__
    if cls is int or cls is float:
        return value  # type: ignore[return-value]
    if cls is str:
        number = parse_number(value)  # type: ignore[arg-type]
        if number is not None:
            return number
        raise Fault(codes.TYPE_ERROR, f"`{operator}` takes numbers, and this text is not numeric", value)
    raise Fault(codes.TYPE_ERROR, f"`{operator}` takes numbers, not {describe(value)}", value)


def number_text(number: Number) -> str:
    """A number as JavaScript writes it: shortest digits that read back, no `.0`, exponent from 1e21 and below 1e-6."""
    number = normalise(number)
    if number.__class__ is int and -SAFE_INTEGER <= number <= SAFE_INTEGER:
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


def text(value: Value) -> str:
    """A value as text: strings as they are, lists and objects as compact JSON. Raises Fault too-large."""
    cls = value.__class__
    if cls is str:
        return value  # type: ignore[return-value]
    if cls is int or cls is float:
        return number_text(value)  # type: ignore[arg-type]
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if cls is ErrorValue:
        return text(value["message"])  # type: ignore[index, call-overload]
    return to_json(value)


def to_json(value: Value, indent: int = 0) -> str:
    """JSON in insertion order, non-ASCII kept, numbers as `number_text`: compact, or indented by so many blanks.

    Raises Fault too-large over 1 MiB or where lists and objects are nested too deep to be written.
    """
    parts: list[str] = []
    try:
        _write_json(value, parts, "\n" if indent else "", indent)
    except RecursionError:
        raise Fault(codes.TOO_LARGE, "the value is nested too deep to be written") from None
    return bounded("".join(parts))


def _write_json(value: Value, parts: list[str], line_break: str, indent: int) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif isinstance(value, list):
        _write_items([("", item) for item in value], "[]", parts, line_break, indent)
    elif isinstance(value, dict):
        colon = ": " if indent else ":"
        members = [(encode_basestring(key) + colon, item) for key, item in value.items()]
        _write_items(members, "{}", parts, line_break, indent)
    else:
        parts.append(text(value))


def _write_items(
    items: list[tuple[str, Value]], brackets: str, parts: list[str], line_break: str, indent: int
) -> None:
    if not items:
        parts.append(brackets)
        return
    inner = line_break + " " * indent
    parts.append(brackets[0])
    for number, (prefix, item) in enumerate(items):
        parts.append(("," if number else "") + inner + prefix)
        _write_json(item, parts, inner, indent)
    parts.append(line_break + brackets[1])


def bounded(made: str) -> str:
    """The text itself. Raises Fault too-large over 1 MiB."""
    if len(made) * 4 > TEXT_BYTES and len(made.encode("utf-8", "replace")) > TEXT_BYTES:
        raise Fault(codes.TOO_LARGE, "the text would be larger than 1 MiB")
    return made


def check_items(count: int) -> None:
    """Raises Fault too-large where a list or object would have more than 100 000 items."""
    if count > LIST_ITEMS:
        raise Fault(codes.TOO_LARGE, "the list would have more than 100 000 items")


def concat(*parts: Value) -> str:
    """The texts of the parts, joined. Raises Fault too-large over 1 MiB, before anything is built."""
    texts = [text(part) for part in parts]
    if sum(map(len, texts)) > TEXT_BYTES:
        raise Fault(codes.TOO_LARGE, "the text would be larger than 1 MiB")
    return bounded("".join(texts))


def normalised(value: Value) -> Value:
    """The value with its number in normal form; lists and objects keep theirs, which were made normal."""
    cls = value.__class__
    return normalise(value) if cls is int or cls is float else value  # type: ignore[arg-type]


# Truth and equality (C6, C7).


def truthy(value: Value) -> bool:
    """Everything but `false`, `0`, `""` and `null`; empty lists and objects are true."""
    return bool(value) or isinstance(value, (list, dict))


def negate(value: Value) -> bool:
    """`!value`."""
    return not truthy(value)


def equal(left: Value, right: Value) -> bool:
    """`==`: a numeric string equals its number; otherwise same type and content. Never an error."""
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind is right_kind:
        return _same(left, right, left_kind, equal)
    if left_kind is Kind.NUMBER and right_kind is Kind.TEXT:
        return left == _number_or_none(right)  # type: ignore[arg-type]
    if left_kind is Kind.TEXT and right_kind is Kind.NUMBER:
        return right == _number_or_none(left)  # type: ignore[arg-type]
    return False


def identical(left: Value, right: Value) -> bool:
    """Same type and content, a text never equal to a number: what `unique` compares by."""
    kind = kind_of(left)
    return kind is kind_of(right) and _same(left, right, kind, identical)


def unequal(left: Value, right: Value) -> bool:
    """`!=`."""
    return not equal(left, right)


def _number_or_none(string: str) -> Number | None:
    try:
        return parse_number(string)
    except Fault:
        return None


def _same(left: Value, right: Value, kind: Kind, same: Callable[[Value, Value], bool]) -> bool:
    if kind is Kind.LIST:
        assert isinstance(left, list) and isinstance(right, list)
        return left is right or _deep(lambda: len(left) == len(right) and all(map(same, left, right)))
    if kind is Kind.OBJECT:
        assert isinstance(left, dict) and isinstance(right, dict)
        return left is right or _deep(
            lambda: left.keys() == right.keys() and all(same(item, right[key]) for key, item in left.items())
        )
    return left == right


def _deep(compare: Callable[[], bool]) -> bool:
    try:
        return compare()
    except RecursionError:
        return False


# Order (C5).


def _order(left: Value, right: Value, operator: str) -> tuple[Number, Number] | tuple[str, str]:
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind is Kind.TEXT and right_kind is Kind.TEXT:
        return left, right  # type: ignore[return-value]
    if left_kind | right_kind in (Kind.NUMBER, Kind.NUMBER | Kind.TEXT):
        return to_operand(left, operator), to_operand(right, operator)
    raise Fault(
        codes.TYPE_ERROR, f"`{operator}` cannot order {describe(left)} and {describe(right)}", left, right
    )


def less(left: Value, right: Value) -> bool:
    """`left < right`: two numbers, a number and a numeric string, or two texts by code point."""
    a, b = _order(left, right, "<")
    return a < b  # type: ignore[operator]


def less_equal(left: Value, right: Value) -> bool:
    """`left <= right`."""
    a, b = _order(left, right, "<=")
    return a <= b  # type: ignore[operator]


def greater(left: Value, right: Value) -> bool:
    """`left > right`."""
    a, b = _order(left, right, ">")
    return a > b  # type: ignore[operator]


def greater_equal(left: Value, right: Value) -> bool:
    """`left >= right`."""
    a, b = _order(left, right, ">=")
    return a >= b  # type: ignore[operator]


# Arithmetic (C3, C4). Doubles: an int result beyond 2**53 is rounded where the value is kept or shown.


def add(left: Value, right: Value) -> Value:
    """`left + right`: adds numbers, concatenates texts or lists; see C4 for mixed operands."""
    left_kind, right_kind = kind_of(left), kind_of(right)
    both = left_kind | right_kind
    if both is Kind.NUMBER:
        return _finite(lambda: left + right, left, right)  # type: ignore[operator]
    if both is Kind.TEXT:
        return concat(left, right)
    if both == Kind.NUMBER | Kind.TEXT:
        string = left if left_kind is Kind.TEXT else right
        if _NUMERIC.fullmatch(string):  # type: ignore[arg-type]
            a, b = to_operand(left, "+"), to_operand(right, "+")
            return _finite(lambda: a + b, left, right)
        return concat(left, right)
    if both == Kind.BOOLEAN | Kind.TEXT:
        return concat(left, right)
    if both is Kind.LIST:
        check_items(len(left) + len(right))  # type: ignore[arg-type]
        return left + right  # type: ignore[operator]
    raise Fault(codes.TYPE_ERROR, f"`+` cannot add {describe(left)} and {describe(right)}", left, right)


def _finite(compute: Callable[[], Number], *operands: Value) -> Number:
    try:
        result = compute()
    except OverflowError:
        raise Fault(codes.NUMBER_RANGE, "the result is too large", *operands) from None
    if isinstance(result, float):
        if not math.isfinite(result):
            raise Fault(codes.NUMBER_RANGE, "the result is too large", *operands)
        if result.is_integer():
            return int(result)
    return result


def _operands(left: Value, right: Value, operator: str) -> tuple[Number, Number]:
    try:
        return to_operand(left, operator), to_operand(right, operator)
    except Fault as fault:
        raise Fault(fault.kind, fault.message, left, right) from None


def subtract(left: Value, right: Value) -> Value:
    """`left - right`, of numbers and numeric strings."""
    a, b = _operands(left, right, "-")
    return _finite(lambda: a - b, left, right)


def multiply(left: Value, right: Value) -> Value:
    """`left * right`, of numbers and numeric strings; the result in normal form."""
    a, b = _operands(left, right, "*")
    return normalise(_finite(lambda: a * b, left, right))


def divide(left: Value, right: Value) -> Value:
    """`left / right`, never integer division. Raises Fault division-by-zero."""
    a, b = _operands(left, right, "/")
    if b == 0:
        raise Fault(codes.DIVISION_BY_ZERO, "division by zero", left, right)
    return _finite(lambda: a / b, left, right)


def remainder(left: Value, right: Value) -> Value:
    """`left % right` with the sign of the left operand. Raises Fault division-by-zero."""
    a, b = _operands(left, right, "%")
    if b == 0:
        raise Fault(codes.DIVISION_BY_ZERO, "remainder by zero", left, right)
    if isinstance(a, int) and isinstance(b, int):
        size = abs(a) % abs(b)
        return -size if a < 0 else size
    return _finite(lambda: math.fmod(a, b), left, right)


def power(left: Value, right: Value) -> Value:
    """`left ** right`; whole results are exact up to 2**53, and nothing huge is ever computed."""
    base, exponent = _operands(left, right, "**")
    try:
        result = math.pow(base, exponent)
    except OverflowError:
        raise Fault(codes.NUMBER_RANGE, "the result is too large", left, right) from None
    except ValueError:
        if base == 0:
            raise Fault(codes.DIVISION_BY_ZERO, "0 to a negative power divides by zero", left, right) from None
        raise Fault(codes.NUMBER_RANGE, "a root of a negative number is no number", left, right) from None
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 and abs(result) <= SAFE_INTEGER:
        return int(base**exponent)
    return _finite(lambda: result, left, right)


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
    if isinstance(key, bool) or not isinstance(key, (int, float)) or key != math.floor(key):
        raise Fault(codes.TYPE_ERROR, f"{describe(owner)} is indexed by a whole number", owner, key)
    return int(key)


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
