"""Comments that silence findings: `# worpen: ignore[unknown-variable] reason` (cli.md, `worpen validate`).

A comment silences the findings of its names that begin on its line; at the `|` or `>` of a block scalar, those in
the scalar. What looks like such a comment inside of a scalar is text.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.codes import CODES, Code, find_code
from compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.diagnostics.suggest import did_you_mean
from compiler.records import dataclass
from compiler.syntax.tree import Mapping, Node, Scalar, Style, Tagged
from compiler.syntax.tree import Sequence as Items

_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*worpen:[ \t]*ignore\[([^\]\r\n]*)\][^\r\n]*", re.MULTILINE)
_NAME: Final = re.compile(r"[^\s,]+")
_BLOCK: Final = (Style.LITERAL, Style.FOLDED)
_TOGETHER: Final = 5
"""The family of findings about routes together, which are made after a file's own."""


@dataclass(slots=True)
class _Asked:
    """One name in a comment: where, on which line, and whether it silenced anything."""

    code: Code | None
    text: str
    span: Span
    comment: Span
    line: int
    used: bool = False


@dataclass(slots=True)
class Suppressions:
    """What the comments of one file silence. Mutable: it remembers what was of use."""

    source: SourceFile
    _asked: list[_Asked] = field(default_factory=list)
    _blocks: list[tuple[int, int]] = field(default_factory=list)
    _asked_by_code: dict[str, list[_Asked]] = field(default_factory=dict)

    def silence(self, report: Report) -> list[Diagnostic]:
        """Take the silenced findings of this file out of a report; gives them back."""
        kept: list[Diagnostic] = []
        silenced: list[Diagnostic] = []
        for found in report.diagnostics:
            (silenced if found.source is self.source and self._silences(found) else kept).append(found)
        report.diagnostics = kept
        return silenced

    def _silences(self, found: Diagnostic) -> bool:
        asked = self._asked_by_code.get(found.code.name, [])
        lines = self._lines(found.span) if asked else set()
        matching = [one for one in asked if one.line in lines]
        for one in matching:
            one.used = True
        return bool(matching)

    def _lines(self, span: Span) -> set[int]:
        line = self.source.line_of(span.start)
        headers = {first for first, last in self._blocks if first <= line <= last}
        return {line, *headers}

    def report_unused(self, report: Report, *, together: bool) -> None:
        """Report names that silenced nothing: those of findings about routes together, or all others.

        Where there are errors, what was asked to be ignored may only be hidden behind them.
        """
        hidden = report.has_errors
        for asked in self._asked:
            is_together = asked.code is not None and asked.code.number // 100 == _TOGETHER
            if asked.used or is_together is not together or (hidden and asked.code is not None):
                continue
            self._report(asked, report)

    def _report(self, asked: _Asked, report: Report) -> None:
        if asked.code is None:
            label = did_you_mean(asked.text, CODES)
            message = f"no finding is called `{asked.text}`"
            report.add(codes.UNUSED_SUPPRESSION, self.source, asked.span, message, label=label)
            return
        fix = Fix("remove the comment", (Edit(asked.comment, ""),))
        message = f"there is no `{asked.code.name}` on this line"
        report.add(codes.UNUSED_SUPPRESSION, self.source, asked.span, message, help=fix.title, fixes=(fix,))


def read_suppressions(source: SourceFile, documents: Sequence[Node]) -> Suppressions:
    """The comments of a file; its documents tell what is text. JSON has no comments."""
    if source.name.lower().endswith(".json") or "worpen:" not in source.text:
        return Suppressions(source)
    scalars = list(_scalars(documents))
    texts = sorted((_first_of_text(source, scalar), scalar.span.end) for scalar in scalars)
    comments = (match for match in _COMMENT.finditer(source.text) if not _is_inside(match.start(), texts))
    asked = [one for match in comments for one in _names(source, match)]
    blocks = [_lines_of_block(source, scalar) for scalar in scalars if scalar.style in _BLOCK]
    by_code: dict[str, list[_Asked]] = {}
    for one in asked:
        if one.code is not None:
            by_code.setdefault(one.code.name, []).append(one)
    return Suppressions(source, asked, blocks, by_code)


def _names(source: SourceFile, match: re.Match[str]) -> Iterator[_Asked]:
    comment = Span(*match.span())
    line = source.line_of(comment.start)
    for name in _NAME.finditer(source.text, *match.span(1)):
        yield _Asked(find_code(name[0]), name[0], Span(*name.span()), comment, line)


def _scalars(documents: Iterable[Node]) -> Iterator[Scalar]:
    pending = list(documents)
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        match node:
            case Scalar():
                yield node
            case Mapping():
                for entry in node.entries:
                    pending += (entry.key, entry.value)
            case Items():
                pending += node.items
            case Tagged():
                pending.append(node.content)


def _first_of_text(source: SourceFile, scalar: Scalar) -> int:
    """Where a scalar's text begins: behind the line of its `|` or `>`, where a comment may stand."""
    if scalar.style not in _BLOCK:
        return scalar.span.start
    line = source.line_of(scalar.span.start)
    return source.line_starts[line] if line < len(source.line_starts) else scalar.span.end


def _lines_of_block(source: SourceFile, scalar: Scalar) -> tuple[int, int]:
    """The first and the last line of a block scalar; on the first stands its `|` or `>`."""
    return source.line_of(scalar.span.start), source.line_of(max(scalar.span.start, scalar.span.end - 1))


def _is_inside(offset: int, ranges: list[tuple[int, int]]) -> bool:
    """Whether an offset is in one of these ranges, which are sorted and do not overlap."""
    place = bisect_right(ranges, (offset, sys.maxsize)) - 1
    return place >= 0 and offset < ranges[place][1]
