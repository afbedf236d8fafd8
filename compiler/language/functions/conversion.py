"""Functions between kinds of values."""

from __future__ import annotations

from typing import Final

from compiler.language.functions.arguments import refuse
from compiler.language.functions.registry import function
from compiler.language.values import KIND_NAMES, Number, Value, kind_of, parse_number, truthy
from compiler.language.values import text as text_of

_FALSE_WORDS: Final = frozenset({"false", "0", "no", "off", "null"})


@function("conversion", aliases=["string"], examples=[("10 / 5 | to_string", "2"), ("[1, 'a'] | to_string", '[1,"a"]')])
def to_string(value: Value) -> str:
    """The value as text; lists and objects as compact JSON."""
    return text_of(value)


@function("conversion", aliases=["number"], examples=[("' 42 ' | to_number", 42), ("true | to_number", 1)])
def to_number(value: str | Number | bool) -> Number:
    """The number that a text is, blanks around it ignored; true is 1 and false is 0. All else is an error."""
    if not isinstance(value, str):
        return int(value) if isinstance(value, bool) else value
    number = parse_number(value.strip())
    if number is None:
        raise refuse("`to_number` takes a number's text, and this is none", value)
    return number


@function("conversion", aliases=["bool"], examples=[("' No ' | to_bool", False), ("1 | to_bool", True)])
def to_bool(value: Value) -> bool:
    """Whether the value is truthy; the texts `false`, `0`, `no`, `off` and `null` are false too."""
    if isinstance(value, str) and value.strip().lower() in _FALSE_WORDS:
        return False
    return truthy(value)


@function("conversion", examples=[("null | default('none')", "none"), ("0 | default(5)", 0)])
def default(value: Value, fallback: Value) -> Value:
    """The fallback where the value is null, an unset variable, or a member of null; else the value."""
    return fallback if value is None else value


@function("conversion", examples=[("[] | type", "list"), ("null | type", "null")])
def type_(value: Value) -> str:
    """What the value is: `null`, `boolean`, `number`, `text`, `list` or `object`."""
    return KIND_NAMES[kind_of(value)]
