"""Diagnostics as text for people: snippets with carets, or one line each.

    error[unknown-variable] W401: `plyer` is not set in any hook of this route
      --> routes/chat.yaml:14:22
       |
     6 |         name: player
       |               ------ a similar name is set here, in on_connect
    14 |         message: "{{ plyer.name }}: {{ message }}"
       |                      ^^^^^ did you mean `player`?
       = help: worpen explain unknown-variable

Pure text; whatever comes from files and programs is escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.escape import escape
from compiler.diagnostics.layout import ELLIPSIS, Line, cut, lay_out
from compiler.diagnostics.source import SourceFile, Span
from compiler.records import dataclass

_SEVERITY_STYLES: Final = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_FRAME: Final = "1;34"
_BOLD: Final = "1"
_LONGEST_LINE: Final = 2_000
"""Of longer lines only so many characters around the main mark are laid out."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """An underlined range of one line, in characters of the line; later in columns of the window."""

    start: int
    end: int
    primary: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text at a column of a row."""

    column: int
    text: str
    style: str


@dataclass(frozen=True, slots=True)
class _Painter:
    """Knows whether there are colours, and the colour of the diagnostic at hand."""

    color: bool
    primary: str

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.color and style and text else text

    def style_of(self, mark: _Mark) -> str:
        return self.primary if mark.primary else _FRAME

    def join(self, pieces: Iterable[_Piece]) -> str:
        """The pieces at their columns in one row. Only the last may be wider than its characters."""
        row, column = "", 0
        for piece in sorted(pieces, key=lambda piece: piece.column):
            row += " " * (piece.column - column) + self.paint(piece.text, piece.style)
            column = max(column, piece.column) + len(piece.text)
        return row


def place(diagnostic: Diagnostic) -> str:
    """`file:line:column` of a diagnostic, the file's name escaped."""
    return _place(diagnostic.source, diagnostic.span)


def _place(source: SourceFile, span: Span) -> str:
    position = source.position(span.start)
    return f"{escape(source.name)}:{position.line}:{position.column}"


def render_concise(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """One line a diagnostic: `file:line:col: error[name] W401 message`. Each ends with a line break."""
    return "".join(_concise(diagnostic, color) + "\n" for diagnostic in diagnostics)


def _concise(diagnostic: Diagnostic, color: bool) -> str:
    painter = _Painter(color, _SEVERITY_STYLES[diagnostic.severity])
    kind = painter.paint(f"{diagnostic.severity.value}[{diagnostic.code.name}]", painter.primary)
    return f"{place(diagnostic)}: {kind} {diagnostic.code.label} {escape(diagnostic.message)}"


def render_full(diagnostics: Iterable[Diagnostic], *, color: bool = False, width: int = 80) -> str:
    """Each diagnostic with its lines of source, a blank line between two. `width` is in columns; longer
    source lines are cut around what is marked. Ends with a line break unless there is nothing to say."""
    return "\n".join(_full(diagnostic, color, width) + "\n" for diagnostic in diagnostics)


def _full(diagnostic: Diagnostic, color: bool, width: int) -> str:
    painter = _Painter(color, _SEVERITY_STYLES[diagnostic.severity])
    files = _marks_by_file(diagnostic)
    gutter = max(len(str(line)) for _, lines in files for line in lines)
    rows = [_header(diagnostic, painter)]
    for number, (source, lines) in enumerate(files):
        arrow = "-->" if number == 0 else ":::"
        where = place(diagnostic) if number == 0 else _first_place(source, diagnostic)
        rows.append(f"{' ' * gutter}{painter.paint(arrow, _FRAME)} {where}")
        rows.append(painter.paint(" " * (gutter + 1) + "|", _FRAME))
        for line in sorted(lines):
            rows.extend(_source_rows(source, line, lines[line], gutter, width, painter))
    rows.extend(_help_rows(diagnostic, gutter, painter))
    return "\n".join(rows)


def _header(diagnostic: Diagnostic, painter: _Painter) -> str:
    kind = f"{diagnostic.severity.value}[{diagnostic.code.name}] {diagnostic.code.label}"
    return painter.paint(kind, painter.primary) + painter.paint(f": {escape(diagnostic.message)}", _BOLD)


def _first_place(source: SourceFile, diagnostic: Diagnostic) -> str:
    return _place(source, min(label.span for label in diagnostic.labels if label.source is source))


def _marks_by_file(diagnostic: Diagnostic) -> list[tuple[SourceFile, dict[int, list[_Mark]]]]:
    """The marks of each file by line, the diagnostic's own file first."""
    files: dict[int, tuple[SourceFile, dict[int, list[_Mark]]]] = {}
    spans = [(diagnostic.source, diagnostic.span, True, diagnostic.label)]
    spans += [(label.source, label.span, False, label.text) for label in diagnostic.labels]
    for source, span, primary, text in spans:
        _, lines = files.setdefault(id(source), (source, defaultdict(list)))
        line = source.line_of(span.start)
        lines[line].append(_mark(source, line, span, primary, text))
    return list(files.values())


def _mark(source: SourceFile, line: int, span: Span, primary: bool, text: str) -> _Mark:
    """The part of a span on its first line; one that goes on is marked to the end of that line."""
    line_start = source.line_starts[line - 1]
    length = len(source.line_text(line))
    start = span.start - line_start
    end = span.end - line_start
    if end > length:
        end = max(length, start + 1)
    return _Mark(start, end, primary, escape(text))


def _source_rows(
    source: SourceFile, number: int, marks: list[_Mark], gutter: int, width: int, painter: _Painter
) -> list[str]:
    line, marks = _columns(source.line_text(number), sorted(marks, key=lambda mark: not mark.primary))
    room = max(20, width - gutter - 3)
    window = cut(line, [(mark.start, mark.end) for mark in marks], room)
    shifted = [_clamped(mark, window.shift, room) for mark in marks]
    first = painter.paint(f"{number:>{gutter}} |", _FRAME)
    blank = painter.paint(" " * (gutter + 1) + "|", _FRAME)
    rows = [f"{first} {window.text}".rstrip()]
    rows.extend(f"{blank} {row}" for row in _mark_rows(shifted, painter))
    return rows


def _clamped(mark: _Mark, shift: int, room: int) -> _Mark:
    """A mark in the columns of the window; what is cut off is marked at the ellipsis."""
    start = min(max(mark.start - shift, 0), room - 1)
    return _Mark(start, min(max(mark.end - shift, start + 1), room), mark.primary, mark.text)


def _columns(text: str, marks: list[_Mark]) -> tuple[Line, list[_Mark]]:
    """The laid-out line, and its marks in columns. Of a very long line only the part around the first mark given."""
    base = 0
    if len(text) > _LONGEST_LINE:
        start = max(0, marks[0].start - _LONGEST_LINE // 2)
        text = ELLIPSIS + text[start : start + _LONGEST_LINE] + ELLIPSIS
        base = start - 1
    line = lay_out(text)
    return line, [_in_columns(line, mark, base) for mark in marks]


def _in_columns(line: Line, mark: _Mark, base: int) -> _Mark:
    start = line.column(mark.start - base)
    end = max(start + 1, line.column_after(mark.end - base))
    return _Mark(start, end, mark.primary, mark.text)


def _mark_rows(marks: list[_Mark], painter: _Painter) -> list[str]:
    """The rows below a source line: all underlines, the last label beside them, the others hanging below."""
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.end, mark.primary))
    underline = _underlines(ordered, painter)
    last = ordered[-1]
    beside = [last] if last.text and last.end == max(mark.end for mark in ordered) else []
    hanging = [mark for mark in ordered if mark.text and mark not in beside]
    rows = [painter.join(underline + [_Piece(mark.end + 1, mark.text, painter.style_of(mark)) for mark in beside])]
    if hanging:
        rows.append(painter.join(_connectors(hanging, painter)))
    while hanging:
        mark = hanging.pop()
        left = [other for other in hanging if other.start < mark.start]
        rows.append(painter.join([*_connectors(left, painter), _Piece(mark.start, mark.text, painter.style_of(mark))]))
    return rows


def _underlines(marks: list[_Mark], painter: _Painter) -> list[_Piece]:
    """`^^^` and `---`, the primary mark over the others."""
    columns: dict[int, _Mark] = {}
    for mark in sorted(marks, key=lambda mark: mark.primary):
        columns.update(dict.fromkeys(range(mark.start, mark.end), mark))
    pieces: list[_Piece] = []
    for column in sorted(columns):
        mark = columns[column]
        sign, style = ("^" if mark.primary else "-"), painter.style_of(mark)
        previous = pieces[-1] if pieces else None
        if previous and previous.column + len(previous.text) == column and previous.text[-1] == sign:
            pieces[-1] = _Piece(previous.column, previous.text + sign, style)
        else:
            pieces.append(_Piece(column, sign, style))
    return pieces


def _connectors(marks: list[_Mark], painter: _Painter) -> list[_Piece]:
    styles = {mark.start: painter.style_of(mark) for mark in marks}
    return [_Piece(column, "|", style) for column, style in styles.items()]


def _repair(diagnostic: Diagnostic) -> str:
    """What the first fix does, where the label does not say it already."""
    return diagnostic.fixes[0].title if diagnostic.fixes and not diagnostic.label else ""


def _help_rows(diagnostic: Diagnostic, gutter: int, painter: _Painter) -> list[str]:
    text = diagnostic.help or _repair(diagnostic) or f"worpen explain {diagnostic.code.name}"
    first, *more = text.split("\n")
    indent = " " * (gutter + 1)
    rows = [f"{indent}{painter.paint('=', _FRAME)} {painter.paint('help', _BOLD)}: {escape(first)}"]
    return rows + [f"{indent}        {escape(row)}".rstrip() for row in more]
