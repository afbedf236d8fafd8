"""What `worpen serve` serves: program files as they are, route files compiled. All of it is good, or nothing is served.

The compiler is imported for route files only: a server of program files starts without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compiler.bytecode.program import LoadError
from compiler.records import dataclass
from runtime.loader import LinkedProgram, link, load
from runtime.seam import Context
from runtime.server.catalogue import RouteEntry, entries_of
from worpen_cli.console import ExitCode, Stop
from worpen_cli.files import NoRouteFiles, read_inputs, read_program_bytes
from worpen_cli.project import Project

if TYPE_CHECKING:
    from worpen_cli.findings import Examined

PROGRAM_SUFFIX: Final = ".wbc"


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
        paths = [found for path in self.paths for found in _opened(path)]
        programs = [_load(path, self.context) for path in paths if path.endswith(PROGRAM_SUFFIX)]
        sources = [path for path in paths if not path.endswith(PROGRAM_SUFFIX)]
        if sources:
            programs += self._compile(sources)
        if self.eager:
            for program in programs:
                program.prepare()
        entries = [entry for program in programs for entry in entries_of(program)]
        _check_keys(entries)
        _check_apart(entries)
        return entries

    def _compile(self, paths: Sequence[str]) -> list[LinkedProgram]:
        from compiler.pipeline import compile_source
        from worpen_cli.findings import examine

        examined = examine(read_inputs(paths), self.project.settings(self.prefix), compile_source)
        if examined.has_errors:
            raise NotGood(examined)
        return [link(made.program, self.context) for made in examined.compilations if made.program is not None]


def _opened(path: str) -> list[str]:
    """A path, or the program files of a folder that holds no routes, as `worpen compile -o` writes it."""
    if not os.path.isdir(path):
        return [path]
    try:
        read_inputs([path])
    except NoRouteFiles:
        folder = Path(path)
        return sorted(str(found) for found in folder.rglob(f"*{PROGRAM_SUFFIX}") if found.is_file()) or [path]
    return [path]


def _load(path: str, context: Context) -> LinkedProgram:
    try:
        return load(read_program_bytes(path), context)
    except LoadError as refusal:
        raise Stop(
            f"{path}: {refusal.message}", help=refusal.code.why, kind=refusal.code, code=ExitCode.REFUSED
        ) from None


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
