"""Tokens of expressions (language section 7).

Every character belongs to some token, so reading tokens never fails: what is not of the language has a
kind of its own, and `compiler.syntax.hints` says what to write instead once the parser arrives there.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.values import Number, parse_number
from compiler.syntax.problems import Mistake, quoted

Token: TypeAlias = tuple[str, str, int, int]
"""Kind, text, start, end. The kind of an operator or bracket is its text."""

NAME: Final = "name"
NUMBER: Final = "number"
INDEX: Final = "index"
TEXT: Final = "text"
END: Final = "end"
FOREIGN_NAME: Final = "foreign name"
BAD_NUMBER: Final = "bad number"
OPEN_TEXT: Final = "open text"
UNKNOWN: Final = "unknown operator"
STRAY: Final = "stray character"

OPERATORS: Final = (
    *("**", "&&", "||", "??", "?.", "==", "!=", "<=", ">="),
    *("+", "-", "*", "/", "%", "<", ">", "!", "|", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"),
)
"""Everything of the language that is neither operand nor blank, longer ones first."""

UNKNOWN_OPERATORS: Final = (
    *("===", "!==", "<>", "=>", "=<", "=~", "++", "+=", "-=", "*=", "/=", "<<", ">>", "//", "->", "?:", ".."),
    *("=", "&", "^", "~", "≤", "≥", "≠", "×", "÷", "−", "–"),
)
"""Operators of other languages, longer ones first: never part of anything that is right."""

_QUOTES: Final = "“”„‘’‚«»"
_SYMBOLS: Final = _QUOTES + "".join(word for word in UNKNOWN_OPERATORS if not word.isascii())


def _either(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in words)


# Unknown operators of two and more characters are tried first (`===` is not `==` and `=`), those of one
# character last (`==` is not two `=`). After a point, digits are an index: `m.0.1` has two of them.
_TOKEN: Final = re.compile(
    rf"""\s*+(?:
      ([A-Za-z_][A-Za-z0-9_]*+(?!\w))
    | ((?<=\.)[0-9]++(?!\w))
    | ([0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+(?![\w.]))
    | ([0-9](?:[eE][+-](?=[0-9])|[\w.])*+)
    | ('[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")
    | (['"].*+)
    | ({_either(tuple(word for word in UNKNOWN_OPERATORS if len(word) > 1))})
    | ({_either(OPERATORS)})
    | ({_either(tuple(word for word in UNKNOWN_OPERATORS if len(word) == 1))})
    | (\w(?:\w|[^\x00-\x7f\s{_SYMBOLS}])*+)
    | (\Z)
    | (.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_OPERATOR_GROUP: Final = 8
_KINDS: Final = ("", NAME, INDEX, NUMBER, BAD_NUMBER, TEXT, OPEN_TEXT, UNKNOWN, "", UNKNOWN, FOREIGN_NAME, END, STRAY)


def tokenize(source: str, start: int, end: int) -> list[Token]:
    """The tokens of `source[start:end]`, with their offsets in `source`; the last one is END."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(source, start, end):
        group = match.lastindex or 0
        text = match[group]
        first, last = match.span(group)
        tokens.append((text if group == _OPERATOR_GROUP else _KINDS[group], text, first, last))
    return tokens


def number_value(text: str, start: int) -> Number:
    """The value of a number literal at `start`. Raises Mistake where it is beyond the doubles."""
    if len(text) <= 15 and text.isdecimal():
        return int(text)
    try:
        number = parse_number(text)
    except Fault:
        raise Mistake(codes.NUMBER_RANGE, start, start + len(text), f"the number {quoted(text)} is too large") from None
    assert number is not None, "the lexer lets only numeric strings through"
    return number


_ESCAPE: Final = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL
)
_SIMPLE: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


def text_value(literal: str, start: int) -> str:
    """What a text literal (with its quotes, at `start`) stands for. Raises Mistake at a wrong `\\u`."""
    if "\\" not in literal:
        return literal[1:-1]
    return _ESCAPE.sub(lambda match: _unescape(match, start + 1), literal[1:-1])


def _unescape(match: re.Match[str], origin: int) -> str:
    high, low, code, other = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    if code is None and other != "u":
        return _SIMPLE.get(other, match[0])
    if code is None:
        raise _bad_escape(match, origin, "`\\u` needs four hexadecimal digits")
    if "d800" <= code.lower() <= "dfff":
        raise _bad_escape(match, origin, f"{quoted(match[0])} is half of a character; the other half must be beside it")
    return chr(int(code, 16))


def _bad_escape(match: re.Match[str], origin: int, message: str) -> Mistake:
    return Mistake(
        codes.BAD_EXPRESSION,
        origin + match.start(),
        origin + match.end(),
        message,
        help="write the character itself, or `\\u` with four digits: `\\u00e9`",
    )
