"""`worpen list`: everything of one kind that the language has."""

from __future__ import annotations

import json
from typing import Any

import click

from compiler.diagnostics.escape import escape
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop

SCHEMA = "worpen.list/1"


def find_listing(kind: str) -> list[dict[str, Any]]:
    """The rows of a kind. Raises Stop for a word that is no kind."""
    from compiler.derive.explanations import LISTED_KINDS, listing
    from compiler.diagnostics.suggest import did_you_mean

    if kind not in LISTED_KINDS:
        raise Stop(f"there is no list of {kind}", help=did_you_mean(kind, LISTED_KINDS))
    return listing(kind)


def render(rows: list[dict[str, Any]]) -> str:
    """A line for each row: its name, or what tells more, and a sentence."""
    heads = [_head(row) for row in rows]
    width = max(map(len, heads), default=0)
    return "".join(escape(f"{head:<{width}}  {row['doc']}") + "\n" for head, row in zip(heads, rows, strict=True))


def _head(row: dict[str, Any]) -> str:
    if "code" in row:
        return f"{row['code']}  {row['name']}"
    return str(row.get("signature", row["name"]))


@click.command(
    "list",
    cls=Command,
    short_help="List operations, functions, codes, hooks, variables or route keys.",
    examples=(
        ("worpen list operations", "all operations"),
        ("worpen list functions", "all functions and filters"),
        ("worpen list codes --json", "all findings, for a program"),
    ),
)
@click.argument("kind")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@pass_invocation
def command(invocation: Invocation, kind: str, as_json: bool) -> int:
    """List everything of a KIND: operations, functions, codes, hooks, variables or keys."""
    rows = find_listing(kind)
    if as_json:
        document = {"schema": SCHEMA, "kind": kind, "items": rows}
        invocation.console.print_document(json.dumps(document, ensure_ascii=False))
    else:
        invocation.console.print_rendered(render(rows))
    return ExitCode.FINE
