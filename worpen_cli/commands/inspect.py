"""`worpen inspect`: read a program file back, verify it, and show what it is and what it can do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from compiler.diagnostics.escape import escape
from compiler.language.hooks import HOOKS
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode
from worpen_cli.files import read_program_bytes, refused
from worpen_cli.findings import plural

if TYPE_CHECKING:
    from compiler.bytecode.program import Manifest, Program, RouteProgram

PROGRAM_SCHEMA: Final = "worpen.program/1"
_REACHES: Final = ("effects", "functions", "channels", "keys", "hosts", "environment")


def read_program(path: str) -> Program:
    """The verified program of a file. Raises Stop, with exit code 3 where the file is refused."""
    from compiler.bytecode.codec import decode
    from compiler.bytecode.program import LoadError
    from compiler.bytecode.verifier import verify

    raw = read_program_bytes(path)
    try:
        program = decode(raw)
        verify(program)
    except LoadError as refusal:
        raise refused(path, refusal) from None
    return program


def describe(path: str, program: Program) -> str:
    """What a program is and can do, in a few lines."""
    source = f"  from {escape(program.source_name)}" if program.source_name else "  stripped"
    rows = [f"{escape(path)}  verified  by {escape(program.producer)}{source}"]
    for route in program.routes:
        rows += [_route(route), *_needs(program, route)]
    rows += _manifest(program.manifest)
    return "".join(row + "\n" for row in rows)


def _route(route: RouteProgram) -> str:
    variables = ", ".join(slot.name for slot in route.slots)
    parts = [
        f"route {route.name}",
        route.path,
        "hooks: " + ", ".join(route.hooks),
        plural(len(route.slots), "variable") + (f": {variables}" if variables else ""),
    ]
    return escape("  ".join(parts))


def _needs(program: Program, route: RouteProgram) -> list[str]:
    """What the route's messages must be, so that its hook can do anything with them."""
    from compiler.bytecode.needs import route_needs, spelled
    from compiler.language.values import describe_kind

    needs = (f"{spelled(need.path)} {describe_kind(need.kinds)}" for need in route_needs(program, route))
    listed = ", ".join(needs)
    return [f"{'needs':<12}{escape(listed)}"] if listed else []


def _manifest(manifest: Manifest) -> list[str]:
    reached = [(name, getattr(manifest, name)) for name in _REACHES]
    rows = [f"{name:<12}{escape(', '.join(values))}" for name, values in reached if values]
    rows += [row for statement in manifest.statements for row in _statement(statement)]
    costs = (f"{hook} {'bounded by fuel' if cost is None else f'≤ {cost}'}" for hook, cost in manifest.cost.items())
    return [*rows, f"{'cost':<12}{escape(', '.join(costs))}"]


def _statement(statement: str) -> list[str]:
    """A statement, and below it what it touches: `read users (id, name)`."""
    from compiler.language.sql_reach import READ, WRITE, sql_reach

    reach = sql_reach(statement)
    touched = ((READ, reach.read_tables, reach.read_columns), (WRITE, reach.written_tables, reach.written_columns))
    told = [f"{act} {_table(name, columns)}" for act, tables, columns in touched for name in tables]
    return [f"{'statement':<12}{escape(statement)}", *(f"{'':<12}  {escape(line)}" for line in told)]


def _table(name: str, columns: Sequence[str]) -> str:
    own = [column for table, _, column in (column.rpartition(".") for column in columns) if table == name]
    return f"{name} ({', '.join(own)})" if own else name


@click.command(
    "inspect",
    cls=Command,
    short_help="Verify a program file and show what is in it.",
    examples=(
        ("worpen inspect chat.wbc", "routes, what they can reach, instructions"),
        ("worpen inspect chat.wbc --hook on_message", "the instructions of one hook"),
        ("worpen inspect chat.wbc --manifest", "only what the routes can reach"),
        ("worpen inspect chat.wbc --json", "for a program"),
    ),
)
@click.argument("file", type=click.Path())
@click.option("--hook", type=click.Choice(list(HOOKS)), help="Show this hook only.")
@click.option("--manifest", is_flag=True, help="Only what the program is and can reach, without its instructions.")
@click.option("--json", "json", is_flag=True, help="One JSON document.")
@pass_invocation
def command(invocation: Invocation, file: str, hook: str | None, manifest: bool, json: bool) -> int:
    """Read a program file (.wbc), verify it, and show its manifest and its instructions."""
    from compiler.bytecode.disassembler import disassemble

    program = read_program(file)
    if json:
        invocation.console.print_document(_document(file, program, only_manifest=manifest))
    elif manifest:
        invocation.console.print_rendered(describe(file, program))
    else:
        invocation.console.print_rendered(f"{describe(file, program)}\n{disassemble(program, None, hook)}")
    return ExitCode.FINE


def _document(path: str, program: Program, *, only_manifest: bool) -> str:
    from compiler.bytecode.disassembler import to_json_form

    form = to_json_form(program)
    if only_manifest:
        form = {"manifest": form["manifest"]}
    return json.dumps({"schema": PROGRAM_SCHEMA, "file": path, **form}, ensure_ascii=False)
