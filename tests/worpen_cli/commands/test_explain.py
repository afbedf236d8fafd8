"""`worpen explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.codes import CODES
from compiler.language.functions import FUNCTIONS
from tests.worpen_cli.commands.conftest import Run
from worpen_cli.commands.explain import find_explanation


@pytest.mark.parametrize("name", CODES)
def test_every_finding_is_explained(name: str) -> None:
    text = find_explanation(name)
    assert text == find_explanation(CODES[name].label)
    assert CODES[name].why in text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_explained(name: str) -> None:
    assert find_explanation(name).startswith(FUNCTIONS[name].signature)


def test_as_a_command(run: Run, folder: Path) -> None:
    done = run("explain", "w401")
    assert done.code == 0
    assert done.out.startswith("error[unknown-variable] W401: No operation sets this variable\n")
    assert "    {{ mesage }}" in done.out
    assert run("explain", "startsWith").out.startswith("starts_with(")


def test_an_unknown_name(run: Run, folder: Path) -> None:
    done = run("explain", "unknown-variabel")
    assert done.code == 2
    assert "did you mean `unknown-variable`?" in done.err
