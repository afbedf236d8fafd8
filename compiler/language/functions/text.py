"""Functions on text; some take lists as well."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

from compiler.language.functions.arguments import refuse, utf8, whole, wrong_kind
from compiler.language.functions.registry import function
from compiler.language.values import Number, Value, check_items, check_size, equal, join_texts

_WORD: Final = re.compile(r"\S+")
_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")
_PATTERN_MEMORY: Final = 1 << 20
"""Bytes a pattern may use; this also bounds how long a search can take."""


@function("text", examples=[("'hello' | upper", "HELLO")])
def upper(text: str) -> str:
    """The text in upper case."""
    return text.upper()


@function("text", examples=[("'HELLO' | lower", "hello")])
def lower(text: str) -> str:
    """The text in lower case."""
    return text.lower()


@function("text", examples=[("'  hello ' | trim", "hello")])
def trim(text: str) -> str:
    """The text without blanks and line breaks at its ends."""
    return text.strip()


@function("text", examples=[("'hELLO world' | capitalize", "Hello world")])
def capitalize(text: str) -> str:
    """The first letter in upper case, the rest in lower case."""
    return text.capitalize()


@function("text", examples=[("'hello WORLD' | title", "Hello World"), ("\"it's o'clock\" | title", "It's O'clock")])
def title(text: str) -> str:
    """The first letter of every word in upper case, the rest in lower case; words stand between blanks."""
    return _WORD.sub(lambda word: word[0].capitalize(), text)


@function(
    "text",
    aliases=["len"],
    examples=[("'hello' | length", 5), ("[1, 2] | length", 2), ("{a: 1} | length", 1)],
)
def length(value: str | list[Value] | dict[str, Value]) -> Number:
    """How many characters a text has, elements a list, keys an object."""
    return len(value)


@function("text", examples=[("'abc' | reverse", "cba"), ("[1, 2, 3] | reverse", [3, 2, 1])])
def reverse(value: str | list[Value]) -> str | list[Value]:
    """A text or list from its end to its start."""
    return value[::-1]


@function(
    "text",
    examples=[("'well hello there' | contains('hello')", True), ("['a', 'b'] | contains('c')", False)],
)
def contains(value: str | list[Value], part: Value) -> bool:
    """Whether a text holds a text, or a list holds an element.

    Case counts in texts. Elements compare as with `==`: a numeric text equals its number.
    """
    if isinstance(value, list):
        return any(equal(element, part) for element in value)
    return text_part(part, "contains") in value


def text_part(part: Value, name: str) -> str:
    """An argument that has to be a text where the first one is no list. Raises Fault type-error."""
    if not isinstance(part, str):
        raise wrong_kind(f"`{name}` looks for a text here", part)
    return part


@function("text", examples=[("'subscribe:news' | starts_with('subscribe:')", True)])
def starts_with(text: str, start: str) -> bool:
    """Whether the text starts with another; case counts."""
    return text.startswith(start)


@function("text", examples=[("'photo.png' | ends_with('.png')", True)])
def ends_with(text: str, end: str) -> bool:
    """Whether the text ends with another; case counts."""
    return text.endswith(end)


@function("text", examples=[("'a-b-c' | replace('-', '+')", "a+b+c")])
def replace(text: str, old: str, new: str) -> str:
    """Every occurrence of one text replaced by another; both are plain text, no patterns."""
    if not old:
        raise refuse("`replace` needs a text to look for", old)
    check_size(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


@function("text", examples=[("'a,b,c' | split(',')", ["a", "b", "c"]), ("'' | split(',')", [""])])
def split(text: str, separator: str) -> list[Value]:
    """The pieces of the text between the occurrences of a separator."""
    if not separator:
        raise refuse("`split` needs a separator that is not empty", separator)
    check_items(text.count(separator) + 1)
    return [*text.split(separator)]


@function("text", examples=[("[1, 2, 3] | join", "1,2,3"), ("['a', 'b'] | join(' and ')", "a and b")])
def join(list_: list[Value], separator: str = ",") -> str:
    """The texts of the elements with a separator between them."""
    return join_texts(list_, separator)


@function("text", examples=[("'hello' | substring(1, 3)", "ell"), ("'hello' | substring(3)", "lo")])
def substring(text: str, start: Number, length: Number | None = None) -> str:
    """So many characters of the text from a place on, counted from 0; all of the rest without a length."""
    first = whole(start, "`substring`'s start", 0)
    if length is None:
        return text[first:]
    return text[first : first + whole(length, "`substring`'s length", 0)]


@function(
    "text",
    examples=[("'hello' | slice(1, -1)", "ell"), ("'hello' | slice(-2)", "lo"), ("[1, 2, 3] | slice(0, 2)", [1, 2])],
)
def slice_(value: str | list[Value], start: Number, end: Number | None = None) -> str | list[Value]:
    """The part of a text or list from one place to before another; negative places count from the end."""
    first = whole(start, "`slice`'s start")
    last = None if end is None else whole(end, "`slice`'s end")
    return value[first:last]


@function("text", examples=[("'ha' | repeat(3)", "hahaha")])
def repeat(text: str, count: Number) -> str:
    """The text so many times in a row."""
    times = whole(count, "`repeat`'s count", 0)
    check_size(len(text) * times)
    return text * times


@function(
    "text", examples=[("'This is a long text' | truncate(10)", "This is..."), ("'short' | truncate(10)", "short")]
)
def truncate(text: str, length: Number) -> str:
    """The text cut to at most so many characters; a cut shows as `...`, which counts, and up to 3 there is none."""
    most = whole(length, "`truncate`'s length", 0)
    if len(text) <= most:
        return text
    return text[:most] if most <= 3 else text[: most - 3] + "..."


@function("text", examples=[("'Hello World!' | slugify", "hello-world")])
def slugify(text: str) -> str:
    """Lower case, every run of other than letters and digits one `-`, none at the ends; for addresses and ids."""
    return _NOT_ALPHANUMERIC.sub(lambda run: _dashed(run[0]), text.lower()).strip("-")


def _dashed(run: str) -> str:
    """Marks (accents, vowel signs) belong to the letter before them; all else of the run becomes one dash."""
    if run.isascii():
        return "-"
    made: list[str] = []
    for character in run:
        if unicodedata.category(character).startswith("M"):
            made.append(character)
        elif made[-1:] != ["-"]:
            made.append("-")
    return "".join(made)


@function("text", examples=[("'John Ronald Doe' | initials", "JRD")])
def initials(text: str) -> str:
    """The first character of each word, in upper case."""
    return "".join(word[0][0].upper() for word in _WORD.finditer(text))


@function("text", examples=[("'one two  three' | word_count", 3), ("' ' | word_count", 0)])
def word_count(text: str) -> Number:
    """How many words the text has; words stand between blanks."""
    return sum(1 for _ in _WORD.finditer(text))


@function(
    "text",
    literal={"pattern": "pattern"},
    examples=[("'room-12' | matches('[0-9]+')", True), ("'room-12' | matches('^[0-9]+$')", False)],
)
def matches(text: str, pattern: str) -> bool:
    """Whether a regular expression is found anywhere in the text.

    The pattern is a text literal. The engine is RE2: its time is linear, and there are no look-arounds and no
    back-references.
    """
    return compile_pattern(pattern).search(utf8(text)) is not None


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """A regular expression for `matches`, made ready. Raises Fault bad-argument where it is not well formed."""
    import re2  # costs 3 ms, and few routes have patterns

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _PATTERN_MEMORY
    try:
        return re2.compile(utf8(pattern), options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not well formed"
        shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise refuse(f"the pattern cannot be used: {shown}", pattern) from None
