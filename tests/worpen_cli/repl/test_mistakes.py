"""Why there is no value, on stderr."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from worpen_cli.console import Console
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.mistakes import show_mistake

CONSOLE = Console(environment={})


def test_a_finding_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Mistake) as mistake:
        Evaluator().evaluate("expression", "1 + nope", {})
    show_mistake(mistake.value, CONSOLE, "do this")
    assert capsys.readouterr().err.splitlines()[-4:] == [
        "1 | 1 + nope", "  |     ^^^^", "  = help: worpen explain unknown-variable", "  = help: do this",
    ]  # fmt: skip


def test_faults(capsys: pytest.CaptureFixture[str]) -> None:
    show_mistake(Mistake(codes.TYPE_ERROR, "no", column=3), CONSOLE)
    show_mistake(Fault(codes.TYPE_ERROR, "no \x1b"), CONSOLE)
    assert capsys.readouterr().err == ("error[type-error] W601: no (column 3)\nerror[type-error] W601: no \\x1b\n")
