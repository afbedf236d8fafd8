"""`worpen repl`: evaluate expressions and templates, at a prompt or line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import click

from compiler.language.faults import Fault
from worpen_cli.batch import answer_json, answer_lines
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Console, ExitCode, Stop
from worpen_cli.evaluation import Evaluator, Mistake
from worpen_cli.findings import render_for


@click.command(
    "repl",
    cls=Command,
    short_help="Evaluate expressions and templates.",
    examples=(
        ("worpen repl", "at a prompt"),
        ('worpen repl -c "[1, 2] | sum"', "one expression"),
        ("worpen repl < expressions.txt", "one value per line"),
        ("worpen repl --json < requests.ndjson", "for a program"),
    ),
)
@click.option("-c", "--expression", metavar="EXPR", help="Evaluate this, print the value, and end.")
@click.option("--json", "json", is_flag=True, help='Requests {"expr" or "template", "mode", "vars"} in, answers out.')
@pass_invocation
def command(invocation: Invocation, expression: str | None, json: bool) -> int:
    """Evaluate expressions; `name = expression` sets a variable, text with {{ }} is a template.

    Reading from a pipe or file, print one value per line and stop at the first error with exit code 1. With
    --json, answer each line and go on after errors.
    """
    console = invocation.console
    if json and expression is not None:
        raise Stop("-c and --json exclude each other")
    evaluator = Evaluator(invocation.project.settings())
    if json:
        answer_json(sys.stdin.buffer, evaluator, console)
        return ExitCode.FINE
    if expression is not None:
        return _answer([expression], evaluator, console)
    if sys.stdin.isatty():
        from worpen_cli.prompt import converse

        return converse(evaluator, console)
    return _answer(_decoded(sys.stdin.buffer), evaluator, console)


def _answer(lines: Iterable[str], evaluator: Evaluator, console: Console) -> int:
    try:
        answer_lines(lines, evaluator, console)
    except (Mistake, Fault) as mistake:
        console.flush()
        show_mistake(mistake, console)
        return ExitCode.FINDINGS
    return ExitCode.FINE


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            yield line.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            raise Stop("standard input is not UTF-8 text") from None


def show_mistake(mistake: Mistake | Fault, console: Console) -> None:
    """Why there is no value, on stderr."""
    if isinstance(mistake, Fault):
        console.problem(mistake.message, kind=mistake.kind)
    elif mistake.diagnostics:
        console.talk_rendered(render_for(console, mistake.diagnostics, full=True, to_stderr=True))
    else:
        console.problem(f"{mistake.message} (column {mistake.column})", kind=mistake.code)
