"""Reads scalars: templates, conditions, and what stands between braces (language sections 6 and 7).

The three functions never raise for any text: what is wrong comes back as problems, with spans in the
value. An expression has at most one syntax error, and where it has one there is no tree.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.syntax.expressions import ExpressionParser
from compiler.syntax.lexer import TEXT, Token
from compiler.syntax.nodes import Expression, Template
from compiler.syntax.precedence import misleading_parts
from compiler.syntax.problems import Mistake, Problem
from compiler.syntax.suspicions import arithmetic_outside, misplaced_braces
from compiler.syntax.templates import split_text

_SHORT: Final = 200
"""Texts up to this length are remembered with their trees: `{{ message }}` stands in every route."""


def parse_template(value: str) -> tuple[Template, tuple[Problem, ...]]:
    """Read a text with `{{ }}`. Each template that cannot be read is one problem; the template is then `broken`."""
    if "{" not in value and "}" not in value:
        return Template((value,) if value else (), Span(0, len(value))), ()
    return _short_template(value) if len(value) <= _SHORT else _read_template(value)


def _read_template(value: str) -> tuple[Template, tuple[Problem, ...]]:
    pieces = list(split_text(value))
    problems: list[Problem] = []
    parts: list[str | Expression] = []
    for piece in pieces:
        if piece.problem is not None:
            problems.append(piece.problem)
        elif piece.content is None:
            parts.append(value[piece.span.start : piece.span.end])
        elif (tree := _parse(value, piece.content, False, problems)) is not None:
            parts.append(tree)
    if not any(piece.is_unclosed for piece in pieces):
        problems += misplaced_braces(value, [piece.span for piece in pieces if not piece.is_template])
    broken = len(parts) < len(pieces)
    if not broken:
        trees = [part for part in parts if not isinstance(part, str)]
        problems += filter(None, [arithmetic_outside(value, pieces, trees)])
    return Template(tuple(parts), Span(0, len(value)), broken), tuple(sorted(problems, key=_place))


def parse_condition(value: str) -> tuple[Expression | None, tuple[Problem, ...]]:
    """Read a string that is an expression as a whole; each `{{ e }}` in it is a parenthesised operand."""
    return _short_condition(value) if len(value) <= _SHORT else _read_condition(value)


def _read_condition(value: str) -> tuple[Expression | None, tuple[Problem, ...]]:
    problems: list[Problem] = []
    tree = _parse(value, Span(0, len(value)), True, problems)
    return tree, tuple(sorted(problems, key=_place))


_short_template: Final = lru_cache(maxsize=1024)(_read_template)
_short_condition: Final = lru_cache(maxsize=1024)(_read_condition)


def parse_expression(value: str) -> tuple[Expression | None, tuple[Problem, ...]]:
    """Read what stands between braces, without them."""
    problems: list[Problem] = []
    tree = _parse(value, Span(0, len(value)), False, problems)
    return tree, tuple(problems)


def _place(problem: Problem) -> Span:
    return problem.span


def _parse(source: str, place: Span, condition: bool, problems: list[Problem]) -> Expression | None:
    """The tree of `source[place]`, or None with the reason added to the problems."""
    parser = ExpressionParser(source, place.start, place.end, condition)
    if condition:
        problems += _lost_templates(parser.tokens)
    if parser.is_blank:
        problems.append(Problem(codes.BAD_EXPRESSION, place, "an expression is missing here"))
        return None
    try:
        tree = parser.parse()
    except Mistake as mistake:
        problems.append(mistake.problem)
        return None
    problems += parser.warnings
    if parser.doubtful:
        problems += misleading_parts(tree, source)
    return tree


_LOST: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def _lost_templates(tokens: list[Token]) -> list[Problem]:
    """Templates inside the text literals of a condition, where they are text."""
    found = ((start, match) for kind, text, start, _ in tokens if kind == TEXT for match in _LOST.finditer(text))
    return [
        Problem(
            codes.LOST_EXPRESSION,
            Span(start + match.start(), start + match.end()),
            "braces inside a text literal are text",
            help="texts are joined by `+`: `'room-' + name`",
        )
        for start, match in found
    ]
