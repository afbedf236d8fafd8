"""The map between offsets in a scalar's value and offsets in the file, for every style.

A value is made of the characters of its source, but not of all of them: quotes and indentation make
nothing, an escape makes one character, a line break folds into a blank. So the source of the scalar is
read again, by the rules of its style, as *runs*: a stretch of the value and the stretch of the file that
made it. In most runs every character stands for itself; the others make one character out of several.

    value   h e l l o ' ' w o r l d        file   "hel\\u006co⏎    world"
    runs    hel: 1 to 1 · l: from `\\u006c` · o: 1 to 1 · ' ': from the line break · world: 1 to 1

The runs must make exactly the value. Where they do not (a scalar that no file holds), the map is the
straight line between the ends: it never raises. Nothing is computed before a map is asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from compiler.diagnostics.source import Span
from compiler.records import dataclass
from compiler.syntax.block_offsets import block_runs
from compiler.syntax.runs import Run
from compiler.syntax.tree import Scalar, Style


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Translates offsets of one scalar's value to offsets of its file, and back.

    `runs` are in order, without gaps in the value; `origin` is the place in the file of an empty value.
    """

    runs: tuple[Run, ...]
    origin: int

    def to_file(self, offset_in_value: int) -> int:
        """The first character of the file that made the value's character; the end of the content for its end."""
        run = self._run_of_value(offset_in_value)
        if run is None:
            return self.origin
        if offset_in_value >= run.value_end:
            return run.file_end
        return run.file_start + max(offset_in_value - run.value_start, 0) * run.file_length // run.value_length

    def span_to_file(self, span: Span) -> Span:
        """The range of the file that made a range of the value, from its first to behind its last character."""
        start = self.to_file(span.start)
        return Span(start, self._end_in_file(span.end - 1) if span.end > span.start else start)

    def _end_in_file(self, offset_in_value: int) -> int:
        """Behind the last character of the file that made the value's character."""
        run = self._run_of_value(offset_in_value)
        if run is None:
            return self.origin
        characters = min(max(offset_in_value - run.value_start, 0) + 1, run.value_length)
        return run.file_start + -(-characters * run.file_length // run.value_length)

    def to_value(self, file_offset: int) -> int:
        """The character of the value that a character of the file made; the next one for what made none."""
        if not self.runs or file_offset < self.runs[0].file_start:
            return 0
        run = self.runs[bisect_right(self.runs, file_offset, key=lambda run: run.file_start) - 1]
        if file_offset >= run.file_end:
            return run.value_end
        return run.value_start + (file_offset - run.file_start) * run.value_length // run.file_length

    def _run_of_value(self, offset: int) -> Run | None:
        if not self.runs:
            return None
        return self.runs[max(bisect_right(self.runs, offset, key=lambda run: run.value_start) - 1, 0)]


def offset_map(source_text: str, scalar: Scalar) -> OffsetMap:
    """The map of a scalar whose span lies in `source_text`."""
    start, end = scalar.span.start, scalar.span.end
    if scalar.style in _QUOTED:
        start, end = start + 1, max(end - 1, start + 1)
    if end - start == len(scalar.value) and source_text.startswith(scalar.value, start):
        return _straight(scalar.value, start, end)
    if scalar.style is Style.LITERAL or scalar.style is Style.FOLDED:
        runs = block_runs(source_text, scalar)
    else:
        runs = _checked(_flow_runs(source_text, start, end, scalar.style), scalar.value)
    return _straight(scalar.value, start, end) if runs is None else OffsetMap(runs, start)


def _straight(value: str, start: int, end: int) -> OffsetMap:
    """The straight line from the first to the last character: exact where the value stands in the file as it is."""
    return OffsetMap((Run(0, start, value, end - start),) if value else (), start)


def _checked(pieces: Iterator[tuple[int, int, str]], value: str) -> tuple[Run, ...] | None:
    """The pieces as runs; None where they do not make the value."""
    runs: list[Run] = []
    made = 0
    for file_start, file_length, text in pieces:
        if text:
            runs.append(Run(made, file_start, text, file_length))
            made += len(text)
    return tuple(runs) if "".join(run.text for run in runs) == value else None


# Plain, single-quoted, double-quoted and JSON: pieces of the source, and what each of them makes.

_QUOTED: Final = (Style.SINGLE, Style.DOUBLE, Style.JSON)
_BREAK: Final = r"\r\n|\r|\n"
_FOLD: Final = rf"(?P<fold>[ \t]*(?:{_BREAK})(?:[ \t]*(?:{_BREAK}))*[ \t]*)"
_DIGITS: Final = "[0-9a-fA-F]"
_CODE: Final = rf"x{_DIGITS}{{2}}|u{_DIGITS}{{4}}|U{_DIGITS}{{8}}"
_PAIR: Final = rf"u[dD][89abAB]{_DIGITS}{{2}}\\u[dD][c-fC-F]{_DIGITS}{{2}}"

_PIECES: Final = {
    Style.PLAIN: re.compile(rf"{_FOLD}|[^ \t\r\n]+|[ \t]+"),
    Style.SINGLE: re.compile(rf"{_FOLD}|''|[^ \t\r\n']+|[ \t]+"),
    Style.DOUBLE: re.compile(
        rf"{_FOLD}|\\(?P<joined>(?:{_BREAK})[ \t]*(?:(?:{_BREAK})[ \t]*)*)|\\(?P<escape>{_CODE}|.)|[^ \t\r\n\\]+|[ \t]+"
    ),
    Style.JSON: re.compile(rf"\\(?P<escape>{_PAIR}|{_CODE}|.)|[^\\]+"),
}
_LINE_BREAK: Final = re.compile(_BREAK)

_ESCAPES: Final = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
"""What the letters behind a backslash stand for; any other character stands for itself."""


def _flow_runs(text: str, start: int, end: int, style: Style) -> Iterator[tuple[int, int, str]]:
    """Pieces as (place, length, what they make)."""
    for piece in _PIECES[style].finditer(text, start, end):
        match piece.lastgroup:
            case "fold":
                yield from _folded(list(_LINE_BREAK.finditer(text, *piece.span())))
            case "joined":
                for line_break in list(_LINE_BREAK.finditer(text, *piece.span()))[1:]:
                    yield line_break.start(), len(line_break[0]), "\n"
            case "escape":
                yield piece.start(), len(piece[0]), _unescape(piece["escape"])
            case _:
                doubled = style is Style.SINGLE and piece[0] == "''"
                yield piece.start(), len(piece[0]), "'" if doubled else piece[0]


def _folded(breaks: list[re.Match[str]]) -> Iterator[tuple[int, int, str]]:
    """One line break makes a blank; of several the first makes nothing and each of the others itself."""
    if len(breaks) == 1:
        yield breaks[0].start(), len(breaks[0][0]), " "
    for line_break in breaks[1:]:
        yield line_break.start(), len(line_break[0]), "\n"


def _unescape(escape: str) -> str:
    """The character of an escape, given without its backslash."""
    if len(escape) == 1:
        return _ESCAPES.get(escape, escape)
    if len(escape) == 11:
        return bytes.fromhex(escape[1:5] + escape[7:]).decode("utf-16-be")
    code = int(escape[1:], 16)
    return chr(code) if code <= 0x10FFFF else ""
