"""`worpen diff`: what routes can reach now and could not before, for reviews and for continuous integration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from compiler.diagnostics.escape import escape
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop
from worpen_cli.files import PROGRAM_SUFFIX, read_inputs
from worpen_cli.findings import plural

if TYPE_CHECKING:
    from compiler.bytecode.options import OptionChange
    from compiler.bytecode.program import Program
    from compiler.bytecode.reach import RouteChange

SCHEMA: Final = "worpen.diff/1"
_KIND_WIDTH: Final = 12


def read_programs(path: str, invocation: Invocation) -> list[Program]:
    """The programs of a program file, a route file, or all route files of a folder. Raises Stop."""
    from worpen_cli.commands.inspect import read_program

    return [read_program(path)] if path.endswith(PROGRAM_SUFFIX) else _compiled(path, invocation)


def _compiled(path: str, invocation: Invocation) -> list[Program]:
    from compiler.pipeline import compile_source
    from worpen_cli.findings import examine

    examined = examine(read_inputs([path]), invocation.project.settings(), compile_source, once=True)
    if examined.has_errors:
        raise Stop(f"{path} does not compile", help=f"worpen validate {path}")
    return [compilation.program for compilation in examined.compilations if compilation.program is not None]


def lines_of(changes: Sequence[RouteChange]) -> Iterator[str]:
    """The changes for people: a route, and below it what it gained and what it lost. Safe to show."""
    for change in changes:
        yield escape(change.path if change.status == "changed" else f"{change.path}  ({change.status})")
        for sign, reached in (("+", change.added), ("-", change.removed)):
            for kind, texts in reached.items():
                for text in texts:
                    yield _line(sign, kind, text)
        for option in change.options:
            yield _option(option, change.status)


def _option(option: OptionChange, status: str) -> str:
    """An option with what it was and is; of a route that has come or gone only what it is or was."""
    from compiler.bytecode.options import spelled

    if status == "changed":
        return _line("+" if option.widens else "-", "options", str(option))
    sign, value = ("+", option.after) if status == "added" else ("-", option.before)
    return _line(sign, "options", f"{option.key}: {spelled(value)}")


def _line(sign: str, kind: str, text: str) -> str:
    return escape(f"  {sign} {kind:<{_KIND_WIDTH}}{text}")


def sentence_of(changes: Sequence[RouteChange]) -> str:
    """What came of it, in one line."""
    from compiler.bytecode.reach import widens

    if not changes:
        return "no route reaches or lets in anything else than before"
    return f"{plural(len(changes), 'route')} changed; the reach {'widens' if widens(changes) else 'does not widen'}"


def document_of(changes: Sequence[RouteChange]) -> dict[str, object]:
    """The changes for programs."""
    from compiler.bytecode.reach import widens

    routes = [
        {
            "path": change.path,
            "status": change.status,
            "widens": change.widens,
            "added": {kind: list(texts) for kind, texts in change.added.items()},
            "removed": {kind: list(texts) for kind, texts in change.removed.items()},
            "options": [
                {"key": option.key, "before": option.before, "after": option.after, "widens": option.widens}
                for option in change.options
            ],
        }
        for change in changes
    ]
    return {"schema": SCHEMA, "widens": widens(changes), "routes": routes}


@click.command(
    "diff",
    cls=Command,
    short_help="Show what routes can reach now and could not before.",
    examples=(
        ("worpen diff released.wbc chat.yaml", "exit code 1 where the reach widens"),
        ("worpen diff old/routes routes", "all routes of two folders"),
        ("worpen diff --json old.wbc new.wbc", "for a program"),
    ),
)
@click.argument("before", type=click.Path())
@click.argument("after", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_invocation
def command(invocation: Invocation, before: str, after: str, as_json: bool) -> int:
    """Compare what the routes of two program files, route files or folders can reach: channels, statements, keys,
    hosts, variables of the environment; who may connect, with which keys and algorithms; and their limits."""
    from compiler.bytecode.reach import compare, widens

    changes = compare(read_programs(before, invocation), read_programs(after, invocation))
    if as_json:
        invocation.console.print_document(json.dumps(document_of(changes), ensure_ascii=False))
    else:
        for line in lines_of(changes):
            invocation.console.print_line(line)
        invocation.console.talk(sentence_of(changes))
    return ExitCode.FINDINGS if widens(changes) else ExitCode.FINE
