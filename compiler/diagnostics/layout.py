"""How a line of source stands on a terminal: which columns each character takes, and what is cut from a long line.

Tabs are expanded, characters that a terminal would obey are shown as escapes, wide characters take two
columns, combining marks none, and a group such as an emoji of several code points is one unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.diagnostics.escape import escape
from compiler.records import dataclass

TAB_STOP: Final = 4
"""A tab reaches to the next column that is a multiple of this."""
ELLIPSIS: Final = "…"
_CONTEXT: Final = 16
"""Columns kept in front of the first mark of a line that is cut."""


def text_width(text: str) -> int:
    """How many columns a text takes on a terminal. The text must be escaped."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth  # costs 30 ms, and most text is ASCII

    return max(0, wcswidth(text))


def _graphemes(text: str) -> Iterator[str]:
    if text.isascii():
        return iter(text)
    from wcwidth import iter_graphemes

    return iter_graphemes(text)


@dataclass(frozen=True, slots=True)
class Line:
    """A laid-out line: `cells` are what is printed, one a character group; `columns` where each cell starts,
    with the end of the line last; `places` the cell of each code point, with the end last."""

    cells: tuple[str, ...]
    columns: tuple[int, ...]
    places: tuple[int, ...]

    def column(self, offset: int) -> int:
        """The column in which the code point at `offset` stands; beyond the line, its end."""
        return self.columns[self.places[min(offset, len(self.places) - 1)]]

    def column_after(self, offset: int) -> int:
        """The column behind the code point before `offset`: where a mark that ends at `offset` ends."""
        if offset <= 0 or offset >= len(self.places):
            return self.column(offset)
        return self.columns[self.places[offset - 1] + 1]

    @property
    def width(self) -> int:
        """Columns of the whole line."""
        return self.columns[-1]


def lay_out(text: str) -> Line:
    """Lay out one line of source (without its line break)."""
    cells: list[str] = []
    columns = [0]
    places: list[int] = []
    for group in _graphemes(text):
        shown = " " * (TAB_STOP - columns[-1] % TAB_STOP) if group == "\t" else escape(group)
        places.extend([len(cells)] * len(group))
        cells.append(shown)
        columns.append(columns[-1] + text_width(shown))
    return Line(tuple(cells), tuple(columns), (*places, len(cells)))


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a line that is shown: its text, and how many columns to take off a mark's column."""

    text: str
    shift: int


def cut(line: Line, marks: list[tuple[int, int]], width: int) -> Window:
    """The part of a line that fits into `width` columns and shows its marks (column ranges): all of them if
    they fit, else what is around the first one given."""
    if line.width <= width:
        return Window("".join(line.cells).rstrip(), 0)
    first, last = min(start for start, _ in marks), max(end for _, end in marks)
    if last < width:
        return _window(line, 0, width)
    if last - first > width - 2:
        first = last = marks[0][0]
    start = min(first - 1, max(first - _CONTEXT, last - width + 2))
    return _window(line, max(0, min(start, line.width - width + 1)), width)


def _window(line: Line, start: int, width: int) -> Window:
    """The cells that lie wholly in `width` columns from `start`, an ellipsis for what is cut at either side."""
    room_from = start + 1 if start else 0
    room_to = start + width - 1 if start + width < line.width else line.width
    shown = [
        cell
        for cell, left, right in zip(line.cells, line.columns, line.columns[1:], strict=False)
        if left >= room_from and right <= room_to
    ]
    lost = next((left for left in line.columns if left >= room_from), room_from) - room_from
    before = ELLIPSIS + " " * lost if start else ""
    after = ELLIPSIS if room_to < line.width else ""
    return Window(before + "".join(shown) + after, start)
