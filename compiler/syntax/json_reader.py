"""JSON with positions, strictly as RFC 8259 has it (language section 1).

One pass over tokens with an explicit state instead of recursion. A token is found by one regular
expression; texts with escapes are decoded by Python's own scanner of JSON texts.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from json import JSONDecodeError, JSONDecoder
from typing import Final, NoReturn

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.faults import Fault
from compiler.syntax.json_mistakes import (
    JsonMistake,
    bad_text,
    lone_surrogate,
    misplaced_character,
    missing_comma,
    trailing_comma,
)
from compiler.syntax.scalars import Resolved, decimal_number
from compiler.syntax.tree import Node, Scalar, Style
from compiler.syntax.tree_builder import ReadingStopped, TreeBuilder

_TOKEN: Final = re.compile(
    r'[ \t\n\r]*(?:"([^"\\\x00-\x1f]*)"'  # 1: a text without escapes
    r"|([{}\[\],:])"
    r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.+-])"
    r"|(true|false|null)(?![\w$]))"
)
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_CLOSERS: Final = {"{": "}", "[": "]"}
_scan_text: Final = JSONDecoder().raw_decode  # at a double quote it reads exactly one text


class _Awaits(Enum):
    """What may come next."""

    VALUE = auto()
    FIRST_ITEM = auto()
    KEY = auto()
    FIRST_KEY = auto()
    COLON = auto()
    COMMA = auto()


def read_json(source: SourceFile, report: Report) -> list[Node]:
    """The tree of a JSON file, as a list of one; empty for a file that is blank or has a finding that ends reading."""
    if not source.text.strip(" \t\r\n"):
        return []
    try:
        document = _JsonReader(source, report).read()
    except ReadingStopped:
        return []
    return [] if document is None else [document]


class _JsonReader:
    """Reads one text. `_open` holds the offsets of the brackets that are not closed yet."""

    def __init__(self, source: SourceFile, report: Report) -> None:
        self.source = source
        self.text = source.text
        self.report = report
        self.builder = TreeBuilder(source, report)
        self.awaits = _Awaits.VALUE
        self.place = 0
        self._open: list[int] = []
        self._comma = 0

    def read(self) -> Node | None:
        """The tree; None where a part of it has no meaning. Raises ReadingStopped."""
        text, match = self.text, _TOKEN.match
        while True:
            token = match(text, self.place)
            if token is None:
                if self._at_end():
                    return self.builder.end_document()
                self._escaped_text()
            elif token.lastindex == 1:
                self._add_text(token[1], token.start(1) - 1, token.end())
            elif token.lastindex == 2:
                self._punctuation(token[2], token.start(2))
            else:
                self._add_plain(token[token.lastindex or 0], token.end())

    # Scalars.

    def _escaped_text(self) -> None:
        start = self._next_place()
        if not self.text.startswith('"', start):
            finished = self.awaits is _Awaits.COMMA and not self._open and self.text[start] not in "/#"
            mistake = None if finished else misplaced_character(self.text, start)
            self._refuse(mistake or self._unexpected(start, self.text[start]))
        try:
            value, end = _scan_text(self.text, start)
        except JSONDecodeError as error:
            self._refuse(bad_text(self.text, start, error.msg, error.pos))
        if _SURROGATE.search(value):
            self._refuse(lone_surrogate(self.text, start + 1, end - 1))
        self._add_text(value, start, end)

    def _add_text(self, value: str, start: int, end: int) -> None:
        if self.awaits is _Awaits.KEY or self.awaits is _Awaits.FIRST_KEY:
            self.awaits = _Awaits.COLON
        else:
            self._expect_value(start)
            self.awaits = _Awaits.COMMA
        self.place = end
        self.builder.add(Scalar(value, value, Style.JSON, Span(start, end)))

    def _add_plain(self, written: str, end: int) -> None:
        span = Span(end - len(written), end)
        self._expect_value(span.start)
        self.awaits = _Awaits.COMMA
        self.place = end
        self.builder.add(Scalar(written, self._plain_value(written, span), Style.PLAIN, span))

    def _plain_value(self, written: str, span: Span) -> Resolved:
        if written in _CONSTANTS:
            return _CONSTANTS[written]
        try:
            return decimal_number(written)
        except Fault as fault:
            self.builder.refuse_number(fault, span)
            return written

    def _expect_value(self, start: int) -> None:
        if self.awaits is not _Awaits.VALUE and self.awaits is not _Awaits.FIRST_ITEM:
            self._refuse(self._unexpected(start, self.text[start]))

    # Punctuation.

    def _punctuation(self, sign: str, start: int) -> None:
        if sign in "{[":
            self._expect_value(start)
            self.builder.open(sign == "{", start, True)
            self._open.append(start)
            self.awaits = _Awaits.FIRST_KEY if sign == "{" else _Awaits.FIRST_ITEM
        elif sign in "}]":
            self._close(sign, start)
        elif sign == "," and self.awaits is _Awaits.COMMA and self._open:
            self._comma = start
            self.awaits = _Awaits.KEY if self.text[self._open[-1]] == "{" else _Awaits.VALUE
        elif sign == ":" and self.awaits is _Awaits.COLON:
            self.awaits = _Awaits.VALUE
        else:
            self._refuse(self._unexpected(start, sign))
        self.place = start + 1

    def _close(self, sign: str, start: int) -> None:
        if not self._open:
            self._refuse(JsonMistake(Span(start, start + 1), f"`{sign}` closes nothing that is open"))
        opened = self._open[-1]
        if sign != _CLOSERS[self.text[opened]]:
            message = f"`{sign}` cannot close the `{self.text[opened]}`"
            self._refuse(JsonMistake(Span(start, start + 1), message, opened_at=opened))
        if self.awaits not in (_Awaits.COMMA, _Awaits.FIRST_ITEM, _Awaits.FIRST_KEY):
            self._refuse(self._unexpected(start, sign))
        self._open.pop()
        self.builder.close(start + 1)
        self.awaits = _Awaits.COMMA

    # Endings and mistakes.

    def _next_place(self) -> int:
        blanks = _BLANKS.match(self.text, self.place)
        return blanks.end() if blanks else self.place

    def _at_end(self) -> bool:
        """Whether the text is complete. Raises ReadingStopped where it ends too early."""
        place = self._next_place()
        if place < len(self.text):
            return False
        if self._open:
            opened = self._open[-1]
            message = f"the `{self.text[opened]}` opened here is never closed"
            self._refuse(JsonMistake(Span(opened, opened + 1), message))
        return True

    def _unexpected(self, start: int, sign: str) -> JsonMistake:
        """A token of JSON at a place where it cannot stand."""
        place = Span(start, start + 1)
        ends_list = sign in "}]" and bool(self._open)
        if ends_list and self.awaits in (_Awaits.VALUE, _Awaits.KEY) and self._comma == self.place - 1:
            return trailing_comma(self._comma, sign)
        if self.awaits is _Awaits.COMMA and not self._open:
            return JsonMistake(place, "the file goes on behind its end", "one JSON file holds one route")
        if self.awaits is _Awaits.COMMA:
            if sign in ",:":
                return JsonMistake(place, f"`{sign}` cannot stand here")
            return missing_comma(self.place, start)
        if self.awaits is _Awaits.COLON:
            return JsonMistake(place, "a `:` is missing between the name and its value")
        if self.awaits in (_Awaits.KEY, _Awaits.FIRST_KEY):
            return JsonMistake(place, "a name in double quotes is expected here")
        return JsonMistake(place, f"a value is missing in front of `{sign}`")

    def _refuse(self, mistake: JsonMistake) -> NoReturn:
        mistake.report_to(self.report, self.source)
        raise ReadingStopped
