"""What the expression language has to say about one scalar, before anybody knows where it stands."""

from __future__ import annotations

from compiler.diagnostics.codes import Code
from compiler.diagnostics.diagnostic import Edit
from compiler.diagnostics.source import Span
from compiler.records import dataclass

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a scalar. Spans, those of the edits too, are offsets in its value.

    The severity is the code's. `label` stands under the carets, `help` is advice, `edits` repair it; they are
    `safe` where nothing else can have been meant.
    `whole`: the finding is about the scalar as a whole, so its first character in the file (the quote,
    where there is one) is the place to point at.
    """

    code: Code
    span: Span
    message: str
    label: str = ""
    help: str = ""
    edits: tuple[Edit, ...] = ()
    whole: bool = False
    safe: bool = True


class Mistake(Exception):
    """Ends the reading of one expression; `problem` says why. Never leaves `compiler.syntax.parser`."""

    def __init__(
        self,
        code: Code,
        start: int,
        end: int,
        message: str,
        *,
        help: str = "",
        edits: tuple[Edit, ...] = (),
        safe: bool = True,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(code, Span(start, end), message, help=help, edits=edits, safe=safe)


def replacement(start: int, end: int, text: str) -> tuple[Edit, ...]:
    """The edit that puts `text` in the place of a range of the value."""
    return (Edit(Span(start, end), text),)


def quoted(text: str) -> str:
    """A piece of source as messages show it: between backticks, on one line, not too long."""
    line = text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    return f"`{line if len(line) <= _SHOWN else line[: _SHOWN - 1] + '…'}`"
