"""What the compiler has to say about a source, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from compiler.diagnostics.codes import Code, Severity
from compiler.diagnostics.source import SourceFile, Span
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a diagnostic, with what is to be seen there."""

    source: SourceFile
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters of `span` by `replacement`; an empty span inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair: edits of the diagnostic's own file. It is `safe` to make without being asked where only one thing
    can have been meant, and not where it guesses, or would change what a route does that works."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: what (`code`, `message`), where (`source`, `span`), why and what to do.

    `label` stands under the carets of `span`; `help` is a sentence of advice below the snippet.
    """

    code: Code
    message: str
    source: SourceFile
    span: Span
    severity: Severity
    label: str = ""
    labels: tuple[Label, ...] = ()
    help: str = ""
    fixes: tuple[Fix, ...] = ()

    @property
    def sort_key(self) -> tuple[str, int, int, int]:
        """Order of reports: file, position, code."""
        return (self.source.name, self.span.start, self.span.end, self.code.number)


@dataclass(slots=True)
class Report:
    """Collects the diagnostics of one compilation. Mutable, one owner per run."""

    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(
        self,
        code: Code,
        source: SourceFile,
        span: Span,
        message: str,
        *,
        label: str = "",
        labels: Iterable[Label] = (),
        help: str = "",
        fixes: Iterable[Fix] = (),
        severity: Severity | None = None,
    ) -> None:
        """Record one finding. `severity` defaults to the code's own."""
        self.diagnostics.append(
            Diagnostic(code, message, source, span, severity or code.severity, label, tuple(labels), help, tuple(fixes))
        )

    def extend(self, other: Report) -> None:
        """Take over the findings of another report."""
        self.diagnostics.extend(other.diagnostics)

    @property
    def has_errors(self) -> bool:
        """Whether anything found stops compilation."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    def count(self, severity: Severity) -> int:
        """How many findings of one severity there are."""
        return sum(d.severity is severity for d in self.diagnostics)

    def sorted(self) -> list[Diagnostic]:
        """The findings by file and position, exact duplicates once."""
        unique = {(d.sort_key, d.message): d for d in self.diagnostics}
        return sorted(unique.values(), key=lambda d: d.sort_key)
