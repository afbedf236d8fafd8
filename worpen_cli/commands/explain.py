"""`worpen explain`: what a finding means, what an operation, function, hook, variable or key of a route does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from compiler.diagnostics.escape import escape
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop

if TYPE_CHECKING:
    from compiler.derive.explanations import Explanation


def render(explanation: Explanation) -> str:
    """The explanation as text for a terminal: its head, what it says, its sections with their lines indented."""
    return "\n".join(escape(line) for line in _lines(explanation)) + "\n"


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.head
    yield ""
    yield from explanation.text.splitlines()
    for section in explanation.sections:
        yield ""
        yield f"{section.title}:"
        if section.is_code:
            yield ""
        yield from (f"    {line}".rstrip() for line in section.lines)


def find_explanation(name: str) -> str:
    """The text for a name. Raises Stop where nothing is called so."""
    from compiler.derive.explanations import explain, suggest_name

    explanation = explain(name)
    if explanation is None:
        help = suggest_name(name) or "worpen list shows operations, functions, codes, hooks, variables and keys"
        raise Stop(f"nothing is called {name}", help=help)
    return render(explanation)


@click.command(
    "explain",
    cls=Command,
    short_help="Say what a finding means, or what a name does.",
    examples=(
        ("worpen explain unknown-variable", "a finding, by name"),
        ("worpen explain W401", "the same by number"),
        ("worpen explain WsOp", "an operation, with its fields"),
        ("worpen explain starts_with", "a function or filter"),
        ("worpen explain on_connect", "a hook, with its variables"),
    ),
)
@click.argument("name")
@pass_invocation
def command(invocation: Invocation, name: str) -> int:
    """Say what a finding means and how to mend it, or what an operation, function, hook, variable or route key does."""
    invocation.console.print_rendered(find_explanation(name))
    return ExitCode.FINE
