"""The runs of block scalars."""

from __future__ import annotations

import pytest

from compiler.diagnostics.source import Span
from compiler.syntax.block_offsets import block_runs
from compiler.syntax.tree import Scalar, Style
from tests.compiler.syntax.reading import scalars_of, tree_of


def runs_of(text: str) -> list[tuple[str, str]]:
    """Pairs of what the value of `a` holds and what in the file made it."""
    scalar = scalars_of(tree_of("a: " + text))[1]
    runs = block_runs("a: " + text, scalar)
    assert runs is not None
    assert "".join(run.text for run in runs) == scalar.value
    return [(run.text, ("a: " + text)[run.file_start : run.file_end]) for run in runs]


NL = ("\n", "\n")


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("|\n  x\n   y\n\n  z\n", [("x", "x"), NL, (" y", " y"), NL, NL, ("z", "z"), NL]),
        ("|-\n  x\n", [("x", "x")]),
        ("|+\n\n  x\n\n", [NL, ("x", "x"), NL, NL]),
        ("|2-\n    x\n   y", [("  x", "  x"), NL, (" y", " y")]),
        ("| # why\n  x\r\n  y\r\n", [("x", "x"), ("\n", "\r\n"), ("y", "y"), ("\n", "\r\n")]),
        ("|\n  x", [("x", "x")]),
        ("|\n", []),
        ("|+\n   \n\n", [NL, NL]),
        ("|1\n    \n", [("   ", "   "), NL]),
        ("|\n  a\n  \tb\n", [("a", "a"), NL, ("\tb", "\tb"), NL]),
        (">\n  x\n  y\n\n  z\n", [("x", "x"), (" ", "\n"), ("y", "y"), NL, ("z", "z"), NL]),
        (">-\n  x\n   y\n  z", [("x", "x"), NL, (" y", " y"), NL, ("z", "z")]),
        (">\n\n  x\n\n\n  y\n", [NL, ("x", "x"), NL, NL, ("y", "y"), NL]),
        (">\r\n  x\r\n  y\r\n", [("x", "x"), (" ", "\r\n"), ("y", "y"), ("\n", "\r\n")]),
    ],
)
def test_runs(text: str, runs: list[tuple[str, str]]) -> None:
    assert runs_of(text) == runs


def test_a_value_that_the_file_does_not_hold_has_no_runs() -> None:
    assert block_runs("|\n  x\n", Scalar("y\n", "y\n", Style.LITERAL, Span(0, 6))) is None
    assert block_runs("x", Scalar("x", "x", Style.LITERAL, Span(0, 1))) is None
