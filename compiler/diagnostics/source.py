"""Source text and positions in it. Knows no language."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from compiler.records import dataclass

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_STRIDE = 1024
"""The bytes in front of every so many characters are known."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points `[start, end)` in a source text."""

    start: int
    end: int

    def shifted(self, by: int) -> Span:
        """The same range, `by` code points further on."""
        return Span(self.start + by, self.end + by)

    def to(self, other: Span) -> Span:
        """The range from the start of this one to the end of `other`."""
        return Span(self.start, other.end)


@dataclass(frozen=True, slots=True)
class Position:
    """A place for people and editors: line and column count from 1, in code points; `offset` is in bytes, from 0."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True)
class SourceFile:
    """One decoded file.

    `name` is the path as the user gave it; `text` is without its byte order mark, line ends as
    they are in the file; `bom_bytes` (0 or 3) is what byte offsets must add for the mark.
    """

    name: str
    text: str
    bom_bytes: int = 0

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line. Lines end at LF, CR or CR LF."""
        return [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]

    @cached_property
    def _bytes_before(self) -> list[int]:
        """Byte offsets of the characters 0, 1024, 2048 and so on."""
        parts = (self.text[start : start + _STRIDE] for start in range(0, len(self.text), _STRIDE))
        return list(accumulate((len(part.encode()) for part in parts), initial=self.bom_bytes))

    def line_of(self, offset: int) -> int:
        """The line (from 1) that holds the character at `offset`."""
        return bisect_right(self.line_starts, offset)

    def position(self, offset: int) -> Position:
        """Line, column and byte offset of the character at `offset` (which may be the end of the text)."""
        line, column = self.place(offset)
        if self.text.isascii():
            return Position(line, column, offset + self.bom_bytes)
        mark = offset // _STRIDE
        return Position(line, column, self._bytes_before[mark] + len(self.text[mark * _STRIDE : offset].encode()))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column alone, which cost less than a whole `position`."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line (from 1) without its line break."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")
