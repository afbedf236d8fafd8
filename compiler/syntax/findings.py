"""Where a stage puts what it finds: a report bound to one source, and places given as the stage knows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from compiler.diagnostics.codes import Code, Severity
from compiler.diagnostics.diagnostic import Edit, Fix, Label, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.syntax.offsets import OffsetMap, offset_map
from compiler.syntax.problems import Problem
from compiler.syntax.tree import Scalar, Style

ADVISED: Final = 100
"""Of so many findings in one file, each may come with a suggestion."""

_QUOTES: Final = {Style.SINGLE: "'", Style.DOUBLE: '"', Style.JSON: '"'}
_NEEDS_CARE: Final = {
    Style.PLAIN: re.compile(r"[\[\]{},#\r\n]|:\s"),
    Style.LITERAL: re.compile(r"[\r\n]"),
    Style.FOLDED: re.compile(r"[\r\n]"),
    None: re.compile(r"['\"\\\[\]{},#\r\n]|:\s"),
}
"""What cannot be written as it is into a scalar of a style, or of a style that is not known."""


def written_inside(style: Style | None, text: str) -> str | None:
    """How a text is written inside a scalar of this style; None where that takes more than the text."""
    match style:
        case Style.SINGLE:
            return text.replace("'", "''")
        case Style.DOUBLE | Style.JSON:
            return text.replace("\\", "\\\\").replace('"', '\\"')
        case _:
            return None if _NEEDS_CARE[style].search(text) else text


Locate: TypeAlias = Callable[[Span], Span]
"""Turns a range of an expression's text into the range of the file that it came from."""


class Findings:
    """Adds diagnostics to a report. Mutable, one per source and compilation."""

    def __init__(self, source: SourceFile, report: Report) -> None:
        self.source = source
        self.report = report
        self._maps: dict[int, tuple[Scalar, OffsetMap]] = {}

    @property
    def wants_advice(self) -> bool:
        """Whether there are so few findings that a search for what was meant, which takes its time, is worth it."""
        return len(self.report.diagnostics) < ADVISED

    def add(self, code: Code, span: Span, message: str, **more: Any) -> None:
        """A finding at a range of the file; `more` as `Report.add` takes it."""
        self.report.add(code, self.source, span, message, **more)

    def add_scalar_problems(self, scalar: Scalar, problems: Iterable[Problem]) -> None:
        """What the parser found in a scalar's value; a problem of the whole value is at the scalar, quotes included."""
        locate = self.locator(scalar)
        for problem in problems:
            place = scalar.span if problem.whole else locate(problem.span)
            self._add_problem(problem, place, self._fixes(problem, locate, scalar.style))

    def add_problems(self, locate: Locate, problems: Iterable[Problem]) -> None:
        """What the parser found in a text, with its repairs as edits of the file."""
        for problem in problems:
            self._add_problem(problem, locate(problem.span), self._fixes(problem, locate, None))

    def _add_problem(self, problem: Problem, place: Span, fixes: tuple[Fix, ...]) -> None:
        self.add(problem.code, place, problem.message, label=problem.label, help=problem.help, fixes=fixes)

    def _fixes(self, problem: Problem, locate: Locate, style: Style | None) -> tuple[Fix, ...]:
        """The repair of a problem; none where its places are not written in the file as they are in the value."""
        edits: list[Edit] = []
        for edit in problem.edits:
            span, written = locate(edit.span), written_inside(style, edit.replacement)
            if written is None or span.end - span.start != edit.span.end - edit.span.start:
                return ()
            edits.append(Edit(span, written))
        safe = problem.safe and problem.code.severity is Severity.ERROR
        return (Fix(problem.help or problem.message, tuple(edits), safe),) if edits else ()

    def replacing(self, locate: Locate, span: Span, name: str | None, *, safe: bool = True) -> tuple[Fix, ...]:
        """The repair that writes another name into an expression, where the old one stands in the file as it is."""
        place = locate(span)
        if name is None or place.end - place.start != span.end - span.start:
            return ()
        return (Fix(f"write `{name}`", (Edit(place, name),), safe),)

    def renaming(self, scalar: Scalar, name: str) -> Fix:
        """The repair that writes another word into a scalar, quoted as it is."""
        quote = _QUOTES.get(scalar.style, "")
        return Fix(f"write `{name}`", (Edit(scalar.span, f"{quote}{name}{quote}"),))

    def label(self, span: Span, text: str) -> Label:
        """A second place in the same file."""
        return Label(self.source, span, text)

    def locator(self, scalar: Scalar) -> Locate:
        """Finds the range of the file that a range of a scalar's value came from."""

        def locate(span: Span) -> Span:
            found = self._maps.get(id(scalar))
            if found is None:
                # The scalar is kept beside its map, so that no other one can get its id.
                found = self._maps[id(scalar)] = (scalar, offset_map(self.source.text, scalar))
            return found[1].span_to_file(span)

        return locate
