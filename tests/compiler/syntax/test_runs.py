"""Stretches of a value and of a file."""

from __future__ import annotations

from compiler.syntax.runs import Run


def test_ends_and_lengths() -> None:
    run = Run(2, 10, "é", 6)
    assert (run.value_length, run.value_end, run.file_end) == (1, 3, 16)
