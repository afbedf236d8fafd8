"""What to say where something else stands than the language expects: THE tables of other languages' habits."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

from compiler.diagnostics import codes
from compiler.syntax.lexer import BAD_NUMBER, FOREIGN_NAME, OPEN_TEXT, STRAY, UNKNOWN, Token
from compiler.syntax.problems import Mistake, quoted, replacement

_ASSIGNMENT: Final = "an expression sets nothing; the operation `SetVar` does"
_BITS: Final = "there are no operators on bits"
_MINUS: Final = "the minus sign is the hyphen `-`"

OPERATORS: Final[dict[str, tuple[str | None, str]]] = {
    "=": ("==", "`==` compares; to set a variable is what the operation `SetVar` does"),
    "===": ("==", "`==` compares type and content; only a numeric text equals its number"),
    "!==": ("!=", "`!=` compares type and content; only a numeric text equals its number"),
    "<>": ("!=", "write `!=`"),
    "=>": (">=", "write `>=`; functions cannot be defined"),
    "=<": ("<=", "write `<=`"),
    "=~": (None, "write `text | matches('pattern')`"),
    "&": ("&&", "write `&&`"),
    "++": ("+", "write `+`; a variable is counted up by `SetVar` with the value `{{ n + 1 }}`"),
    "+=": (None, _ASSIGNMENT),
    "-=": (None, _ASSIGNMENT),
    "*=": (None, _ASSIGNMENT),
    "/=": (None, _ASSIGNMENT),
    "<<": (None, _BITS),
    ">>": (None, _BITS),
    "~": (None, _BITS),
    "^": ("**", "a power is written `**`"),
    "//": (None, "whole division is `(a / b) | floor`; there are no comments in expressions"),
    "->": (".", "a member is written `a.b`"),
    "?:": ("??", "write `??`, or `||` to replace every false value"),
    "..": (None, "a member is written `a.b`, a list of numbers `range(1, 5)`"),
    "≤": ("<=", "write `<=`"),
    "≥": (">=", "write `>=`"),
    "≠": ("!=", "write `!=`"),
    "×": ("*", "write `*`"),
    "÷": ("/", "write `/`"),
    "−": ("-", _MINUS),
    "–": ("-", _MINUS),
}
"""Operators that the language has not: what to write in their place, and advice."""

GUESSED: Final = frozenset({"=", "=>", "&", "++", "^", "?:"})
"""Operators of the table that may have been meant otherwise: an assignment, a function, bits."""

WORDS: Final[dict[str, tuple[str | None, str]]] = {
    "and": ("&&", "write `&&`"),
    "or": ("||", "write `||`"),
    "not": (None, "write `!`, as in `!(a == b)`"),
    "is": ("==", "write `==`"),
    "eq": ("==", "write `==`"),
    "ne": ("!=", "write `!=`"),
    "lt": ("<", "write `<`"),
    "gt": (">", "write `>`"),
    "le": ("<=", "write `<=`"),
    "ge": (">=", "write `>=`"),
    "mod": ("%", "write `%`"),
    "in": (None, "write `list | contains(x)`"),
    "if": (None, "write `condition ? value : otherwise`"),
    "else": (None, "write `condition ? value : otherwise`"),
}
"""Words that are operators elsewhere. The first three are no names anywhere."""

RESERVED_WORDS: Final = frozenset({"and", "or", "not"})

CHARACTERS: Final[dict[str, str]] = {
    "#": "expressions have no comments; in YAML a comment needs a place outside the quotes or block",
    ";": "a template holds one expression",
    "`": "a text stands in `'` or `\"`; texts are joined by `+`",
    "$": "a name is written without `$`",
    "@": "a name is written without `@`",
    "\\": "a backslash has a meaning only inside a text",
    **dict.fromkeys("“”„‘’‚«»", "a text stands in straight quotes: `'` or `\"`"),
}
"""Characters that the language has not, with advice."""


def foreign(token: Token, after_point: bool) -> Mistake | None:
    """The mistake in a token that belongs nowhere; None for tokens of the language."""
    if token[0] == FOREIGN_NAME:
        return _foreign_name(token, after_point)
    found = _LEXICAL.get(token[0])
    return found(token) if found else None


def unknown_operator(token: Token, table: dict[str, tuple[str | None, str]]) -> Mistake:
    """That an operator or word of a table is none of ours, with what to write where the table knows it."""
    _, text, start, end = token
    better, advice = table[text.lower()]
    message = f"{quoted(text)} is not an operator" + (f" (did you mean `{better}`?)" if better else "")
    edits = replacement(start, end, better) if better else ()
    return Mistake(codes.UNKNOWN_OPERATOR, start, end, message, help=advice, edits=edits, safe=text not in GUESSED)


def unclosed_text(quote: str, start: int) -> Mistake:
    """That the text literal that opens at `start` has no end."""
    return Mistake(codes.UNCLOSED_TEXT, start, start + 1, f"this text literal is never closed: a `{quote}` is missing")


def _bad_number(token: Token) -> Mistake:
    _, text, start, end = token
    if text[:2].lower() in ("0x", "0b", "0o"):
        advice = "numbers are decimal"
    elif text.replace("_", "").isdecimal():
        advice = f"digits are written without separators: `{text.replace('_', '')}`"
    elif text.endswith("."):
        advice = "a digit must follow the point"
    elif "." in text or "e" in text.lower():
        advice = "a number has digits on both sides of one point, and may have an exponent: `1.5`, `2e3`"
    else:
        advice = "a name starts with a letter or `_`"
    return Mistake(codes.BAD_EXPRESSION, start, end, f"{quoted(text)} is not a number", help=advice)


def _foreign_name(token: Token, after_point: bool) -> Mistake:
    _, text, start, end = token
    message = f"{quoted(text)} cannot be a name: names are ASCII letters, digits and `_`"
    edits = replacement(start - 1, end, f"['{text}']") if after_point else ()
    advice = f"any other key is read as `x['{text}']`"
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help=advice, edits=edits)


def _stray(token: Token) -> Mistake:
    _, text, start, end = token
    if text in CHARACTERS:
        return Mistake(codes.BAD_EXPRESSION, start, end, f"unexpected `{text}`", help=CHARACTERS[text])
    name = unicodedata.name(text, "no name")
    if text.isprintable():
        return Mistake(codes.BAD_EXPRESSION, start, end, f"unexpected `{text}` ({name})")
    return Mistake(
        codes.BAD_EXPRESSION,
        start,
        end,
        f"unexpected invisible character U+{ord(text):04X} ({name})",
        help="delete it",
        edits=replacement(start, end, ""),
    )


_LEXICAL: Final[dict[str, Callable[[Token], Mistake]]] = {
    UNKNOWN: lambda token: unknown_operator(token, OPERATORS),
    OPEN_TEXT: lambda token: unclosed_text(token[1][0], token[2]),
    BAD_NUMBER: _bad_number,
    STRAY: _stray,
}
