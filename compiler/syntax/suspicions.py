"""Plain text that looks as if it were meant to be computed: warnings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit
from compiler.diagnostics.source import Span
from compiler.syntax.nodes import Binary, Call, Conditional, Expression, Logical, Unary
from compiler.syntax.problems import Problem, quoted, replacement
from compiler.syntax.templates import Piece

_BRACES: Final = re.compile(r"\$\{(?!\{)[^{}]*\}|[{}]")


def misplaced_braces(value: str, texts: Iterable[Span]) -> Iterator[Problem]:
    """`${x}`, and each `}}` that no brace of the text opens: the end of JSON text in a text is none."""
    depth = skip = 0
    for text in texts:
        for match in _BRACES.finditer(value, text.start, text.end):
            if match[0] == "{":
                depth += 1
            elif match[0] != "}":
                yield from _dollar(value, match.span())
            elif depth:
                depth -= 1
            elif match.start() >= skip and value.startswith("}}", match.start(), text.end):
                skip = match.start() + 2
                yield _stray(Span(match.start(), skip))


def _stray(span: Span) -> Problem:
    message = "this `}}` is plain text: no `{{` opens it"
    return Problem(codes.SUSPICIOUS_TEXT, span, message, help="a template is written `{{ x }}`")


def _dollar(value: str, place: tuple[int, int]) -> Iterator[Problem]:
    start, end = place
    if inner := value[start + 2 : end - 1].strip():
        message = f"{quoted(value[start:end])} is plain text, not a template"
        meant = f"{{{{ {inner} }}}}"
        edits = replacement(start, end, meant)
        yield Problem(codes.SUSPICIOUS_TEXT, Span(start, end), message, help=f"write {quoted(meant)}", edits=edits)


# Arithmetic beside templates: `{{ n }} + 1`. Whole texts only, and only what prose hardly ever looks like:
# no minus or slash between templates (`{{ from }} - {{ to }}`, `{{ day }}/{{ month }}`), no slash alone
# (`{{ online }} / 100`), no percent sign without blanks (`{{ name }}%20`).

_HOLE: Final = "\0"
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_OPERAND: Final = rf"(?:{_HOLE}|{_NUMBER})"
_STEP: Final = rf"(?:\s+[+*]\s+{_OPERAND}|[+*]{_NUMBER}|\s+[-/%]\s+{_NUMBER})"
_SUM: Final = re.compile(rf"\s*{_OPERAND}{_STEP}+\s*")


def arithmetic_outside(value: str, pieces: list[Piece], trees: list[Expression]) -> Problem | None:
    """The warning that a text is not a sum, where it is operands and operators beside its templates and nothing else.

    `trees` are the expressions of the templates; each must have been read.
    """
    texts = [_HOLE if piece.is_template else value[piece.span.start : piece.span.end] for piece in pieces]
    skeleton = "".join(texts)
    if len(pieces) < 2 or not _SUM.fullmatch(skeleton) or not set(skeleton) & set("+*-%"):
        return None
    edits = _one_template(value, pieces, trees)
    message = f"{quoted(value.strip())} is text: only what stands between the braces is computed"
    advice = f"write {quoted(edited(value, edits).strip())}"
    return Problem(codes.SUSPICIOUS_TEXT, Span(0, len(value)), message, help=advice, edits=edits, whole=True)


def _one_template(value: str, pieces: list[Piece], trees: list[Expression]) -> tuple[Edit, ...]:
    """Edits that move the braces outward, touching nothing else: what is escaped in the file stays so."""
    start, end = len(value) - len(value.lstrip()), len(value.rstrip())
    edits = [] if pieces[0].is_template and not start else [Edit(Span(start, start), "{{ ")]
    remaining = iter(trees)
    for piece in pieces:
        if piece.content is not None:
            before, after = ("(", ")") if _is_loose(next(remaining)) else ("", "")
            inner = value[piece.content.start : piece.content.end]
            first = piece.content.start + len(inner) - len(inner.lstrip())
            last = piece.content.start + len(inner.rstrip())
            opener = "{{ " if piece.span.start == 0 else ""
            edits.append(Edit(Span(piece.span.start, first), opener + before))
            edits.append(Edit(Span(last, piece.span.end), after + (" }}" if piece.span.end == len(value) else "")))
    if not (pieces[-1].is_template and end == len(value)):
        edits.append(Edit(Span(end, end), " }}"))
    return tuple(edits)


def _is_loose(tree: Expression) -> bool:
    """Whether an operator beside the expression would tear it apart."""
    return isinstance(tree, Binary | Logical | Conditional | Unary) or (isinstance(tree, Call) and tree.piped)


def edited(value: str, edits: Iterable[Edit]) -> str:
    """The text with edits applied, which are in order and do not overlap."""
    parts, place = [], 0
    for edit in edits:
        parts += [value[place : edit.span.start], edit.replacement]
        place = edit.span.end
    return "".join([*parts, value[place:]])
