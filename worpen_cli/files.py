"""Which files a command is about: what the PATHS on the command line stand for (language section 1)."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from compiler.language.limits import FILE_BYTES
from compiler.records import dataclass
from worpen_cli.console import ExitCode, Stop

if TYPE_CHECKING:
    from compiler.bytecode.program import LoadError

PROGRAM_SUFFIX: Final = ".wbc"
ROUTE_SUFFIXES: Final = (".yaml", ".yml", ".json")
SKIPPED_FOLDERS: Final = ("node_modules",)
SKIPPED_FILES: Final = ("*.test.*",)
ROUTE_WORDS: Final = (b"ws_hooks", b"route_type")
"""A file in a folder is a route file only if it holds one of these."""
STDIN: Final = "-"
_READ_AT_MOST: Final = FILE_BYTES + 1  # enough for the compiler to see that a file is too large


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to work on: `name` as the user would write it, its bytes, and its place below the argument
    that led to it (its own name where it was named by itself)."""

    name: str
    raw: bytes
    place: str

    @property
    def is_stdin(self) -> bool:
        """Whether it was read from standard input."""
        return not self.place


class NoRouteFiles(Stop):
    """The end of a command that found nothing to work on."""


def read_inputs(paths: Sequence[str], stdin_filename: str = "<stdin>") -> list[InputFile]:
    """The route files that the paths stand for, each once, in the order of the paths.

    Raises Stop for a path that is missing or cannot be read, and where there is no route file at all.
    """
    problems: list[str] = []
    found: dict[str, InputFile] = {}
    for path in paths:
        try:
            for file in _read_path(path, stdin_filename):
                found.setdefault(STDIN if file.is_stdin else os.path.abspath(file.name), file)
        except OSError as error:
            problems.append(describe_os_error(path, error))
    if problems:
        raise Stop("\n".join(problems))
    if not found:
        raise NoRouteFiles(f"no route files in {', '.join(paths)}", help=_what_counts())
    return list(found.values())


def read_present(paths: Sequence[str], known: Collection[str] = ()) -> list[InputFile]:
    """The same for a server that runs on: what is missing now is left out, and a file that is `known` as a route
    file is one still, whatever is in it (it may be half written). Raises OSError for what cannot be read."""
    found: dict[str, InputFile] = {}
    for path in paths:
        try:
            for file in _read_path(path, "", known):
                found.setdefault(os.path.abspath(file.name), file)
        except FileNotFoundError:
            continue
    return list(found.values())


def _what_counts() -> str:
    kinds = ", ".join(ROUTE_SUFFIXES)
    return f"route files are {kinds} with `ws_hooks`; hidden folders and {SKIPPED_FILES[0]} are skipped"


def describe_os_error(path: str, error: OSError) -> str:
    """`routes/a.yaml: no such file or directory`."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{error.filename or path}: {reason[:1].lower()}{reason[1:]}"


def _read_path(path: str, stdin_filename: str, known: Collection[str] = ()) -> Iterator[InputFile]:
    if path == STDIN:
        yield InputFile(stdin_filename, sys.stdin.buffer.read(_READ_AT_MOST), "")
    elif os.path.isdir(path):
        yield from _read_folder(path, known)
    else:
        yield InputFile(path, read_bytes(path), os.path.basename(path))


def read_bytes(path: str) -> bytes:
    """The bytes of a file, or as many as show that it is too large. Raises OSError."""
    if "\x00" in path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    with open(path, "rb") as file:
        return file.read(_READ_AT_MOST)


def refused(path: str, refusal: LoadError) -> Stop:
    """The end of a command whose program file is refused."""
    advice = refusal.code.why
    return Stop(f"{path}: {refusal.message}", help=advice, kind=refusal.code, code=ExitCode.REFUSED)


def read_program_bytes(path: str) -> bytes:
    """The bytes of a program file, or as many as show that it is too large. Raises Stop."""
    from compiler.bytecode.codec import FILE_LIMIT

    try:
        with open(path, "rb") as file:
            return file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise Stop(describe_os_error(path, error)) from None


def _read_folder(folder: str, known: Collection[str]) -> Iterator[InputFile]:
    for place in sorted(_candidates(folder)):
        name = place if folder == os.curdir else os.path.join(folder, place)
        try:
            raw = read_bytes(name)
        except FileNotFoundError:  # it was removed while we looked
            continue
        if name in known or any(word in raw for word in ROUTE_WORDS):
            yield InputFile(name, raw, place)


def _candidates(folder: str) -> Iterator[str]:
    """Files below a folder that may be route files by their names, relative to it."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if is_searched(name)]
        for name in names:
            path = os.path.join(parent, name)
            if is_route_name(name) and os.path.isfile(path):
                yield os.path.relpath(path, folder)


def _raise(error: OSError) -> None:
    raise error


def is_searched(folder: str) -> bool:
    """Whether a folder of this name is looked into."""
    return not folder.startswith(".") and folder not in SKIPPED_FOLDERS


def is_route_name(name: str) -> bool:
    """Whether a file of this name, found in a folder, may be a route file."""
    return name.lower().endswith(ROUTE_SUFFIXES) and not any(fnmatchcase(name, pattern) for pattern in SKIPPED_FILES)
