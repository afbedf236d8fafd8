"""The only printer: data on stdout, talk on stderr; colours, escaping, exit codes and what ends the program.

Whatever a program, a client or a file name could have made up goes through `escape` before it is shown. Text
that `compiler.diagnostics.render` made is escaped already and is printed by `show`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, TextIO

from compiler.diagnostics.escape import escape, escape_json
from compiler.records import dataclass

if TYPE_CHECKING:
    import click

    from compiler.diagnostics.codes import Code

COLOR_CHOICES: Final = ("auto", "always", "never")
"""Values of `--color`."""
REPORT_ADVICE: Final = "this is a bug of worpen; please report it with the file"


class ExitCode(IntEnum):
    """What the program's exit code says."""

    FINE = 0
    FINDINGS = 1
    USAGE = 2
    REFUSED = 3
    BUG = 70
    INTERRUPTED = 130


class Stop(Exception):
    """Ends a command with a sentence for the user, advice if there is some, and an exit code.

    Each line of `message` is a sentence of its own; `kind` names the finding behind it, if it is one.
    """

    def __init__(
        self, message: str, *, help: str = "", kind: Code | None = None, code: ExitCode = ExitCode.USAGE
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.kind = kind
        self.code = code


@dataclass(slots=True)
class Console:
    """Where a command's words go. One a process; `color` and `debug` are set while the options are read."""

    color: str = "auto"
    debug: bool = False
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def print_line(self, text: str) -> None:
        """One line of data on stdout, exactly as given."""
        sys.stdout.write(text + "\n")

    def print_document(self, text: str) -> None:
        """A JSON document on one line of stdout, safe to show and the same to a parser."""
        sys.stdout.write(escape_json(text) + "\n")

    def print_bytes(self, content: bytes) -> None:
        """Bytes on stdout."""
        sys.stdout.flush()
        sys.stdout.buffer.write(content)

    def print_rendered(self, rendered: str) -> None:
        """Rendered text on stdout: escaped and with its line ends."""
        sys.stdout.write(rendered)

    def talk_rendered(self, rendered: str) -> None:
        """Rendered text on stderr: escaped and with its line ends."""
        sys.stderr.write(rendered)

    def print_past_buffers(self, text: str) -> None:
        """Text on stdout without Python's buffers, whose lock a writer that blocks would hold. Raises OSError."""
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]

    def talk(self, line: str) -> None:
        """One line for people on stderr, escaped here."""
        sys.stderr.write(escape(line) + "\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Clear the screen, where stdout is a terminal that can."""
        if sys.stdout.isatty() and self.environment.get("TERM") != "dumb":
            sys.stdout.write("\x1b[H\x1b[2J\x1b[3J")
            sys.stdout.flush()

    def problem(self, message: str, help: str = "", kind: Code | None = None) -> None:
        """Why nothing was done, on stderr: `error: …` or `error[name] W701: …`, and advice below."""
        label = f"error[{kind.name}] {kind.label}" if kind is not None else "error"
        shown = f"\x1b[1;31m{label}\x1b[0m" if self.colors(sys.stderr) else label
        for line in message.splitlines() or [""]:
            sys.stderr.write(f"{shown}: {escape(line)}\n")
        for line in help.splitlines():
            sys.stderr.write(f"  = help: {escape(line)}\n")
        sys.stderr.flush()

    def flush(self) -> None:
        """Write out what is buffered. Raises BrokenPipeError where nobody reads it any more."""
        sys.stdout.flush()
        sys.stderr.flush()

    def colors(self, stream: TextIO) -> bool:
        """Whether to colour what goes to a stream: `--color`, NO_COLOR, FORCE_COLOR, then whether it is a terminal."""
        if self.color != "auto":
            return self.color == "always"
        if self.environment.get("NO_COLOR"):
            return False
        if (forced := self.environment.get("FORCE_COLOR")) is not None:
            return forced not in ("", "0", "false")
        return stream.isatty() and self.environment.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns of the terminal that stdout is, 80 to 160; 100 where it is none."""
        if not sys.stdout.isatty():
            return 100
        try:
            return max(40, min(160, os.get_terminal_size(sys.stdout.fileno()).columns))
        except OSError:
            return 80


def guarded(command: Callable[[], int | None], console: Console) -> int:
    """Run a command to its exit code: mistakes, interruption and bugs of ours end in the manual's words and codes."""
    _make_streams_tolerant()
    try:
        with _pipes_watched():
            code = _ended(command, console)
            console.flush()
            return code
    except BrokenPipeError:
        return ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _ended(command: Callable[[], int | None], console: Console) -> int:
    import click

    try:
        return command() or ExitCode.FINE
    except Stop as stop:
        console.problem(stop.message, stop.help, stop.kind)
        return stop.code
    except click.ClickException as mistake:
        console.problem(" ".join(mistake.format_message().split()), _advice(mistake))
        return ExitCode.USAGE
    except click.Abort:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as bug:
        return _report(bug, console)


def _advice(mistake: click.ClickException) -> str:
    context = getattr(mistake, "ctx", None)
    return f"{context.command_path} --help" if context is not None else ""


def _report(bug: Exception, console: Console) -> int:
    """A bug of ours: one line with the path of a report, or the traceback with `--debug`."""
    import traceback

    if console.debug:
        console.talk_rendered(
            "".join(escape(line) + "\n" for line in "".join(traceback.format_exception(bug)).splitlines())
        )
    path = _write_report(bug)
    sys.stderr.write(f"error: {type(bug).__name__}: {escape(str(bug))}: {REPORT_ADVICE} {escape(path)}\n")
    return ExitCode.BUG


def _write_report(bug: Exception) -> str:
    """Write what happened to a file that only the user can read; its path, or why there is none."""
    import platform
    import tempfile
    import traceback

    from worpen_cli import __version__

    versions = f"worpen {__version__}, Python {platform.python_version()}, {platform.platform()}"
    facts = f"{versions}\narguments: {sys.argv[1:]!r}\n\n"
    try:
        number, path = tempfile.mkstemp(prefix="worpen-report-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(facts + "".join(traceback.format_exception(bug)))
    except OSError as error:
        return f"(no report could be written: {error})"
    return path


def _make_streams_tolerant() -> None:
    """What a stream cannot encode is written as an escape; no output ever ends in a UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


@contextmanager
def _pipes_watched() -> Iterator[None]:
    """After a broken pipe, give Python nothing more to write: its last flush would fail and say so."""
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                os.dup2(nowhere, stream.fileno())
        raise
