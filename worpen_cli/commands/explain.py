"""`worpen explain`: what a finding means, or what a function does, with examples."""

from __future__ import annotations

import click

from compiler.diagnostics.codes import CODES, Code, find_code
from compiler.diagnostics.suggest import did_you_mean
from compiler.language.functions import FUNCTIONS, SPELLINGS
from compiler.language.functions.registry import Function
from compiler.language.values import to_json
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop


def explain_code(code: Code) -> str:
    """Cause, an example that has the finding, and one that has not."""
    head = f"{code.severity.value}[{code.name}] {code.label}: {code.title}"
    return f"{head}\n\n{code.why}\n\nThis has it:\n\n{_indented(code.bad)}\n\nThis has not:\n\n{_indented(code.good)}\n"


def explain_function(function: Function) -> str:
    """Signature, other names, what it does, examples with their values."""
    aliases = f"\nalso called {', '.join(function.aliases)}" if function.aliases else ""
    examples = "\n".join(f"    {text}  →  {to_json(value)}" for text, value in function.examples)
    return f"{function.signature}{aliases}\n\n{function.doc}\n\n{examples}\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def find_explanation(name: str) -> str:
    """The text for the name or number of a finding, or any spelling of a function. Raises Stop for another name."""
    if (code := find_code(name)) is not None:
        return explain_code(code)
    if (function := SPELLINGS.get(name)) is not None:
        return explain_function(function)
    raise Stop(f"nothing is called {name}", help=did_you_mean(name, [*CODES, *FUNCTIONS]))


@click.command(
    "explain",
    cls=Command,
    short_help="Say what a finding means or a function does.",
    examples=(
        ("worpen explain unknown-variable", "a finding, by name"),
        ("worpen explain W401", "the same by number"),
        ("worpen explain starts_with", "a function or filter"),
    ),
)
@click.argument("name")
@pass_invocation
def command(invocation: Invocation, name: str) -> int:
    """Say what a finding means and how to mend it, or what a function does."""
    invocation.console.print_rendered(find_explanation(name))
    return ExitCode.FINE
