"""`worpen schema`: the JSON Schema of route files, for editors."""

from __future__ import annotations

import json

import click

from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode


def schema_text() -> str:
    """The schema, indented."""
    from compiler.derive.schema import json_schema

    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


@click.command(
    "schema",
    cls=Command,
    short_help="Print the JSON Schema of route files.",
    examples=(
        ("worpen schema > worpen.schema.json", "write it to a file"),
        ("# yaml-language-server: $schema=worpen.schema.json", "name it in the first line of a route file"),
    ),
)
@pass_invocation
def command(invocation: Invocation) -> int:
    """Print the JSON Schema of route files, for editors that check and complete while you type."""
    invocation.console.print_rendered(schema_text())
    return ExitCode.FINE
