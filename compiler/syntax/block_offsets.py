"""The runs of block scalars: `|` keeps line breaks, `>` folds them, both drop indentation and chop their end.

Follows the rules as libyaml has them. The indentation is not in the scalar's source where an indicator
gives it relative to the parent, so it is found by trial: the runs that make the value are the right ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.records import dataclass
from compiler.syntax.runs import Run
from compiler.syntax.tree import Scalar, Style

_HEADER: Final = re.compile(r"[|>](?P<marks>[-+0-9]*)[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)")
_LINE: Final = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_TRIED_INDENTATIONS: Final = 20


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a block without its indentation: where it stands, and its line break (empty at the file's end)."""

    start: int
    text: str
    line_break: str

    @property
    def is_spaced(self) -> bool:
        """Whether it begins with a blank: folding leaves the line breaks around it alone."""
        return self.text.startswith((" ", "\t"))

    @property
    def break_start(self) -> int:
        """Where its line break stands."""
        return self.start + len(self.text)


def block_runs(source_text: str, scalar: Scalar) -> tuple[Run, ...] | None:
    """The runs of a block scalar; None where none make its value."""
    header = _HEADER.match(source_text, scalar.span.start, scalar.span.end)
    if header is None:
        return None
    chomping = header["marks"].strip("0123456789")
    content = (header.end(), scalar.span.end)
    for indentation in _indentations(source_text[slice(*content)], scalar.value):
        lines = list(_lines(source_text, *content, indentation))
        runs = tuple(_runs(lines, scalar.style is Style.FOLDED, chomping))
        if "".join(run.text for run in runs) == scalar.value:
            return runs
    return None


def _indentations(content: str, value: str) -> Iterator[int]:
    """The likely one first: by how much more the first line with text is indented in the file than in the value."""
    in_file, in_value = _first_indentation(content.replace("\r", "\n")), _first_indentation(value)
    if in_file is None or in_value is None:
        in_file, in_value = _widest_line(content), _widest_line(value)
    likely = max(in_file - in_value, 0)
    yield likely
    yield from (other for other in range(_TRIED_INDENTATIONS) if other != likely)


def _first_indentation(text: str) -> int | None:
    line = re.search(r"^( *)[^ \n]", text, re.MULTILINE)
    return len(line[1]) if line else None


def _widest_line(text: str) -> int:
    return max(map(len, re.split(r"[\r\n]", text)))


def _lines(text: str, start: int, end: int, indentation: int) -> Iterator[_Line]:
    while start < end:
        match = _LINE.match(text, start, end)
        assert match is not None  # the pattern matches everywhere
        written = match[1]
        blanks = len(written) - len(written.lstrip(" "))
        dropped = min(blanks, indentation)
        yield _Line(start + dropped, written[dropped:], match[2])
        start = match.end()


def _runs(lines: list[_Line], is_folded: bool, chomping: str) -> Iterator[Run]:
    made = 0
    for place, length, text in _pieces(lines, is_folded, chomping):
        yield Run(made, place, text, length)
        made += len(text)


def _pieces(lines: list[_Line], is_folded: bool, chomping: str) -> Iterator[tuple[int, int, str]]:
    """What makes the value, as (place, length, text): each line, and before it the breaks since the last one."""
    previous: _Line | None = None
    blank: list[_Line] = []
    for line in lines:
        if not line.text:
            blank.append(line)
            continue
        yield from _breaks_between(previous, blank, line, is_folded)
        yield line.start, len(line.text), line.text
        previous, blank = line, []
    if chomping != "-" and previous is not None:
        yield from _breaks([previous])
    if chomping == "+":
        yield from _breaks(blank)


def _breaks_between(
    previous: _Line | None, blank: list[_Line], line: _Line, is_folded: bool
) -> Iterator[tuple[int, int, str]]:
    if previous is not None:
        if not is_folded or previous.is_spaced or line.is_spaced:
            yield from _breaks([previous])
        elif not blank:
            yield previous.break_start, len(previous.line_break), " "
    yield from _breaks(blank)


def _breaks(lines: list[_Line]) -> Iterator[tuple[int, int, str]]:
    return ((line.break_start, len(line.line_break), "\n") for line in lines if line.line_break)
