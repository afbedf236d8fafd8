"""Why a text has no value, and why a command did nothing, for people."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.language.faults import Fault
from worpen_cli.console import Console
from worpen_cli.findings import render_for
from worpen_cli.repl.evaluation import Mistake


class Refused(Exception):
    """What a command cannot do: a sentence and advice, or what the compiler found in a route."""

    def __init__(self, message: str, help: str = "", diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.diagnostics = tuple(diagnostics)


def show_mistake(mistake: Mistake | Fault, console: Console, hint: str = "") -> None:
    """Why there is no value, on stderr."""
    if isinstance(mistake, Fault):
        console.problem(mistake.message, kind=mistake.kind)
    elif mistake.diagnostics:
        console.talk_rendered(render_for(console, mistake.diagnostics, full=True, to_stderr=True))
    else:
        console.problem(f"{mistake.message} (column {mistake.column})", kind=mistake.code)
    if hint:
        console.talk(f"  = help: {hint}")
