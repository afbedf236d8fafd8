"""Expressions that bind otherwise than they look: warnings, each with the parentheses that were meant."""

from __future__ import annotations

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit
from compiler.diagnostics.source import Span
from compiler.syntax.nodes import Binary, Call, Expression, Literal, Logical, Unary, walk
from compiler.syntax.problems import Problem, quoted, replacement


def misleading_parts(tree: Expression, source: str) -> list[Problem]:
    """`!x | f` (which filters a boolean) and `x == a || b` (which does not compare with b), in order."""
    filtered: dict[int, tuple[Unary, int]] = {}  # where a chain of filters ends so far, by its last call
    missed: list[Problem] = []
    for node in walk(tree):
        if isinstance(node, Call) and node.piped:
            _note_filter(node, filtered)
        elif isinstance(node, Logical) and (comparison := _comparison(node)) is not None:
            missed.append(_lost_comparison(node, comparison, source))
    negations = [_early_negation(unary, end, source) for unary, end in filtered.values()]
    return sorted(negations + missed, key=lambda problem: problem.span)


def _note_filter(node: Call, filtered: dict[int, tuple[Unary, int]]) -> None:
    piped = node.arguments[0]
    if isinstance(piped, Unary) and piped.operator == "!":
        filtered[id(node)] = (piped, node.span.end)
    elif id(piped) in filtered:
        unary, _ = filtered.pop(id(piped))
        filtered[id(node)] = (unary, node.span.end)


def _early_negation(unary: Unary, end: int, source: str) -> Problem:
    start = unary.span.start
    operand = unary.operand.span
    meant = f"!({source[operand.start : end]})"
    return Problem(
        codes.PRECEDENCE,
        Span(start, start + 1),
        f"`!` applies to {quoted(source[operand.start : operand.end])}, not to what the filter makes of it",
        help=f"write {quoted(meant)}",
        edits=(*replacement(operand.start, operand.start, "("), *replacement(end, end, ")")),
    )


def _comparison(node: Logical) -> Binary | None:
    """The comparison at the start of `x == a || b || …`, where what follows the last `||` is a bare text or number."""
    if node.operator != "||" or not _is_bare(node.right):
        return None
    left = node.left_operand
    return left if isinstance(left, Binary) and left.operator == "==" else None


def _is_bare(node: Expression) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, str | int | float) and not isinstance(node.value, bool)


def _lost_comparison(node: Logical, comparison: Binary, source: str) -> Problem:
    span = node.right.span
    subject = comparison.left_operand.span
    before = source[subject.start : comparison.right.span.start]
    compared = source[comparison.span.start : comparison.span.end]
    written = source[span.start : span.end]
    message = f"{quoted(source[subject.start : subject.end])} is not compared with {quoted(written)}"
    return Problem(
        codes.PRECEDENCE,
        span,
        message,
        help=f"write {quoted(f'{compared} || {before}{written}')}",
        edits=(Edit(Span(span.start, span.start), before),),
    )
