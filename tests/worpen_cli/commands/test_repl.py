"""`worpen repl` without a terminal."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.worpen_cli.commands.conftest import Run


@pytest.fixture
def piped(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_piped(text: str | bytes, *arguments: str) -> object:
        raw = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        return run("repl", *arguments)

    return run_piped  # type: ignore[return-value]


def test_one_expression(run: Run, folder: Path) -> None:
    assert run("repl", "-c", "'a' | upper").out == '"A"\n'
    assert run("repl", "-c", "{{ 1 }}!").out == '"1!"\n'
    broken = run("repl", "-c", "1 + nope")
    assert (broken.code, broken.out) == (1, "")
    assert "error[unknown-variable] W401" in broken.err
    fault = run("repl", "-c", "'abc' | to_number")
    assert fault.code == 1
    assert "error[" in fault.err


def test_lines(piped: Run) -> None:
    done = piped("a = 2\na * 3\n\n'x'\n")
    assert (done.code, done.out) == (0, '6\n"x"\n')


def test_the_first_error_ends_it(piped: Run) -> None:
    done = piped("1\nnope\n2\n")
    assert (done.code, done.out) == (1, "1\n")


def test_requests(piped: Run) -> None:
    done = piped('{"expr": "nope"}\n{"template": "{{ 1 }}", "mode": "text"}\n', "--json")
    assert done.code == 0
    assert done.out.splitlines()[1] == '{"value": "1"}'


def test_wrong_use(piped: Run) -> None:
    assert piped("", "--json", "-c", "1").code == 2
    assert piped(b"\xff\n").code == 2
