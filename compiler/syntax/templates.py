"""Where templates begin and end in a text (language section 6).

From `{{`, nested `{ }` are counted and text literals skipped up to the closing `}}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.records import dataclass
from compiler.syntax.hints import unclosed_text
from compiler.syntax.problems import Problem, replacement

_UNCLOSED_TEMPLATES: Final = 8
"""After so many, the rest of a text is text: each was looked for up to the end of the text."""

_MARKS: Final = re.compile(r"""'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+"|['"{}]""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. `content` is what stands between the braces of a template, None for plain text.

    `problem` says why the template cannot be read.
    """

    span: Span
    content: Span | None = None
    problem: Problem | None = None

    @property
    def is_unclosed(self) -> bool:
        """Whether it is a `{{` alone, whose end was not found."""
        return self.problem is not None and self.span.end == self.span.start + 2

    @property
    def is_template(self) -> bool:
        """Whether it begins with `{{`."""
        return self.content is not None or self.problem is not None


def split_text(value: str) -> Iterator[Piece]:
    """The pieces of a text, in order, without empty ones. An unclosed template is its `{{` alone."""
    text_start = place = unclosed = 0
    while unclosed < _UNCLOSED_TEMPLATES and (opener := value.find("{{", place)) >= 0:
        template = _Extent(value, opener).template()
        unclosed += template.is_unclosed
        if text_start < opener:
            yield Piece(Span(text_start, opener))
        yield template
        text_start = place = template.span.end
    if text_start < len(value):
        yield Piece(Span(text_start, len(value)))


class _Extent:
    """Looks for the end of the template at `start`, noting what goes wrong on the way. Used once."""

    def __init__(self, value: str, start: int) -> None:
        self.value = value
        self.start = start
        self.nested = -1
        self.single = -1
        self.open_quote = -1

    def template(self) -> Piece:
        """The piece from `{{` to its `}}`, or `{{` alone with the problem that it is never closed."""
        closer = self._closer()
        if closer < 0:
            return Piece(Span(self.start, self.start + 2), None, self._unclosed())
        span, content = Span(self.start, closer + 2), Span(self.start + 2, closer)
        if self.value.startswith("{", content.start):
            return Piece(span, None, self._triple(span))
        if self.nested >= 0:
            return Piece(span, None, self._nested())
        if not self.value[content.start : content.end].strip():
            return Piece(span, None, Problem(codes.EMPTY_TEMPLATE, span, "nothing stands between the braces"))
        return Piece(span, content)

    def _closer(self) -> int:
        """The offset of the closing `}}`, or -1."""
        depth = 0
        for match in _MARKS.finditer(self.value, self.start + 2):
            mark, place = match[0], match.start()
            if mark == "{":
                depth += 1
                if self.nested < 0 and self.value.startswith("{{", place):
                    self.nested = place
            elif mark == "}":
                if depth:
                    depth -= 1
                elif self.value.startswith("}}", place):
                    return place
                elif self.single < 0:
                    self.single = place
            elif len(mark) == 1:
                self.open_quote = place
                return -1
        return -1

    def _unclosed(self) -> Problem:
        span = Span(self.start, self.start + 2)
        if self.open_quote >= 0:
            return unclosed_text(self.value[self.open_quote], self.open_quote).problem
        if self.single >= 0:
            message = "this `{{` is never closed: a single `}` does not close it"
            edits = replacement(self.single, self.single + 1, "}}")
            return Problem(codes.UNCLOSED_TEMPLATE, span, message, help="write `}}`", edits=edits)
        message = "this `{{` is never closed: `}}` is missing"
        return Problem(codes.UNCLOSED_TEMPLATE, span, message, help="literal braces are written `{{ '{{' }}`")

    def _triple(self, span: Span) -> Problem:
        advice = "write `{{ x }}`; where an object is meant, a blank before it: `{{ {a: 1} }}`"
        message = "three braces do not open a template"
        return Problem(codes.BAD_EXPRESSION, Span(span.start, span.start + 3), message, help=advice)

    def _nested(self) -> Problem:
        message = "a template cannot stand inside a template"
        advice = "names inside `{{ }}` need no braces of their own"
        return Problem(codes.BAD_EXPRESSION, Span(self.nested, self.nested + 2), message, help=advice)
