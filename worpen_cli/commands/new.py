"""`worpen new`: a folder with a route that works, its conversation test, and a project file."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from compiler.diagnostics.escape import escape
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Stop
from worpen_cli.files import describe_os_error
from worpen_cli.templates import TEMPLATES, files_of, make_project


def next_commands(folder: Path) -> list[str]:
    """What to type next, for a shell."""
    enter = [f"cd {shlex.quote(str(folder))}"] if folder != Path() else ["ls"]
    return [*enter, "worpen validate", "worpen dev --open"]


@click.command(
    "new",
    cls=Command,
    short_help="Start a project from a template.",
    examples=(
        ("worpen new hello", "the smallest route, in the folder hello"),
        ("worpen new talk --template chat", "a chat room"),
        ("worpen new . --template rooms", "rooms, in this empty folder"),
    ),
)
@click.argument("name")
@click.option(
    "--template", metavar="|".join(TEMPLATES), default=TEMPLATES[0], show_default=True,
    help="What to start with.",
)  # fmt: skip
@pass_invocation
def command(invocation: Invocation, name: str, template: str) -> None:
    """Write a route, its test and worpen.toml into a new folder; what is there already is never overwritten."""
    if not name.strip() or not name.isprintable():
        raise Stop("a project needs a name that can be a folder's")
    folder, console = Path(name), invocation.console
    try:
        written = make_project(folder, files_of(template))
    except OSError as error:
        raise Stop(describe_os_error(name, error)) from None
    for path in written:
        console.print_line(escape(f"wrote {path}"))
    console.print_line("next:")
    for line in next_commands(folder):
        console.print_line(escape(f"  {line}"))
