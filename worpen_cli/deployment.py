"""What `worpen serve` serves: program files as they are, route files compiled. All of it is good, or nothing is served.

The compiler is imported for route files only: a server of program files starts without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.bytecode.program import LoadError
from compiler.records import dataclass
from runtime.loader import LinkedProgram, link, load
from runtime.seam import Context
from runtime.server.catalogue import RouteEntry, entries_of
from worpen_cli.console import ExitCode, Stop
from worpen_cli.files import PROGRAM_SUFFIX, InputFile, NoRouteFiles, read_inputs, read_program_bytes, refused
from worpen_cli.project import Project

if TYPE_CHECKING:
    from worpen_cli.findings import Examined


class NotGood(Exception):
    """Route files with errors, as they were examined."""

    def __init__(self, examined: Examined) -> None:
        super().__init__("the routes have errors")
        self.examined = examined


@dataclass(frozen=True, slots=True)
class Deployment:
    """Paths of program files, route files and folders of routes, and what their programs are linked with."""

    paths: tuple[str, ...]
    project: Project
    prefix: str | None
    context: Context
    eager: bool

    def load(self) -> list[RouteEntry]:
        """Read, verify and link everything anew. Raises Stop, with exit code 3 for a program file that is refused, and
        NotGood."""
        files, inputs = self._read()
        programs = [_load(path, self.context) for path in files]
        if inputs:
            programs += self._compile(inputs)
        if self.eager:
            for program in programs:
                program.prepare()
        entries = [entry for program in programs for entry in entries_of(program)]
        _check_keys(entries)
        _check_apart(entries)
        return entries

    def _read(self) -> tuple[list[str], list[InputFile]]:
        """The paths of program files, and the route files. A folder that holds no routes stands for the program files
        in it, as `worpen compile -o` writes it. Raises Stop."""
        sources = [path for path in self.paths if not path.endswith(PROGRAM_SUFFIX)]
        try:
            inputs = read_inputs(sources) if sources else []
            nothing = None
        except NoRouteFiles as stop:
            inputs, nothing = [], stop
        files: list[str] = []
        for path in self.paths:
            if path.endswith(PROGRAM_SUFFIX):
                files.append(path)
            elif not _leads_to_any(path, inputs):
                held = sorted(str(found) for found in Path(path).rglob(f"*{PROGRAM_SUFFIX}") if found.is_file())
                if nothing is not None and not held:
                    raise nothing
                files += held
        return files, inputs

    def _compile(self, inputs: Sequence[InputFile]) -> list[LinkedProgram]:
        from compiler.pipeline import compile_source
        from worpen_cli.findings import examine

        examined = examine(inputs, self.project.settings(self.prefix), compile_source)
        if examined.has_errors:
            raise NotGood(examined)
        return [link(made.program, self.context) for made in examined.compilations if made.program is not None]


def _leads_to_any(path: str, inputs: Iterable[InputFile]) -> bool:
    """Whether one of the files is this path, or below it."""
    place = Path(path).absolute()
    return any(Path(file.name).absolute().is_relative_to(place) for file in inputs)


def _load(path: str, context: Context) -> LinkedProgram:
    try:
        return load(read_program_bytes(path), context)
    except LoadError as refusal:
        raise refused(path, refusal) from None


def _check_keys(entries: Iterable[RouteEntry]) -> None:
    """Raises Stop for a route whose key cannot be used."""
    for entry in entries:
        options = entry.route.program.options
        if "auth" in options and options.get("enabled") is not False:
            from runtime.services.tokens import KeyTrouble, verifier_of

            try:
                verifier_of(options)
            except KeyTrouble as trouble:
                raise Stop(f"{_named(entry)}: {trouble}", code=ExitCode.FINDINGS) from None


def _check_apart(entries: Iterable[RouteEntry]) -> None:
    """Raises Stop for two routes at one address. Routes that were compiled together are known to be apart."""
    seen: dict[tuple[str, ...], RouteEntry] = {}
    for entry in entries:
        if entry.route.program.options.get("enabled") is False:
            continue
        other = seen.setdefault(entry.route.pattern.shape, entry)
        if other is not entry:
            raise Stop(f"{_named(other)} and {_named(entry)} have the same address", code=ExitCode.FINDINGS)


def _named(entry: RouteEntry) -> str:
    name = f" ({entry.owner.source_name})" if entry.owner.source_name else ""
    return f"{entry.route.program.path}{name}"
