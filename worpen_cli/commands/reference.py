"""`worpen reference`: write the reference pages of the documentation. For contributors: `make docs`."""

from __future__ import annotations

from pathlib import Path

import click

from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop
from worpen_cli.files import describe_os_error


def write_pages(folder: Path) -> list[Path]:
    """Write all pages into a folder; their files. Raises OSError."""
    from compiler.derive.reference import reference_pages

    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, text in reference_pages().items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


@click.command(
    "reference",
    cls=Command,
    hidden=True,
    short_help="Write the reference pages.",
    examples=(("worpen reference docs/reference", "what `make docs` does"),),
)
@click.argument("folder", type=click.Path(file_okay=False))
@pass_invocation
def command(invocation: Invocation, folder: str) -> int:
    """Write the reference pages, made from the tables of the compiler, into FOLDER."""
    try:
        for path in write_pages(Path(folder)):
            invocation.console.print_line(str(path))
    except OSError as error:
        raise Stop(describe_os_error(folder, error)) from None
    return ExitCode.FINE
