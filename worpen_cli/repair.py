"""Repairing route files: make the fixes that come with the findings, round by round, until nothing is left to make.

A fix that would break what could be read before is not made. Files are replaced whole, never half written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Diagnostic, Fix
from compiler.diagnostics.escape import escape
from compiler.diagnostics.repair import apply_fixes, compatible, offered_fixes
from compiler.records import dataclass
from worpen_cli.console import Stop
from worpen_cli.files import InputFile, describe_os_error, read_bytes

if TYPE_CHECKING:
    from compiler.pipeline import Compilation

Check = Callable[[str, bytes], "Compilation"]
"""Checks a file of this name and content."""
Wanted = Callable[[Diagnostic], bool]
"""Whether a finding is to be repaired."""

_ROUNDS: Final = 50
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_READING: Final = range(100, 200)
"""Numbers of the findings that stop the reading of a file."""
_REPEATED: Final = (codes.DUPLICATE_KEY, codes.DUPLICATE_FIELD)


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file as it is, its bytes with the fixes made, and how many were made."""

    file: InputFile
    raw: bytes
    fixes: int

    @property
    def as_input(self) -> InputFile:
        """The file as it is then."""
        return InputFile(self.file.name, self.raw, self.file.place)


class Repairer:
    """Repairs files with one choice of findings and fixes."""

    def __init__(self, check: Check, wanted: Wanted, *, unsafe: bool = False) -> None:
        self._check = check
        self._wanted = wanted
        self._unsafe = unsafe

    def repair(self, file: InputFile) -> Repaired:
        """Make the fixes of a file, and those that come to light then."""
        now, raw, made = self._check(file.name, file.raw), file.raw, 0
        seen = {raw}
        for _ in range(_ROUNDS):
            fixes = compatible(offered_fixes(filter(self._wanted, now.report.sorted()), unsafe=self._unsafe))
            good = self._harmless(file.name, now, fixes)
            after = _written(now, good)
            if not good or after in seen:
                break
            seen.add(after)
            now, raw, made = self._check(file.name, after), after, made + len(good)
        return Repaired(file, raw, made)

    def _harmless(self, name: str, now: Compilation, fixes: Sequence[Fix]) -> list[Fix]:
        """Those of the fixes that together break nothing."""
        good: list[Fix] = []
        pending = [list(fixes)]
        while pending:
            some = pending.pop()
            if not some or not self._harms(name, now, [*good, *some]):
                good += some
            elif len(some) > 1:
                middle = len(some) // 2
                pending += [some[middle:], some[:middle]]
        return good

    def _harms(self, name: str, now: Compilation, fixes: Sequence[Fix]) -> bool:
        """Whether a file that can be read could not be read any more, or something would be there twice."""
        then = self._check(name, _written(now, fixes))
        if _repetitions(then) > _repetitions(now):
            return True
        return _is_unreadable(then) and not _is_unreadable(now)


def _written(checked: Compilation, fixes: Sequence[Fix]) -> bytes:
    mark = _BYTE_ORDER_MARK if checked.source.bom_bytes else b""
    return mark + apply_fixes(checked.source.text, fixes).encode()


def _is_unreadable(checked: Compilation) -> bool:
    findings = checked.report.diagnostics
    return any(found.code.number in _READING and found.severity is Severity.ERROR for found in findings)


def _repetitions(checked: Compilation) -> int:
    return sum(found.code in _REPEATED for found in checked.report.diagnostics)


def write_repaired(repaired: Repaired) -> None:
    """Put the repaired content in the file's place, its permissions kept. Raises Stop where that is impossible, and
    where the file was changed in the meantime."""
    path = os.path.realpath(repaired.file.name)
    try:
        if read_bytes(path) != repaired.file.raw:
            raise Stop(f"{repaired.file.name} was changed while it was repaired; it is left as it is")
        _replace(path, repaired.raw)
    except OSError as error:
        raise Stop(describe_os_error(repaired.file.name, error)) from None


def _replace(path: str, content: bytes) -> None:
    mode = os.stat(path).st_mode
    number, beside = tempfile.mkstemp(prefix=".worpen-", dir=os.path.dirname(path))
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        os.chmod(beside, mode & 0o7777)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


_DIFF_COLORS: Final = {"---": "1", "+++": "1", "@@": "36", "-": "31", "+": "32"}


def difference(repaired: Repaired, *, for_terminal: bool, color: bool) -> Iterator[str]:
    """The lines of a unified diff from the file to what it becomes. Those for a terminal are escaped."""
    from difflib import unified_diff

    name = repaired.file.name
    before, after = (_lines(raw) for raw in (repaired.file.raw, repaired.raw))
    for line in unified_diff(before, after, name, name):
        shown = _shown(line.rstrip("\r\n"), color) if for_terminal else line.removesuffix("\n")
        yield shown + ("\n" if line.endswith("\n") else "\n\\ No newline at end of file\n")


def _shown(line: str, color: bool) -> str:
    return _painted("\t".join(map(escape, line.split("\t"))), color)


def _lines(raw: bytes) -> list[str]:
    """Lines that end at LF, as `patch` counts them."""
    *whole, last = raw.decode().split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])


def _painted(line: str, color: bool) -> str:
    style = next((style for start, style in _DIFF_COLORS.items() if line.startswith(start)), "")
    return f"\x1b[{style}m{line}\x1b[0m" if color and style else line
