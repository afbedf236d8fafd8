"""`worpen validate`: everything that can be known about routes without running them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import click

from compiler.diagnostics.codes import CODES, Code, Severity, find_code
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.suggest import did_you_mean
from worpen_cli import __version__
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Console, ExitCode, Stop
from worpen_cli.files import read_inputs
from worpen_cli.findings import SEVERITIES, Examined, count, examine, plural, reaches, render_for, summary

TEXT_FORMATS: Final = ("auto", "full", "concise")


def _print_json(console: Console, examined: Examined, shown: Sequence[Diagnostic], total: Sequence[Diagnostic]) -> None:
    from compiler.diagnostics.machine_formats import to_json

    counts = {
        "files": len(examined.compilations),
        "routes": examined.routes,
        "errors": count(total, Severity.ERROR),
        "warnings": count(total, Severity.WARNING),
    }
    console.print_document(json.dumps(to_json(shown, counts), ensure_ascii=False))


def _print_sarif(console: Console, _: Examined, shown: Sequence[Diagnostic], __: Sequence[Diagnostic]) -> None:
    from compiler.diagnostics.machine_formats import to_sarif

    console.print_document(json.dumps(to_sarif(shown, __version__), ensure_ascii=False))


def _print_github(console: Console, _: Examined, shown: Sequence[Diagnostic], __: Sequence[Diagnostic]) -> None:
    from compiler.diagnostics.machine_formats import to_github

    console.print_rendered(to_github(shown))


def _print_junit(console: Console, examined: Examined, shown: Sequence[Diagnostic], _: Sequence[Diagnostic]) -> None:
    from compiler.diagnostics.machine_formats import to_junit

    names = [compilation.source.name for compilation in examined.compilations]
    console.print_rendered(to_junit(shown, names, examined.seconds))


MACHINE_FORMATS: Final[dict[str, Callable[[Console, Examined, Sequence[Diagnostic], Sequence[Diagnostic]], None]]] = {
    "json": _print_json,
    "github": _print_github,
    "sarif": _print_sarif,
    "junit": _print_junit,
}
"""Printers of the formats for programs: they get the findings to show, and all that were selected."""


def parse_codes(_: click.Context, param: click.Parameter, values: Sequence[str]) -> frozenset[Code]:
    """The codes that an option names, by name or number, apart or with commas. Raises BadParameter for another word."""
    codes = set()
    for word in (word.strip() for value in values for word in value.split(",")):
        if not word:
            continue
        if (code := find_code(word)) is None:
            raise click.BadParameter(f"no finding is called {word}. {did_you_mean(word, CODES)}".strip(), param=param)
        codes.add(code)
    return frozenset(codes)


def first_errors(diagnostics: Sequence[Diagnostic], limit: int | None) -> list[Diagnostic]:
    """The findings up to and with the last of `limit` errors; all of them without a limit."""
    shown: list[Diagnostic] = []
    errors = 0
    for diagnostic in diagnostics:
        errors += diagnostic.severity is Severity.ERROR
        if limit is not None and errors > limit:
            break
        shown.append(diagnostic)
    return shown


def render_statistics(diagnostics: Sequence[Diagnostic]) -> str:
    """How often each code was found, the most frequent first."""
    numbers = Counter(diagnostic.code.name for diagnostic in diagnostics)
    rows = sorted(numbers.items(), key=lambda row: (-row[1], CODES[row[0]].number))
    width = max((len(str(number)) for _, number in rows), default=0)
    return "".join(f"{number:>{width}}  {CODES[name].label}  {name}: {CODES[name].title}\n" for name, number in rows)


def _print_text(console: Console, shown: Sequence[Diagnostic], format: str) -> None:
    full = format == "full" or (format == "auto" and sys.stdout.isatty())
    console.print_rendered(render_for(console, shown, full=full))
    if full and shown:
        console.print_rendered("\n")


@click.command(
    "validate",
    cls=Command,
    short_help="Check routes without running them.",
    examples=(
        ("worpen validate", "every route of this project"),
        ("worpen validate chat.yaml --fail-on warning", "fail on warnings too"),
        ("worpen validate --format json routes", "for a program"),
        ("worpen validate --ignore W412 routes", "without one kind of finding"),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format", type=click.Choice([*TEXT_FORMATS, *MACHINE_FORMATS]), default="auto", show_default=True,
    help="auto: full on a terminal, else concise.",
)  # fmt: skip
@click.option("--select", multiple=True, metavar="NAME", callback=parse_codes, help="Show only these findings.")
@click.option("--ignore", multiple=True, metavar="NAME", callback=parse_codes, help="Leave these findings out.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True,
    help="The least that makes the exit code 1.",
)  # fmt: skip
@click.option("--max-errors", type=click.IntRange(min=1), metavar="N", help="Stop showing after so many errors.")
@click.option("--statistics", "statistics", is_flag=True, help="Show how often each finding occurs instead.")
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
    prefix: str | None,
    stdin_filename: str,
) -> int:
    """Check everything that can be known without running: syntax, names, types, flow, channels, addresses."""
    from compiler.pipeline import check_source

    if statistics and format not in TEXT_FORMATS:
        raise Stop("--statistics is for people and does not go with --format " + format)
    console, project = invocation.console, invocation.project
    inputs = read_inputs(paths or project.default_paths, stdin_filename)
    examined = examine(inputs, project.settings(prefix), check_source)
    found = [d for d in examined.diagnostics if (not select or d.code in select) and d.code not in ignore]
    shown = first_errors(found, max_errors)
    if statistics:
        console.print_rendered(render_statistics(found))
    elif format in MACHINE_FORMATS:
        MACHINE_FORMATS[format](console, examined, shown, found)
    else:
        _print_text(console, shown, format)
    console.flush()
    if len(shown) < len(found):
        console.talk(f"… and {plural(len(found) - len(shown), 'more finding')}")
    console.talk(summary(examined, found))
    return ExitCode.FINDINGS if reaches(found, Severity(fail_on)) else ExitCode.FINE
