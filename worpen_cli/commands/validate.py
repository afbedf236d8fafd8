"""`worpen validate`: everything that can be known about routes without running them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from compiler.diagnostics.codes import CODES, Code, Severity, find_code
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.suggest import did_you_mean
from compiler.records import dataclass
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop
from worpen_cli.files import STDIN, InputFile, read_inputs
from worpen_cli.findings import (
    SEVERITIES,
    Examined,
    count,
    examine,
    memberships,
    plural,
    reaches,
    render_for,
    summary,
    well_read,
)

if TYPE_CHECKING:
    from compiler.analysis import Analysis
    from compiler.pipeline import Settings
    from worpen_cli.repair import Repaired, Repairer

TEXT_FORMATS: Final = ("auto", "full", "concise")
MACHINE_FORMATS: Final = ("json", "github", "sarif", "junit")
MOST_SHOWN: Final = 50
"""So many errors of a file are shown to people, and so many other findings."""
MOST_ROUTES: Final = 20
"""Of so many routes it is said who hears what, where nobody asked for the full format."""
_FAMILY: Final = re.compile(r"[Ww]\d{1,2}")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    paths: tuple[str, ...]
    stdin_filename: str
    format: str
    select: frozenset[Code]
    ignore: frozenset[Code]
    fail_on: Severity
    max_errors: int
    statistics: bool
    fix: bool
    diff: bool
    unsafe_fixes: bool

    @property
    def is_for_people(self) -> bool:
        """Whether the findings are shown as text."""
        return self.format in TEXT_FORMATS

    def wants(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding was selected, and not ignored."""
        return (not self.select or diagnostic.code in self.select) and diagnostic.code not in self.ignore


# Words of the command line.


def parse_codes(_: click.Context, param: click.Parameter, values: Sequence[str]) -> frozenset[Code]:
    """The codes that an option names: by name, by number or by the first digits of it (`W4`), apart or with commas.
    Raises BadParameter for another word."""
    words = (word.strip() for value in values for word in value.split(","))
    return frozenset(code for word in words if word for code in _codes_called(word, param))


def _codes_called(word: str, param: click.Parameter) -> list[Code]:
    if (code := find_code(word)) is not None:
        return [code]
    family = [code for code in CODES.values() if code.label.startswith(word.upper())]
    if not (family and _FAMILY.fullmatch(word)):
        raise click.BadParameter(f"no finding is called {word}. {did_you_mean(word, CODES)}".strip(), param=param)
    return family


def _explain(context: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is not None and not context.resilient_parsing:
        from worpen_cli.commands.explain import find_explanation

        context.ensure_object(Invocation).console.print_rendered(find_explanation(name))
        context.exit()


def _check_combination(options: Options, watch: bool) -> None:
    """Raises Stop for options that do not go together."""
    reads_stdin = STDIN in options.paths
    if options.statistics and not options.is_for_people:
        raise Stop("--statistics is for people and does not go with --format " + options.format)
    if options.diff and not options.is_for_people:
        raise Stop("--diff prints a diff, and does not go with --format " + options.format)
    if options.fix and reads_stdin and (len(options.paths) > 1 or not options.is_for_people):
        raise Stop("--fix prints what it makes of `-`, and takes no other path or format then")
    if options.unsafe_fixes and not (options.fix or options.diff):
        raise Stop("--unsafe-fixes says which fixes are made by --fix or shown by --diff, and goes with one of them")
    if watch and (reads_stdin or options.fix or options.diff or not options.is_for_people):
        raise Stop(
            "--watch shows the findings of every save, and does not go with `-`, --fix, --diff or a program's --format"
        )


# What is shown.


def first_findings(diagnostics: Sequence[Diagnostic], limit: int) -> list[Diagnostic]:
    """Of each file the first errors, at most `limit`, and as many other findings; 0 is no limit."""
    numbers: Counter[tuple[str, bool]] = Counter()
    shown: list[Diagnostic] = []
    for diagnostic in diagnostics:
        kind = (diagnostic.source.name, diagnostic.severity is Severity.ERROR)
        numbers[kind] += 1
        if not limit or numbers[kind] <= limit:
            shown.append(diagnostic)
    return shown


def render_statistics(diagnostics: Sequence[Diagnostic]) -> str:
    """How often each code was found, the most frequent first."""
    numbers = Counter(diagnostic.code.name for diagnostic in diagnostics)
    rows = sorted(numbers.items(), key=lambda row: (-row[1], CODES[row[0]].number))
    width = max((len(str(number)) for _, number in rows), default=0)
    return "".join(f"{number:>{width}}  {CODES[name].label}  {name}: {CODES[name].title}\n" for name, number in rows)


def render_machine(format: str, examined: Examined, shown: Sequence[Diagnostic], found: Sequence[Diagnostic]) -> str:
    """The findings to show in a format for programs; those that were found are counted."""
    import json

    from compiler.diagnostics.escape import escape_json
    from compiler.diagnostics.machine_formats import to_github, to_json, to_junit, to_sarif
    from worpen_cli import __version__

    match format:
        case "github":
            return to_github(shown)
        case "junit":
            names = [compilation.source.name for compilation in examined.compilations]
            return to_junit(shown, names, examined.seconds)
        case "sarif":
            document = to_sarif(shown, __version__)
        case _:
            errors, warnings = (count(found, severity) for severity in (Severity.ERROR, Severity.WARNING))
            files = len(examined.compilations)
            counts = {"files": files, "routes": examined.routes, "errors": errors, "warnings": warnings}
            document = to_json(shown, counts, map(_route_json, well_read(examined)))
    return escape_json(json.dumps(document, ensure_ascii=False)) + "\n"


def _route_json(analysis: Analysis) -> dict[str, object]:
    """A route and who hears what on it."""
    route, plan = analysis.route, analysis.membership
    membership = {"automatic": plan.automatic, "joins": list(plan.names)}
    return {"name": route.name.value, "path": str(route.pattern), "membership": membership}


class _Run:
    """One run over the files: repair if asked to, check, show."""

    def __init__(self, invocation: Invocation, options: Options, settings: Settings) -> None:
        self._console = invocation.console
        self._options = options
        self._settings = settings

    def read(self) -> list[InputFile]:
        """The files as they are. Raises Stop where there are none, or one cannot be read."""
        return read_inputs(self._options.paths, self._options.stdin_filename)

    def check(self, inputs: list[InputFile], *, once: bool = True) -> int:
        """Check files; the exit code. `once`: the program ends after it."""
        from compiler.pipeline import check_source

        would_change = False
        if self._options.fix or self._options.diff:
            inputs, would_change = self._repair(inputs)
        examined = examine(inputs, self._settings, check_source, once=once)
        found = [diagnostic for diagnostic in examined.diagnostics if self._options.wants(diagnostic)]
        self._show(examined, found)
        if would_change or reaches(found, self._options.fail_on):
            return ExitCode.FINDINGS
        return ExitCode.FINE

    # -- findings -----------------------------------------------------------------------------------

    @property
    def _findings_are_talk(self) -> bool:
        """Whether stdout belongs to something else: a diff, or the repaired text."""
        return self._options.diff or (self._options.fix and STDIN in self._options.paths)

    def _show(self, examined: Examined, found: Sequence[Diagnostic]) -> None:
        options, console = self._options, self._console
        shown = first_findings(found, options.max_errors)
        if options.statistics:
            rendered = render_statistics(found)
        elif options.is_for_people:
            rendered = self._rendered(shown)
        else:
            rendered = render_machine(options.format, examined, shown, found)
        (console.talk_rendered if self._findings_are_talk else console.print_rendered)(rendered)
        console.flush()
        if not options.statistics:
            self._tell_hidden(shown, found)
            self._tell_membership(examined)
        console.talk(summary(examined, found))
        self._tell_fixable(found)

    @property
    def _is_full(self) -> bool:
        """Whether findings are shown with their lines of source."""
        on_terminal = (sys.stderr if self._findings_are_talk else sys.stdout).isatty()
        return self._options.format == "full" or (self._options.format == "auto" and on_terminal)

    def _rendered(self, shown: Sequence[Diagnostic]) -> str:
        full = self._is_full
        rendered = render_for(self._console, shown, full=full, to_stderr=self._findings_are_talk)
        return rendered + "\n" if full and shown else rendered

    def _tell_hidden(self, shown: Sequence[Diagnostic], found: Sequence[Diagnostic]) -> None:
        hidden = Counter(diagnostic.source.name for diagnostic in found)
        hidden.subtract(diagnostic.source.name for diagnostic in shown)
        for name, number in hidden.items():
            if number:
                self._console.talk(f"… and {plural(number, 'more finding')} in {name}; --max-errors 0 shows all")

    def _tell_membership(self, examined: Examined) -> None:
        """Say who hears what, so that nobody is surprised (language section 8)."""
        if not self._is_full:
            return
        lines = memberships(examined)
        most = len(lines) if self._options.format == "full" else MOST_ROUTES
        for line in lines[:most]:
            self._console.talk(line)
        if lines[most:]:
            self._console.talk(f"… and {plural(len(lines) - most, 'more route')}; --format full tells of all")

    def _tell_fixable(self, found: Sequence[Diagnostic]) -> None:
        fixable = sum(any(fix.safe for fix in diagnostic.fixes) for diagnostic in found)
        if fixable and self._options.is_for_people and not (self._options.fix or self._options.diff):
            self._console.talk(f"{fixable} can be mended by worpen validate --fix; --diff shows how")

    # -- repairs ------------------------------------------------------------------------------------

    def _repair(self, inputs: Sequence[InputFile]) -> tuple[list[InputFile], bool]:
        """The files as they are after the fixes, and whether a diff of them was shown."""
        repairer = self._repairer()
        repaired = [repairer.repair(file) for file in inputs]
        changed = [one for one in repaired if one.fixes]
        for one in changed:
            self._write(one)
        if self._options.fix and not self._options.diff and STDIN in self._options.paths and not changed:
            self._console.print_bytes(inputs[0].raw)
        mended = plural(sum(one.fixes for one in changed), "mistake")
        verb = "would mend" if self._options.diff else "mended"
        self._console.talk(f"{verb} {mended} in {plural(len(changed), 'file')}")
        return [one.as_input for one in repaired], self._options.diff and bool(changed)

    def _repairer(self) -> Repairer:
        from compiler.pipeline import check_source
        from worpen_cli.repair import Repairer

        settings = self._settings
        return Repairer(
            lambda name, raw: check_source(name, raw, settings), self._options.wants, unsafe=self._options.unsafe_fixes
        )

    def _write(self, repaired: Repaired) -> None:
        from worpen_cli.repair import difference, write_repaired

        if self._options.diff:
            for_terminal, color = sys.stdout.isatty(), self._console.colors(sys.stdout)
            for line in difference(repaired, for_terminal=for_terminal, color=color):
                self._console.print_rendered(line)
        elif repaired.file.is_stdin:
            self._console.print_bytes(repaired.raw)
        else:
            write_repaired(repaired)

    # -- watching -----------------------------------------------------------------------------------

    def watch(self) -> int:
        """Check the files now and after every save, until Ctrl-C, which ends this command as it should."""
        import threading

        from worpen_cli.watching import watched

        changed = threading.Event()
        known: list[InputFile] | str | None = None
        with watched(self._options.paths, changed.set, self._console.talk):
            while True:
                known = self._again(known)
                while not changed.wait(60):
                    pass
                changed.clear()

    def _again(self, known: list[InputFile] | str | None) -> list[InputFile] | str:
        """Check the files unless they are those that are known; the files, or why they cannot be read."""
        try:
            inputs = self.read()
        except Stop as stop:  # a file that is missing now may be back in a moment
            if stop.message != known:
                self._console.clear()
                self._console.problem(stop.message, stop.help, stop.kind)
            return stop.message
        if inputs != known:
            self._console.clear()
            self.check(inputs, once=False)
            self._console.talk("watching; Ctrl-C stops")
        return inputs


@click.command(
    "validate",
    cls=Command,
    short_help="Check routes without running them.",
    examples=(
        ("worpen validate", "every route of this project"),
        ("worpen validate --fix chat.yaml", "mend what can be mended safely"),
        ("worpen validate --watch", "again on every save"),
        ("worpen validate --explain unknown-variable", "what a finding means"),
        ("worpen validate --format json routes", "for a program"),
        ("worpen validate --ignore W412 --fail-on warning", "stricter, without one kind of finding"),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format", type=click.Choice([*TEXT_FORMATS, *MACHINE_FORMATS]), default="auto", show_default=True,
    help="auto: full on a terminal, else concise.",
)  # fmt: skip
@click.option("--select", multiple=True, metavar="NAME", callback=parse_codes, help="Only these: names, W401, or W4.")
@click.option("--ignore", multiple=True, metavar="NAME", callback=parse_codes, help="Leave these findings out.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True,
    help="The least that makes the exit code 1.",
)  # fmt: skip
@click.option(
    "--max-errors", type=click.IntRange(min=0), metavar="N",
    help=f"Show so many errors of a file, and as many other findings; 0: all (default: {MOST_SHOWN} for people).",
)  # fmt: skip
@click.option("--statistics", is_flag=True, help="Show how often each finding occurs instead.")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, then check.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also what is a guess.")
@click.option("--watch", "-w", is_flag=True, help="Check again on every save.")
@click.option(
    "--explain", metavar="NAME", is_eager=True, expose_value=False, callback=_explain, allow_from_autoenv=False,
    help="Say what a finding means, and stop.",
)  # fmt: skip
@click.option("--prefix", metavar="PATH", help="Where every route is served as well (default: /api).")
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call the route read from `-`.")
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[str, ...],
    format: str,
    select: frozenset[Code],
    ignore: frozenset[Code],
    fail_on: str,
    max_errors: int | None,
    statistics: bool,
    fix: bool,
    diff: bool,
    unsafe_fixes: bool,
    watch: bool,
    prefix: str | None,
    stdin_filename: str,
) -> int:
    """Check everything that can be known without running: syntax, names, types, flow, channels, addresses."""
    if max_errors is None:
        max_errors = MOST_SHOWN if format in TEXT_FORMATS else 0
    options = Options(
        paths or invocation.project.default_paths, stdin_filename, format, select, ignore, Severity(fail_on),
        max_errors, statistics, fix, diff, unsafe_fixes,
    )  # fmt: skip
    _check_combination(options, watch)
    run = _Run(invocation, options, invocation.project.settings(prefix))
    return run.watch() if watch else run.check(run.read())
