"""Where a stage puts what it finds: a report bound to one source, and places given as the stage knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from compiler.diagnostics.codes import Code
from compiler.diagnostics.diagnostic import Edit, Fix, Label, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.syntax.offsets import OffsetMap, offset_map
from compiler.syntax.problems import Problem
from compiler.syntax.tree import Scalar

ADVISED: Final = 200
"""Of so many findings in one file, each may come with a suggestion."""

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
            self.add_problems((lambda _: scalar.span) if problem.whole else locate, (problem,))

    def add_problems(self, locate: Locate, problems: Iterable[Problem]) -> None:
        """What the parser found in a text, with its repairs as edits of the file."""
        for problem in problems:
            edits = tuple(Edit(locate(edit.span), edit.replacement) for edit in problem.edits)
            fixes = (Fix(problem.help or problem.message, edits),) if edits else ()
            span = locate(problem.span)
            self.add(problem.code, span, problem.message, label=problem.label, help=problem.help, fixes=fixes)

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
