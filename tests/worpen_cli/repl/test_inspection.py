"""Trees, instructions, Python, steps and time of an expression."""

from __future__ import annotations

import pytest

from compiler.language.values import Value
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.inspection import STEPS, listing, measure, python, trace, tree
from worpen_cli.repl.statements import read_statement

EVALUATOR = Evaluator()
SCOPE: dict[str, Value] = {"xs": [{"p": 1}, {"p": 2}], "n": 3}
NAMES = tuple(SCOPE)


def steps(text: str) -> list[str]:
    return list(trace(EVALUATOR, read_statement(text), SCOPE))


def test_a_tree() -> None:
    assert list(tree(EVALUATOR, read_statement("n + 1"), NAMES)) == [
        "Binary +  0..5",
        "  Name n  0..1",
        "  Literal 1  4..5",
    ]


def test_instructions_name_the_variables() -> None:
    shown = listing(EVALUATOR, read_statement("n + 1"), NAMES)
    assert "SLOT          1  n" in shown


def test_python_is_what_runs() -> None:
    shown = python(EVALUATOR, read_statement("n + 1"), NAMES)
    compile(shown, "<shown>", "exec")
    assert shown.startswith("def expression(")


def test_a_trace_shows_the_stack_before_each_step() -> None:
    assert [row.split() for row in steps("n + 1")] == [
        ["0000", "SLOT", "n", "[]"],
        ["0001", "CONST", "1", "[3]"],
        ["0002", "ADD", "[3", "1]"],
        ["0003", "RETURN", "[4]"],
        ["=", "4"],
    ]


def test_a_trace_goes_into_inner_expressions() -> None:
    rows = steps("xs | map('p * 2')")
    assert sum(row.startswith("  ") and "MUL" in row for row in rows) == 2
    assert rows[-1] == "= [2,4]"


def test_a_trace_ends_with_the_fault() -> None:
    rows = steps("n + (xs | last).q")
    assert rows[-1].startswith("error[type-error] ")
    assert "ADD" in rows[-2]


def test_a_long_trace_is_cut() -> None:
    rows = steps("range(0, 1000) | map('item')")
    assert len(rows) == STEPS + 2
    assert rows[-2].endswith("more steps")


def test_a_broken_text_has_no_steps() -> None:
    with pytest.raises(Mistake):
        steps("nope")


def test_the_median_of_repeated_runs() -> None:
    # A clock that a run moves by 1 ms, with one outlier.
    spent = [0]

    def run() -> None:
        spent[0] += 50_000_000 if spent[0] == 20_000_000 else 1_000_000

    assert measure(run, lambda: spent[0])[0] == 1_000_000


def test_quick_runs_are_measured_many_at_a_time() -> None:
    spent = [0]

    def run() -> None:
        spent[0] += 1000

    nanoseconds, samples, each = measure(run, lambda: spent[0])
    assert nanoseconds == 1000
    assert samples > 50
    assert each >= 500
