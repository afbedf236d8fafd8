"""Compile the input files together, and show what was found: the part that `validate`, `compile` and `dev` share."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.render import render_concise, render_full
from compiler.records import dataclass
from worpen_cli.console import Console
from worpen_cli.files import InputFile

if TYPE_CHECKING:
    from compiler.analysis import Analysis
    from compiler.pipeline import Compilation, Settings

    Compile = Callable[[str, bytes, Settings], Compilation]

SEVERITIES: Final = tuple(severity.value for severity in Severity)
"""Words for `--fail-on`, the weightiest first."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of the input files: one compilation each, and all findings by file and position."""

    compilations: tuple[Compilation, ...]
    diagnostics: tuple[Diagnostic, ...]
    seconds: float

    @property
    def has_errors(self) -> bool:
        """Whether anything was found that stops compilation."""
        return reaches(self.diagnostics, Severity.ERROR)

    @property
    def routes(self) -> int:
        """How many routes the files hold."""
        return sum(len(compilation.routes) for compilation in self.compilations)

    @property
    def hooks(self) -> int:
        """How many hooks the routes have."""
        return sum(compilation.hooks for compilation in self.compilations)


def examine(inputs: Iterable[InputFile], settings: Settings, compile_file: Compile, *, once: bool = False) -> Examined:
    """Put each file through a stage of the pipeline, then all of them against each other.

    `once`: the program does nothing else, so nothing that is there now need ever be looked at as garbage.
    """
    from compiler.pipeline import check_together

    started = time.perf_counter()
    with _uncollected(once=once):
        compilations = [compile_file(file.name, file.raw, settings) for file in inputs]
        report = check_together(compilations, settings)
    for compilation in compilations:
        report.extend(compilation.report)
    return Examined(tuple(compilations), tuple(report.sorted()), time.perf_counter() - started)


@contextmanager
def _uncollected(*, once: bool) -> Iterator[None]:
    """Without collections of garbage: there is next to none, and looking for it among all trees takes a third of the
    time. With `once`, the collection at the end of the program passes over these trees as well; what lives on must not
    have that, since everything that is garbage now would stay for ever."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if once:
            gc.freeze()
        if enabled:
            gc.enable()


def reaches(diagnostics: Iterable[Diagnostic], threshold: Severity) -> bool:
    """Whether a finding weighs at least as much as `threshold`."""
    limit = SEVERITIES.index(threshold.value)
    return any(SEVERITIES.index(diagnostic.severity.value) <= limit for diagnostic in diagnostics)


def count(diagnostics: Iterable[Diagnostic], severity: Severity) -> int:
    """How many findings of one severity there are."""
    return sum(diagnostic.severity is severity for diagnostic in diagnostics)


def render_for(console: Console, diagnostics: Sequence[Diagnostic], *, full: bool, to_stderr: bool = False) -> str:
    """The findings as text for stdout, or for stderr: with snippets, or a line each."""
    color = console.colors(sys.stderr if to_stderr else sys.stdout)
    if full:
        return render_full(diagnostics, color=color, width=console.width)
    return render_concise(diagnostics, color=color)


def summary(examined: Examined, diagnostics: Sequence[Diagnostic]) -> str:
    """`1 error, 1 warning · 12 files, 9 routes, 31 hooks checked in 0.08 s`."""
    found = [
        plural(count(diagnostics, severity), severity.value) for severity in Severity if count(diagnostics, severity)
    ]
    checked = (len(examined.compilations), "file"), (examined.routes, "route"), (examined.hooks, "hook")
    sizes = ", ".join(plural(number, word) for number, word in checked)
    return f"{', '.join(found) or 'no findings'} · {sizes} checked in {examined.seconds:.2f} s"


def memberships(examined: Examined) -> list[str]:
    """Who hears what, a line for each route that was read well: "/ws/chat  each connection joins `chat-room`"."""
    analyses = list(well_read(examined))
    width = max((len(str(analysis.route.pattern)) for analysis in analyses), default=0)
    return [f"{analysis.route.pattern!s:<{width}}  {analysis.membership.describe()}" for analysis in analyses]


def well_read(examined: Examined) -> Iterator[Analysis]:
    """The routes of files without errors, and what is known of them."""
    for compilation in examined.compilations:
        if not compilation.report.has_errors:
            yield from compilation.analyses


def plural(number: int, word: str) -> str:
    """`1 error`, `2 errors`; a note is uncountable: `2 info`."""
    return f"{number} {word}" if number == 1 or word == Severity.INFO.value else f"{number} {word}s"
