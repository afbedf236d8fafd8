"""`worpen compile`: one verified program file per route file, or a look at what would be in it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from compiler.diagnostics.codes import Severity
from compiler.language.hooks import HOOKS
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Console, ExitCode, Stop
from worpen_cli.files import PROGRAM_SUFFIX, InputFile, describe_os_error, read_inputs
from worpen_cli.findings import Examined, examine, reaches, render_for, summary

if TYPE_CHECKING:
    from compiler.bytecode.program import Program
    from compiler.pipeline import Compilation

EMISSIONS: Final = ("bytecode", "disasm", "json", "python")
PROGRAMS_SCHEMA: Final = "worpen.programs/1"


def target_of(file: InputFile, output: str | None) -> str:
    """Where a file's program is written: beside the source, or in the source's place under `output`."""
    source = file.name if output is None else os.path.join(output, file.place or os.path.basename(file.name))
    return os.path.splitext(source)[0] + PROGRAM_SUFFIX


def targets_of(files: Sequence[InputFile], output: str | None) -> list[str]:
    """The targets of all files. Raises Stop where two sources have the same one."""
    sources: dict[str, str] = {}
    for file in files:
        target = target_of(file, output)
        if (other := sources.setdefault(os.path.abspath(target), file.name)) != file.name:
            raise Stop(f"{other} and {file.name} would both be written to {target}", help="compile them one at a time")
    return [target_of(file, output) for file in files]


def write_all(contents: Mapping[str, bytes]) -> None:
    """Write all files or none: each beside its place first, then all are put there at once. Raises OSError."""
    written: list[tuple[str, str]] = []
    try:
        for target, content in contents.items():
            written.append((_write_beside(target, content), target))
        for temporary, target in written:
            os.replace(temporary, target)
    except BaseException:
        for temporary, _ in written:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise


def _write_beside(target: str, content: bytes) -> str:
    """Write a new file in the target's folder, readable as any new file is; its path."""
    folder = os.path.dirname(target) or os.curdir
    os.makedirs(folder, exist_ok=True)
    number, path = tempfile.mkstemp(prefix=".worpen-", suffix=PROGRAM_SUFFIX, dir=folder)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        os.chmod(path, 0o666 & ~_file_mask())
    except BaseException:
        os.unlink(path)
        raise
    return path


def _file_mask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _programs(examined: Examined) -> list[tuple[Compilation, Program]]:
    return [(c, c.program) for c in examined.compilations if c.program is not None]


def _print_listings(console: Console, examined: Examined, hook: str | None) -> None:
    from compiler.bytecode.disassembler import disassemble

    listings = [disassemble(program, c.source.text, hook) for c, program in _programs(examined)]
    console.print_rendered("\n".join(listing.rstrip("\n") + "\n" for listing in listings))


def _print_translations(console: Console, examined: Examined, hook: str | None) -> None:
    from compiler.bytecode.disassembler import disassemble
    from runtime.translator.show import show

    pieces = [
        f"{disassemble(program, c.source.text, name).rstrip()}\n\n{text}"
        for c, program in _programs(examined)
        for name, text in show(program)
        if hook in (None, name)
    ]
    console.print_rendered("\n".join(pieces))


def _print_json(console: Console, examined: Examined) -> None:
    from compiler.bytecode.disassembler import to_json_form

    programs = [{"file": c.source.name, **to_json_form(program)} for c, program in _programs(examined)]
    console.print_document(json.dumps({"schema": PROGRAMS_SCHEMA, "programs": programs}, ensure_ascii=False))


def _write_programs(
    console: Console, files: Sequence[InputFile], examined: Examined, output: str | None, strip: bool
) -> None:
    from compiler.bytecode.codec import encode

    programs = [encode(program, strip=strip) for _, program in _programs(examined)]
    if files[0].is_stdin and output is None:
        _write_to_stdout(console, programs)
        return
    targets = targets_of(files, output)
    try:
        write_all(dict(zip(targets, programs, strict=True)))
    except OSError as error:
        raise Stop(f"cannot write {describe_os_error(error.filename2 or output or os.curdir, error)}") from None
    for target in targets:
        console.talk(f"wrote {target}")


def _write_to_stdout(console: Console, programs: Sequence[bytes]) -> None:
    if sys.stdout.isatty():
        raise Stop("a program is no text for a terminal", help="give -o DIR, redirect the output, or see --disasm")
    console.print_bytes(b"".join(programs))


@click.command(
    "compile",
    cls=Command,
    short_help="Write verified program files.",
    examples=(
        ("worpen compile", "a .wbc beside each route file of this project"),
        ("worpen compile routes -o build", "the same under build/"),
        ("worpen compile chat.yaml --disasm", "show the instructions instead"),
        ("worpen compile --check --strip -o build", "for production"),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("-o", "--output", metavar="DIR", help="Write under this folder instead of beside the sources.")
@click.option("--disasm", is_flag=True, help="Print the instructions instead: short for --emit disasm.")
@click.option(
    "--emit", type=click.Choice(EMISSIONS), default="bytecode", show_default=True,
    help="bytecode is written to files, the others are printed.",
)  # fmt: skip
@click.option("--hook", type=click.Choice(list(HOOKS)), help="Print this hook only.")
@click.option("--strip", is_flag=True, help="Leave the source map out.")
@click.option("--check", is_flag=True, help="Refuse to write where there are warnings.")
@click.option("--prefix", metavar="PATH", help="Where every route is served as well (default: /api).")
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call the route read from `-`.")
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[str, ...],
    output: str | None,
    disasm: bool,
    emit: str,
    hook: str | None,
    strip: bool,
    check: bool,
    prefix: str | None,
    stdin_filename: str,
) -> int:
    """Compile routes to program files (.wbc). With any error nothing is written."""
    from compiler.pipeline import compile_source

    console, project = invocation.console, invocation.project
    files = read_inputs(paths or project.default_paths, stdin_filename)
    if len(files) > 1 and any(file.is_stdin for file in files) and output is None:
        raise Stop("`-` together with other paths needs -o DIR")
    emit = "disasm" if disasm else emit
    if hook is not None and emit not in ("disasm", "python"):
        raise Stop("--hook goes with --disasm or --emit python")
    examined = examine(files, project.settings(prefix), compile_source, once=True)
    threshold = Severity.WARNING if check else Severity.ERROR
    shown = [d for d in examined.diagnostics if d.severity is not Severity.INFO]
    console.talk_rendered(render_for(console, shown, full=sys.stderr.isatty(), to_stderr=True))
    if reaches(shown, threshold):
        console.talk(f"{summary(examined, shown)}; nothing was written")
        return ExitCode.FINDINGS
    if emit == "disasm":
        _print_listings(console, examined, hook)
    elif emit == "python":
        _print_translations(console, examined, hook)
    elif emit == "json":
        _print_json(console, examined)
    else:
        _write_programs(console, files, examined, output, strip)
    return ExitCode.FINE
